/** The commands that look at a deployment and take stores out of it, on a real instance that ran and was stopped. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startServer } from '../../support/server.ts';
import { TemporaryDirectory } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';
import { type Finished, jsonLines, runProgram } from './program.ts';

const directory = new TemporaryDirectory();
const dataDir = join(directory.path, 'data');
const run = (...args: string[]): Promise<Finished> => runProgram(args, { OPENTAPE_DATA_DIR: dataDir });

interface Lag {
  readonly applicationId: string;
  readonly topic: string;
  readonly partition: number;
  readonly lag: number;
}

before(async () => {
  const server = await startServer({ OPENTAPE_DATA_DIR: dataDir });
  await until('the market moves', async () => {
    const topics = await run('topic', 'list', '--json');
    const found = JSON.parse(topics.stdout) as { name: string; records: number }[];
    return (found.find(({ name }) => name === 'quote.updates')?.records ?? 0) > 100;
  });
  const lag = await run('lag', 'candles', '--json');
  assert.equal(lag.code, 0, lag.stderr);
  const lags = JSON.parse(lag.stdout) as Lag[];
  assert.deepEqual(
    lags.map(({ applicationId, topic, partition }) => [applicationId, topic, partition]),
    [0, 1, 2, 3].map((partition) => ['candles', 'market.trades', partition]),
  );
  await server.stop();
});
after(() => directory.remove());

test('after a clean end nothing is behind', async () => {
  const { code, stdout } = await run('lag', '--behind');
  assert.deepEqual([code, stdout], [0, 'Nothing is behind.\n']);
  const unknown = await run('lag', 'nope');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /there is no application nope; applications: quotes,/);
});

test('the same version changes nothing; other settings and files are compared', async () => {
  const same = await run('topology', 'diff');
  assert.equal(same.code, 0, same.stdout);
  assert.match(same.stdout, /^A deployment changes nothing/);
  const without = await runProgram(['topology', 'diff'], {
    OPENTAPE_DATA_DIR: dataDir,
    OPENTAPE_MARKET_MAKER: 'off',
  });
  assert.equal(without.code, 3, without.stderr);
  assert.match(
    without.stdout,
    /\norphan +market-maker +application +runs no more; its positions stay, and its stores: \S.*\n$/,
  );

  const file = join(directory.path, 'described.json');
  const described = (await run('topology', 'describe', '--json')).stdout;
  writeFileSync(file, described);
  assert.equal((await run('topology', 'diff', '--against', file)).code, 0);
  writeFileSync(file, described.replace('"name": "positions"', '"name": "holdings"'));
  const renamed = await run('topology', 'diff', 'orders', '--against', file, '--json');
  assert.equal(renamed.code, 3);
  const { changes } = JSON.parse(renamed.stdout) as { changes: { kind: string; what: string }[] };
  assert.deepEqual(
    changes.map(({ kind, what }) => `${kind} ${what}`),
    ['orphan store holdings', 'add store positions'],
  );
  writeFileSync(file, '[]x');
  const broken = await run('topology', 'diff', '--against', file);
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /is not what topology describe --json writes/);
});

test('a topic is described with who writes and reads it', async () => {
  const { stdout } = await run('topic', 'describe', 'order.events');
  assert.match(stdout, /^Topic order\.events: 4 partitions, delete, kept 7 d\n/);
  assert.match(stdout, /\nWritten by: matching\nRead by: orders\n/);
});

test('a store is dumped whole, as JSON lines and as CSV', async () => {
  const lines = join(directory.path, 'candles.jsonl');
  const dumped = await run('store', 'dump', 'candles', 'candles-m1', '--out', lines);
  assert.equal(dumped.code, 0, dumped.stderr);
  assert.equal(dumped.stderr, '', 'no bar where there is no terminal');
  const entries = jsonLines<{ key: string; window: object }>(readFileSync(lines, 'utf8'));
  assert.match(dumped.stdout, new RegExp(`^${entries.length} entries of candles/candles-m1 written to `));
  const table = join(directory.path, 'candles.csv');
  await run('store', 'dump', 'candles', 'candles-m1', '--out', table);
  const rows = readFileSync(table, 'utf8').trimEnd().split('\n');
  assert.equal(rows[0], 'partition,key,start,end,value,undecodable');
  assert.equal(rows.length, entries.length + 1);
  assert.match(rows[1]!, /^\d,[A-Z.]+,\d{4}-\d\d-\d\dT[^,]+,[^,]+,"\{""symbol"":""/);
  const nowhere = await run('store', 'dump', 'candles', 'candles-m1', '--out', '/nowhere/x.csv');
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /\/nowhere\/x\.csv cannot be written/);
});
