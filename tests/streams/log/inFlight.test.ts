import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import type { BytesStore } from '../../../stores/store.ts';
import type { EmbeddedLog, FaultPoint } from '../../../streams/log/embedded/index.ts';
import { RocksLogDatabase } from '../../../streams/log/embedded/openDatabase.ts';
import { EmbeddedState } from '../../../streams/log/embedded/state.ts';
import type { ProducerRecord } from '../../../streams/log/log.ts';
import { NO_HEADERS } from '../../../streams/record.ts';
import { withTemporaryDirectory } from '../../support/temporary.ts';
import { LogUnderTest, participantOf } from './support.ts';

const SEED = 20_260_731;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let under: LogUnderTest;
let log: EmbeddedLog;
let atFault: (point: FaultPoint) => void = () => undefined;
beforeEach(async () => {
  atFault = () => undefined;
  under = new LogUnderTest({ backgroundCommitBytes: 1, faults: { at: (point) => atFault(point) } });
  log = await under.open();
  await log.admin.createTopics(
    ['in', 'out'].map((name) => ({
      name,
      partitions: 1,
      retentionMs: null,
      cleanupPolicy: 'delete' as const,
    })),
  );
});
afterEach(() => under.dispose());

const record = (value: string): ProducerRecord => ({
  topic: 'in',
  partition: 0,
  key: null,
  value: Buffer.from(value),
  timestamp: 1,
});

/** Copies each record from `in` to `out` and counts them in a store. */
function attachCounter(residence: 'memory' | 'persistent'): { count(): number; rollbacks: unknown[] } {
  const store = log.state.open({ applicationId: 'app', storeName: 'count', partition: 0 }, residence);
  const COUNT = Buffer.from('count');
  const rollbacks: unknown[] = [];
  const count = (): number => Number(store.get(COUNT) ?? 0);
  log.attach(
    participantOf({
      onAppended: ([appended]) => {
        if (appended!.topic !== 'in') return;
        if (String(appended!.value) === 'poison') throw new Error('poison');
        store.put(COUNT, Buffer.from(String(count() + 1)));
        log.appender('out', 0).append(1, null, appended!.value, NO_HEADERS);
      },
      onRollback: (cause) => void rollbacks.push(cause),
    }),
  );
  return { count, rollbacks };
}

const valuesOf = (topic: string): string[] =>
  log.readSync(topic, 0, 0, 1_000_000).map(({ value }) => String(value));

/** Sends until a commit is in flight; resolves while it is, with all that was sent. */
async function sendUntilInFlight(sends: Promise<unknown>[]): Promise<string[]> {
  let inFlight = false;
  atFault = (point) => {
    inFlight ||= point === 'commit:in-flight';
  };
  const producer = log.createProducer();
  const values: string[] = [];
  for (; !inFlight; await turn()) {
    values.push(`${values.length}`);
    sends.push(producer.send([record(values[values.length - 1]!)]));
  }
  return values;
}

const SENDS_MIN = 400;
const SENDS_MAX = 50_000;

for (const residence of ['memory', 'persistent'] as const) {
  test(`shows and acknowledges nothing of a commit before it is durable (${residence})`, async () => {
    const { count } = attachCounter(residence);
    const told: string[] = [];
    log.tail(['out'], (records) => told.push(...records.map(({ value }) => `tail ${value}`)));
    const producer = log.createProducer();
    const view = log.state.openCommitted({ applicationId: 'app', storeName: 'count', partition: 0 });
    const seen: (readonly [number, number, number])[] = [];
    let inFlight = 0;
    atFault = (point) => {
      if (point === 'commit:in-flight') inFlight += 1;
      if (point !== 'commit:in-flight' && point !== 'commit:after-write') return;
      // Neither the records nor, where the store is in memory, its changes are there yet; the writer sees its own.
      const committed = residence === 'memory' ? Number(view.get(Buffer.from('count')) ?? 0) : 0;
      seen.push([log.committedEnd('out', 0), committed, count()]);
      assert.equal(told.length, log.committedEnd('out', 0));
    };
    const answered: number[] = [];
    const sends: number[] = [];
    const pending: Promise<unknown>[] = [];
    // The thread that writes takes its time to start: so many at least, and until it has written.
    for (let index = 0; index < SENDS_MIN || (inFlight === 0 && index < SENDS_MAX); index += 1) {
      sends.push(index);
      pending.push(producer.send([record(String(index))]).then(() => answered.push(index)));
      if (index % 4 === 0) await turn();
    }
    await Promise.all(pending);
    assert.ok(inFlight > 0, 'some commits were written by the other thread');
    assert.deepEqual(answered, sends, 'acknowledged in the order of sending');
    assert.deepEqual(
      told,
      sends.map((index) => `tail ${index}`),
    );
    for (const [end, committed, open] of seen) {
      assert.ok(open > end, 'what is in flight was processed and is not committed');
      if (residence === 'memory') assert.equal(committed, end);
    }
    assert.deepEqual([count(), Number(view.get(Buffer.from('count')))], [sends.length, sends.length]);
  });

  test(`a write that fails takes back the cycle processed meanwhile as well (${residence})`, async () => {
    const { count, rollbacks } = attachCounter(residence);
    const sends: Promise<unknown>[] = [];
    await sendUntilInFlight(sends);
    await Promise.all(sends);
    const before = count();
    const late: Promise<unknown>[] = [];
    const values = await sendUntilInFlight(late);
    const producer = log.createProducer();
    late.push(producer.send([record('next')]));
    const restarted = new Promise<void>((resolve) => {
      const poll = (): void => void (rollbacks.length > 0 ? resolve() : setTimeout(poll, 5));
      poll();
    });
    atFault = (point) => {
      if (point !== 'commit:after-write') return;
      atFault = () => undefined;
      throw new Error('EIO: told so by the disk');
    };
    const results = await Promise.allSettled(late);
    const failed = results.filter(({ status }) => status === 'rejected').length;
    assert.ok(failed >= 2, 'the commit in flight and the open cycle');
    assert.equal(results.at(-1)!.status, 'rejected');
    await restarted;
    assert.equal(rollbacks.length, 1);
    // The batch had reached the disk before the failure: it is there whole, the cycle behind it is not.
    assert.ok(!valuesOf('in').includes('next'));
    assert.deepEqual(valuesOf('out'), valuesOf('in'));
    assert.equal(count(), valuesOf('in').length);
    assert.ok(count() > before && count() <= before + values.length);
    await producer.send([record('after')]);
    assert.equal(valuesOf('out').at(-1), 'after');
    assert.equal(count(), valuesOf('in').length);
  });

  test(`a participant that throws undoes its cycle, not the commit in flight (${residence})`, async () => {
    const { count, rollbacks } = attachCounter(residence);
    const sends: Promise<unknown>[] = [];
    const values = await sendUntilInFlight(sends);
    const poison = log.createProducer().send([record('poison')]);
    await assert.rejects(poison);
    await Promise.all(sends);
    assert.ok(rollbacks.length > 0);
    assert.deepEqual(valuesOf('in'), values);
    assert.deepEqual(valuesOf('out'), values);
    assert.equal(count(), values.length);
  });
}

