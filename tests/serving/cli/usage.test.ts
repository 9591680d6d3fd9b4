import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withTemporaryDirectory } from '../../support/temporary.ts';
import { runProgram } from './program.ts';

const ONE_LINE = /^opentape: [^\n]+\n$/;

test('wrong usage ends with 2, and says in one line what is wrong', async () => {
  for (const args of [
    [],
    ['frob'],
    ['topic'],
    ['topic', 'tail'],
    ['topic', 'list', '--frob'],
    ['topic', 'tail', 'orders.commands', '--from', 'noon'],
    ['topic', 'tail', 'orders.commands', '--limit', '0'],
    ['topic', 'tail', 'orders.commands', '--partition', '-1'],
    ['store', 'get', 'orders', 'accounts'],
    ['store', 'scan', 'orders', 'accounts', '--limit', 'many'],
    ['store', 'dump', 'orders', 'accounts'],
    ['store', 'dump', 'orders', 'accounts', '--out', 'accounts.xml'],
    ['lag', '--interval', '0'],
    ['topic', 'copy', 'a', 'b', '--where', 'symbol'],
    ['reset', 'orders'],
    ['reset', 'orders', '--to', 'noon'],
    ['dlq', 'retry', 'orders'],
    ['dlq', 'retry', 'orders', 'one'],
    ['dlq', 'discard', 'orders', '1', '--open'],
    ['verify', '--only', 'luck'],
    ['topology', 'describe', '--mermaid', '--json'],
  ]) {
    const { code, stdout, stderr } = await runProgram(args);
    const told = `${args.join(' ')}: ${stderr}`;
    assert.equal(code, 2, told);
    assert.equal(stdout, '', told);
    // Where a command is only begun, its help is the answer.
    if (/^Usage: /.test(stderr)) assert.ok(args.length < 2, told);
    else assert.match(stderr, ONE_LINE, told);
  }
});

test('every command tells how it is used', async () => {
  for (const args of [
    [],
    ['topology', 'describe'],
    ['topology', 'diff'],
    ['lag'],
    ['topic', 'list'],
    ['topic', 'describe'],
    ['topic', 'tail'],
    ['store', 'list'],
    ['store', 'get'],
    ['store', 'scan'],
    ['store', 'dump'],
    ['topic', 'copy'],
    ['reset'],
    ['replay'],
    ['reprocess', 'start'],
    ['reprocess', 'status'],
    ['reprocess', 'switch'],
    ['reprocess', 'rollback'],
    ['reprocess', 'drop'],
    ['ops'],
    ['dlq', 'list'],
    ['dlq', 'show'],
    ['dlq', 'retry'],
    ['dlq', 'discard'],
    ['verify'],
    ['start'],
  ]) {
    const { code, stdout } = await runProgram([...args, '--help']);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^Usage: opentape ?${args.join(' ')}`));
    assert.match(stdout, /--json/);
    assert.match(stdout, /--data-dir/);
  }
});

test('says in one line what is wrong with a directory, and touches nothing', async () => {
  await withTemporaryDirectory(async (directory) => {
    const missing = join(directory, 'missing');
    const foreign = join(directory, 'foreign');
    const newer = join(directory, 'newer');
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'notes.txt'), 'mine');
    mkdirSync(newer);
    writeFileSync(join(newer, 'opentape-data.json'), JSON.stringify({ format: 99, engine: 'embedded' }));
    for (const [dataDir, expected] of [
      [missing, /there is no data directory .*missing; start Opentape once/],
      [foreign, /foreign is not a data directory of Opentape/],
      [newer, /format 99 by a newer version/],
    ] as const) {
      for (const command of [
        ['topic', 'list'],
        ['verify', '--json'],
      ]) {
        const { code, stdout, stderr } = await runProgram([...command, '--data-dir', dataDir]);
        assert.equal(code, 1);
        assert.equal(stdout, '');
        assert.match(stderr, ONE_LINE);
        assert.match(stderr, expected);
      }
    }
    assert.deepEqual(readdirSync(directory).sort(), ['foreign', 'newer']);
    assert.deepEqual(readdirSync(foreign), ['notes.txt']);
    assert.deepEqual(readdirSync(newer), ['opentape-data.json']);
  });
});

test('topology describe needs no data directory', async () => {
  const text = await runProgram(['topology', 'describe', 'matching'], { OPENTAPE_DATA_DIR: '/nowhere' });
  assert.equal(text.code, 0);
  assert.match(text.stdout, /Source: orders-accepted \(topics: \[orders\.accepted\]\)\n {6}--> match/);
  const mermaid = await runProgram(['topology', 'describe', '--mermaid']);
  assert.equal(mermaid.stdout.match(/^flowchart LR$/gm)?.length, 6);
  const json = JSON.parse((await runProgram(['topology', 'describe', '--json'])).stdout) as {
    application: string;
    subtopologies: unknown[];
  }[];
  assert.ok(
    json.some(
      ({ application, subtopologies }) => application === 'market-maker' && subtopologies.length === 2,
    ),
  );
  const unknown = await runProgram(['topology', 'describe', 'nope']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /there is no application nope; applications: quotes, /);
});

test('topology describe draws one application or all into a file', async () => {
  await withTemporaryDirectory(async (directory) => {
    const file = join(directory, 'topology.svg');
    const one = await runProgram(['topology', 'describe', 'orders', '--svg', file]);
    assert.deepEqual(one, { code: 0, stdout: '', stderr: '' });
    const svg = readFileSync(file, 'utf8');
    assert.match(svg, /^<svg .*<title id="topology-title">Topology of orders<\/title>.*<\/svg>\n$/s);
    await runProgram(['topology', 'describe', '--svg', file]);
    assert.match(readFileSync(file, 'utf8'), /Topology of quotes, market-maker, orders, /);
    const nowhere = await runProgram(['topology', 'describe', '--svg', join(directory, 'no/where.svg')]);
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.stderr, /^opentape: [^\n]*where\.svg cannot be written: [^\n]+\n$/);
    const both = await runProgram(['topology', 'describe', '--svg', file, '--json']);
    assert.equal(both.code, 2);
    assert.match(both.stderr, /exclude one another/);
  });
});

test('a wrong setting is one line', async () => {
  const { code, stderr } = await runProgram(['topology', 'describe'], { OPENTAPE_DATA_DIRECTORY: 'x' });
  assert.equal(code, 1);
  assert.match(stderr, /^opentape: .*OPENTAPE_DATA_DIRECTORY is not a setting.*OPENTAPE_DATA_DIR\?\n$/);
});
