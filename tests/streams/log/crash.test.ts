import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FAULT_POINTS } from '../../../streams/log/embedded/index.ts';
import { LogUnderTest } from './support.ts';

let under: LogUnderTest;
beforeEach(() => {
  under = new LogUnderTest();
});
afterEach(() => under.dispose());

/** Runs the writer until it kills itself; returns the numbers it had acknowledged. */
async function runUntilKilled(point: string, occurrence: number, underWay = 1): Promise<readonly number[]> {
  const child = spawn(
    process.execPath,
    [
      fileURLToPath(new URL('./crashChild.js', import.meta.url)),
      under.directory,
      point,
      String(occurrence),
      String(underWay),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL');
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
}

async function verify(acknowledged: readonly number[], ended: number, underWay = 1): Promise<number> {
  const log = await under.open();
  const numbers = (topic: string): number[] =>
    log.readSync(topic, 0, 0, 1_000_000).map(({ value }) => Number(value));
  const sent = (await log.admin.listTopics()).includes('in') ? numbers('in') : [];
  assert.deepEqual(
    sent,
    sent.map((_, index) => index),
    'every number once, in order',
  );
  assert.deepEqual(
    acknowledged,
    acknowledged.map((_, index) => acknowledged[0]! + index),
    'acknowledged in the order of sending',
  );
  for (const number of acknowledged)
    assert.ok(number < sent.length, `${number} was acknowledged and is there`);
  assert.ok(
    sent.length - ended <= acknowledged.length + underWay,
    'at most the sends under way are there without an answer',
  );
  if (sent.length > 0) {
    assert.deepEqual(numbers('twin'), sent, 'a send is there whole or not at all');
    let sum = 0;
    assert.deepEqual(
      numbers('out'),
      sent.map((number) => (sum += number)),
      'what was made of a record commits with it',
    );
    const store = log.state.openCommitted({ applicationId: 'app', storeName: 'sum', partition: 0 });
    assert.equal(Number(store.get(Buffer.from('sum'))), sum);
    assert.equal(log.positions('app')[0]!.offset, sent.length);
    const newest = new Map(
      log.readSync('newest', 0, 0, 1_000_000).map(({ key, value }) => [String(key), Number(value)]),
    );
    assert.deepEqual(
      [...newest.values()].sort((a, b) => a - b),
      sent.slice(-5),
      'compaction kept the newest of each key',
    );
    const short = numbers('short');
    assert.deepEqual(short, sent.slice(-short.length), 'retention took from the old end only');
    assert.ok(short.length >= Math.min(sent.length, 101));
  }
  await under.close();
  return sent.length;
}

const IN_FLIGHT = 'commit:in-flight';

for (const point of FAULT_POINTS.filter((name) => name.startsWith('commit:'))) {
  test(`loses nothing when it is killed at ${point} with the next cycle begun`, async () => {
    let ended = 0;
    for (const occurrence of [0, 7, 60])
      ended = await verify(await runUntilKilled(point, occurrence, 20), ended, 20);
    assert.ok(ended > 0);
  });
}

for (const point of FAULT_POINTS.filter((name) => name !== IN_FLIGHT)) {
  test(`loses nothing when it is killed at ${point}`, async () => {
    let ended = 0;
    const opening = point.startsWith('open:');
    if (opening) ended = await verify(await runUntilKilled('commit:after-write', 20), ended);
    const occurrences = opening ? [0, 0] : point.startsWith('maintenance:') ? [0, 3] : [0, 7, 150];
    for (const occurrence of occurrences)
      ended = await verify(await runUntilKilled(point, occurrence), ended);
    assert.ok(ended > 0);
  });
}
