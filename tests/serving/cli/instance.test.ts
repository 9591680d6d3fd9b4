import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { DEMO_ACCOUNT_ID } from '../../../serving/platform.ts';
import { call, type RunningServer, startServer } from '../../support/server.ts';
import { TemporaryDirectory } from '../../support/temporary.ts';
import { changeEntry, damage } from '../ops/tradingFloor.ts';
import { type Finished, jsonLines, runProgram, spawnProgram } from './program.ts';

const directory = new TemporaryDirectory();
const dataDir = join(directory.path, 'data');
const ATTEMPTS_MAX = 500;
let server: RunningServer;

const run = (...args: string[]): Promise<Finished> => runProgram(args, { OPENTAPE_DATA_DIR: dataDir });

interface VerifyOutput {
  readonly ok: boolean;
  readonly instance: string;
  readonly invariants: readonly {
    readonly violationCount: number;
    readonly violations: readonly unknown[];
  }[];
  readonly replay: { readonly violationCount: number; readonly notChecked: readonly string[] } | null;
}

before(async () => {
  server = await startServer({ OPENTAPE_DATA_DIR: dataDir });
  // A market order fills once the house has quoted.
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const order = { symbol: 'AAPL', qty: '2', side: 'buy', type: 'market', time_in_force: 'day' };
    const { status } = await call(server, 'POST', '/v2/orders', order);
    if (status !== 200) continue;
    if (/"executionId":"AAPL:/.test((await run('topic', 'tail', 'trade.events', '--json')).stdout)) return;
  }
  assert.fail('no order was filled');
});
after(async () => {
  await server.kill();
  directory.remove();
});

test('a running instance is looked into over its own server', async () => {
  const topics = await run('topic', 'list');
  assert.equal(topics.code, 0, topics.stderr);
  assert.match(topics.stdout, /^TOPIC +PARTITIONS +POLICY +RETENTION +RECORDS +OFFSETS\n/);
  assert.match(topics.stdout, /\ntrade\.events +4 +delete +7 d +\d+ +\d+-\d+ /);
  const trades = jsonLines<{ key: string; value: { symbol: string } }>(
    (await run('topic', 'tail', 'trade.events', '--key', DEMO_ACCOUNT_ID, '--limit', '1', '--json')).stdout,
  );
  assert.deepEqual(
    trades.map(({ key, value }) => [key, value.symbol]),
    [[DEMO_ACCOUNT_ID, 'AAPL']],
  );
  const account = await run('store', 'get', 'orders', 'accounts', DEMO_ACCOUNT_ID);
  assert.match(
    account.stdout,
    new RegExp(`^${DEMO_ACCOUNT_ID}  \\{"accountId":"${DEMO_ACCOUNT_ID}".*"depositedMicros":100000000000`),
  );
  const nobody = await run('store', 'get', 'orders', 'accounts', 'nobody');
  assert.deepEqual([nobody.code, nobody.stdout], [1, '']);
  assert.match(nobody.stderr, /^opentape: .*orders\/accounts has no entry nobody\n$/);
  const unknown = await run('store', 'scan', 'orders', 'nope');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /^opentape: .*orders has no store nope; its stores: accounts, .*\n$/);
});

test('verify holds on a running instance', async () => {
  const { code, stdout, stderr } = await run('verify', '--json');
  const report = JSON.parse(stdout) as VerifyOutput;
  assert.deepEqual(
    report.invariants.flatMap(({ violations }) => violations),
    [],
    stderr,
  );
  assert.deepEqual([code, report.ok, report.instance, report.invariants.length], [0, true, 'running', 5]);
  const replay = await run('verify', '--only', 'log', '--replay');
  assert.equal(replay.code, 1);
  assert.match(replay.stderr, /--replay compares everything there is, so it needs a stopped instance/);
});

test('tail --follow shows what is appended, and ends well when it is interrupted', async () => {
  const child = spawnProgram(['topic', 'tail', 'quote.updates', '--follow', '--from', 'end', '--json'], {
    OPENTAPE_DATA_DIR: dataDir,
  });
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    assert.equal((JSON.parse(line) as { topic: string }).topic, 'quote.updates');
    break;
  }
  child.stdout.resume();
  child.kill('SIGINT');
  assert.deepEqual(await exited, [0, null]);
});

test('after a kill -9 the directory is looked into, and every invariant holds, the replay included', async () => {
  await server.kill();
  assert.ok(existsSync(join(dataDir, 'instance.json')), 'left by the kill');
  const follow = await run('topic', 'tail', 'quote.updates', '--follow');
  assert.equal(follow.code, 1);
  assert.match(follow.stderr, /no instance runs on .*; leave --follow out or start one/);
  const quotes = await run('topic', 'tail', 'quote.updates', '--limit', '3');
  assert.equal(
    quotes.stdout.match(/^quote\.updates\[\d\]@\d+ {2}\d{4}-\d\d-\d\dT.* {2}\{"symbol":/gm)?.length,
    3,
  );
  const candles = await run(
    'store',
    'scan',
    'candles',
    'candles-m1',
    '--prefix',
    'AAPL',
    '--from',
    '2000-01-01',
  );
  assert.match(
    candles.stdout,
    /^AAPL {2}\d{4}-\d\d-\d\dT\d\d:\d\d:00\.000Z\.\.\d{4}-\d\d-\d\dT\d\d:\d\d:00\.000Z {2}\{"symbol":"AAPL","interval":"M1"/,
  );
  const { code, stdout } = await run('verify', '--replay');
  assert.equal(code, 0, stdout);
  assert.match(stdout, /\nholds {5}5 Replay: .*\nAll that was checked holds \(stopped instance\)\.\n$/);
});

test('a violation is listed with place and figures, and the exit code tells', async () => {
  await damage(dataDir, {
    stores: changeEntry('orders', 'accounts', (key) => (key === DEMO_ACCOUNT_ID ? null : undefined)),
  });
  const text = await run('verify', '--only', 'money');
  assert.equal(text.code, 1);
  assert.match(text.stdout, /^VIOLATED {2}1 Money: /);
  assert.match(
    text.stdout,
    new RegExp(
      `\\n {2}orders/accounts ${DEMO_ACCOUNT_ID}: the account was opened, but is not in the store\\n`,
    ),
  );
  const json = await run('verify', '--json', '--violations', '1');
  const report = JSON.parse(json.stdout) as VerifyOutput;
  assert.deepEqual([json.code, report.ok], [1, false]);
  assert.equal(report.invariants[0]!.violations.length, 1);
  assert.ok(report.invariants[0]!.violationCount > 1);
});

test('damage on disk is told in one line', async () => {
  rmSync(join(dataDir, 'acknowledged'));
  const { code, stdout, stderr } = await run('topic', 'list');
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^opentape: LOG_DIRECTORY_DAMAGED: [^\n]+acknowledged[^\n]+\n$/);
});