test('administration, detaching and closing wait for the commit in flight', async () => {
  for (const act of ['admin', 'close'] as const) {
    attachCounter('persistent');
    const sends: Promise<unknown>[] = [];
    const values = await sendUntilInFlight(sends);
    if (act === 'admin') {
      await log.admin.createTopics([
        { name: 'more', partitions: 1, retentionMs: null, cleanupPolicy: 'delete' },
      ]);
      await Promise.all(sends);
      assert.equal(valuesOf('out').length, values.length);
    }
    const count = valuesOf('in').length;
    await under.close();
    await Promise.all(sends);
    log = await under.open();
    assert.ok(valuesOf('in').length >= Math.max(count, values.length));
    assert.deepEqual(valuesOf('out'), valuesOf('in'));
  }
});

/** Text of keys and values as a plain sorted map would hold them: the naive oracle. */
function entriesOf(store: BytesStore, reverse: boolean): string[] {
  const rows = store.scan(null, null, reverse);
  const found: string[] = [];
  for (let row = rows.next(); row.done !== true; row = rows.next())
    found.push(`${row.value.key}=${row.value.value}`);
  rows.close();
  return found;
}

type Step =
  | { readonly do: 'put'; readonly key: string; readonly value: string | null }
  | { readonly do: 'commit' | 'land' | 'discard' };

const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'ab'),
      value: fc.option(fc.string({ maxLength: 4 }), { nil: null }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('commit' as const, 'land' as const, 'discard' as const) }),
  },
);

test('a store reads as a map does while its changes are open, in flight and committed', async () => {
  await withTemporaryDirectory(async (directory) => {
    const database = new RocksLogDatabase(`${directory}/log`, 16 * 2 ** 20);
    await database.reopen();
    while (database.backgroundBatch() === null) await turn();
    const state = new EmbeddedState(database);
    let run = 0;
    fc.assert(
      fc.property(
        fc.array(STEP, { maxLength: 40 }),
        fc.constantFrom('memory' as const, 'persistent' as const),
        (steps, residence) => {
          const location = { applicationId: 'app', storeName: `run${run++}`, partition: 0 };
          const store = state.open(location, residence);
          const view = state.openCommitted(location);
          let expected = new Map<string, string>();
          let handedOver = new Map<string, string>();
          let durable = new Map<string, string>();
          let land: (() => void) | null = null;
          const landed = (): void => {
            land?.();
            land = null;
          };
          for (const step of steps) {
            if (step.do === 'put') {
              store.put(Buffer.from(step.key), step.value === null ? null : Buffer.from(step.value));
              if (step.value === null) expected.delete(step.key);
              else expected.set(step.key, step.value);
            } else if (step.do === 'commit') {
              landed();
              const batch = database.backgroundBatch()!;
              state.drainInto(batch, batch);
              const write = database.writeInBackground(batch, () => undefined);
              state.handOver(batch);
              handedOver = new Map(expected);
              const mine = handedOver;
              land = () => {
                write.finish();
                state.committed();
                durable = mine;
              };
            } else {
              landed();
              if (step.do === 'discard') {
                state.discard();
                expected = new Map(durable);
              }
            }
            const sorted = [...expected].map(([key, value]) => `${key}=${value}`).sort();
            assert.deepEqual(entriesOf(store, false), sorted);
            assert.deepEqual(entriesOf(store, true), sorted.reverse());
            for (const key of ['a', 'ab', 'e'])
              assert.equal(store.get(Buffer.from(key))?.toString(), expected.get(key));
            const committed = entriesOf(view, false);
            const listOf = (map: Map<string, string>): string[] =>
              [...map].map(([key, value]) => `${key}=${value}`).sort();
            // A batch is in RocksDB whole or not at all, and never before it is durable.
            if (land === null || residence === 'memory') assert.deepEqual(committed, listOf(durable));
            else
              assert.ok(
                [durable, handedOver].some((map) => listOf(map).join('\n') === committed.join('\n')),
                'a view shows the last commit or the one in flight',
              );
          }
          landed();
          state.discard();
          store.close();
        },
      ),
      { seed: SEED, numRuns: 300 },
    );
    await database.close();
  });
});
