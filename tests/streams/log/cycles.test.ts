import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { AppendedRecord, CycleParticipant, EmbeddedLog } from '../../../streams/log/embedded/index.ts';
import { NO_HEADERS } from '../../../streams/record.ts';
import { isLogError, record } from './conformance.ts';
import { LogUnderTest, participantOf } from './support.ts';

const LOCATION = { applicationId: 'app', storeName: 'counts', partition: 0 };

let under: LogUnderTest;
let log: EmbeddedLog;
beforeEach(async () => {
  under = new LogUnderTest();
  log = await under.open();
  await log.admin.createTopics(
    ['in', 'out'].map((name) => ({
      name,
      partitions: 2,
      retentionMs: null,
      cleanupPolicy: 'delete' as const,
    })),
  );
});
afterEach(() => under.dispose());

const valuesOf = (topic: string, partition: number): string[] =>
  log.readSync(topic, partition, 0, 100_000).map(({ value }) => String(value));

/** Copies each record of `in` to `out`, counts it in a store and commits its position. */
function copier(
  hooks: { readonly before?: (record: AppendedRecord) => void; readonly onRollback?: () => void } = {},
) {
  const store = log.state.open(LOCATION, 'persistent');
  const positions = new Map<number, number>();
  const participant = participantOf({
    onAppended: ([appended]) => {
      const { topic, partition, offset, timestamp, key, value } = appended!;
      if (topic !== 'in') return;
      log.appender('out', partition).append(timestamp, key, value, NO_HEADERS);
      const count = Number(store.get(Buffer.from('n')) ?? 0) + 1;
      store.put(Buffer.from('n'), Buffer.from(String(count)));
      positions.set(partition, offset + 1);
      hooks.before?.(appended!);
    },
    beforeCommit: (writer) => {
      for (const [partition, offset] of positions) {
        writer.putPosition({ applicationId: 'app', topic: 'in', partition, offset, partitionTimeMs: 7 });
      }
    },
    onRollback: () => {
      positions.clear();
      hooks.onRollback?.();
    },
  });
  log.attach(participant);
  return { participant, store };
}

const count = (): number => Number(log.state.openCommitted(LOCATION).get(Buffer.from('n')) ?? 0);

test('commits records, what was made of them, state and positions at once', async () => {
  const seen: unknown[] = [];
  copier({
    before: (appended) => {
      seen.push([appended.offset, appended.sequence]);
      assert.equal(log.committedEnd('in', 0), 0, 'not committed while it is processed');
      assert.deepEqual(log.readSync('in', 0, 0, 10), []);
      assert.deepEqual(log.readSync('out', 0, 0, 10), []);
      assert.equal(count(), 0);
      assert.deepEqual(log.positions('app'), []);
    },
  });
  await log.createProducer().send([record('in', 0, 'a'), record('in', 0, 'b'), record('in', 0, 'c')]);
  assert.deepEqual(
    seen,
    [
      [0, 0],
      [1, 2],
      [2, 4],
    ],
    'every record is processed before the next is appended',
  );
  assert.deepEqual(valuesOf('out', 0), ['a', 'b', 'c']);
  assert.equal(count(), 3);
  const position = { applicationId: 'app', topic: 'in', partition: 0, offset: 3, partitionTimeMs: 7 };
  assert.deepEqual(log.positions('app'), [position]);
  assert.equal(log.metrics.commits, 1);
  log = await under.reopen();
  assert.deepEqual(log.positions('app'), [position]);
  assert.equal(count(), 3);
  assert.deepEqual(log.commitPoint(), { commit: 1, sequence: 6 });
});

test('runs a rolled back send again, with the offsets and sequences it had', async () => {
  let failures = 2;
  const sequences: number[] = [];
  copier({
    before: ({ sequence }) => {
      sequences.push(sequence);
      if (sequence === 2 && failures-- > 0) throw new Error('stumbled');
    },
  });
  const acks = await log.createProducer().send([record('in', 0, 'a'), record('in', 0, 'b')]);
  assert.deepEqual(
    acks.map(({ offset }) => offset),
    [0, 1],
  );
  assert.deepEqual(sequences, [0, 2, 0, 2, 0, 2]);
  assert.deepEqual(valuesOf('out', 0), ['a', 'b']);
  assert.equal(count(), 2);
  assert.equal(log.metrics.rollbacks, 2);
});

test('gives up a send that keeps failing, and no other', async () => {
  const cause = new Error('poison');
  let rollbacks = 0;
  copier({
    before: ({ value }) => {
      if (String(value) === 'bad') throw cause;
    },
    onRollback: () => rollbacks++,
  });
  const producer = log.createProducer();
  const results = await Promise.allSettled([
    producer.send([record('in', 0, 'a')]),
    producer.send([record('in', 0, 'bad'), record('in', 1, 'c')]),
    producer.send([record('in', 0, 'd')]),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  const { reason } = results[1] as PromiseRejectedResult;
  assert.ok(isLogError('LOG_ROLLED_BACK', /3 times: poison/)(reason));
  assert.equal((reason as Error).cause, cause);
  assert.equal(rollbacks, 3);
  assert.deepEqual(valuesOf('out', 0), ['a', 'd']);
  assert.deepEqual(valuesOf('out', 1), []);
  assert.equal(count(), 2);
});

test('works on backlog in turns, and lets the event loop run between them', async () => {
  await log.createProducer().send(Array.from({ length: 2000 }, (_, index) => record('in', 0, String(index))));
  let next = 0;
  let turnsOfTheLoop = 0;
  const timer = setInterval(() => turnsOfTheLoop++, 1);
  await new Promise<void>((done) => {
    const out = log.appender('out', 0);
    const participant: CycleParticipant = participantOf({
      work: (deadlineMs) => {
        while (next < 2000 && performance.now() < deadlineMs) {
          const [read] = log.readSync('in', 0, next, 1);
          out.append(read!.timestamp, read!.key, read!.value, NO_HEADERS);
          next++;
          for (let spin = performance.now() + 0.02; performance.now() < spin; );
        }
        return next < 2000;
      },
      afterCommit: () => {
        if (next === 2000) done();
      },
    });
    log.attach(participant);
  });
  clearInterval(timer);
  assert.deepEqual(valuesOf('out', 0), valuesOf('in', 0));
  assert.ok(turnsOfTheLoop >= 3, `${turnsOfTheLoop} turns`);
});

test('wakes the participant, and writes nothing where nothing changed', async () => {
  let works = 0;
  let tell = (): void => undefined;
  const cycleEnded = () =>
    new Promise<void>((resolve) => {
      tell = resolve;
    });
  const first = cycleEnded();
  const participant = participantOf({ work: () => works++ < 0, afterCommit: () => tell() });
  log.attach(participant);
  await first;
  const second = cycleEnded();
  log.wake();
  await second;
  assert.equal(works, 2);
  assert.equal(log.metrics.commits, 0);
  assert.throws(() => log.attach(participantOf({})), isLogError('LOG_PARTICIPANT_ATTACHED'));
  log.detach(participant);
  log.attach(participantOf({}));
});

test('refuses a store that is open, and gives it again once it was closed', () => {
  const store = log.state.open(LOCATION, 'memory');
  assert.throws(
    () => log.state.open(LOCATION, 'persistent'),
    isLogError('LOG_STORE_IN_USE', /counts of app, partition 0/),
  );
  store.close();
  log.state.open(LOCATION, 'persistent').close();
});

test('a store in memory survives a restart, and its committed view is not ahead of the commit', async () => {
  const store = log.state.open(LOCATION, 'memory');
  const view = log.state.openCommitted(LOCATION);
  const participant = participantOf({
    onAppended: ([appended]) => {
      store.put(appended!.key!, appended!.value);
      assert.deepEqual(store.get(appended!.key!), appended!.value);
      assert.equal(view.get(appended!.key!), null);
    },
  });
  log.attach(participant);
  await log.createProducer().send(['b', 'a', 'c'].map((value) => record('in', 0, value)));
  const entries = (from: string | null, reverse: boolean) =>
    [...view.scan(from === null ? null : Buffer.from(from), null, reverse)].map(({ key }) => String(key));
  assert.deepEqual(entries(null, false), ['ka', 'kb', 'kc']);
  assert.deepEqual(entries('kb', true), ['kc', 'kb']);
  log = await under.reopen();
  const again = log.state.open(LOCATION, 'memory');
  assert.deepEqual(
    [...again.scan(null, null, false)].map(({ value }) => String(value)),
    ['a', 'b', 'c'],
  );
  assert.deepEqual(log.state.list(), [LOCATION]);
});

test('a callback that throws is reported and stops nobody', async () => {
  const errors: unknown[] = [];
  log = await under.reopen({ onError: (cause) => errors.push(cause) });
  const failure = new Error('from a tail');
  const seen: string[] = [];
  log.tail(['in'], () => {
    throw failure;
  });
  log.tail(['in'], (records) => seen.push(...records.map(({ value }) => String(value))));
  await log.createProducer().send([record('in', 0, 'a')]);
  assert.deepEqual(errors, [failure]);
  assert.deepEqual(seen, ['a']);
});

test('refuses more than its queue holds, and says when there is room', async () => {
  log = await under.reopen({ queueRecords: 10 });
  const producer = log.createProducer();
  const many = (length: number) => Array.from({ length }, (_, index) => record('in', 0, String(index)));
  const first = producer.send(many(8));
  await assert.rejects(producer.send(many(3)), isLogError('LOG_BACKPRESSURE'));
  const second = producer.send(many(2));
  let ready = false;
  const waiting = producer.ready().then(() => {
    ready = true;
  });
  await Promise.resolve();
  assert.equal(ready, false);
  await Promise.all([first, second, waiting]);
  assert.equal(ready, true);
  assert.equal(log.queueDepth(), 0);
  assert.equal(
    (await producer.send(many(25))).length,
    25,
    'a send larger than the queue goes when it is empty',
  );
});

test('scans see changes of the open cycle over committed entries, in both directions', async () => {
  const store = log.state.open(LOCATION, 'persistent');
  let step = 0;
  const scans: string[] = [];
  const scan = (from: string | null, to: string | null, reverse: boolean) =>
    [...store.scan(from === null ? null : Buffer.from(from), to === null ? null : Buffer.from(to), reverse)]
      .map(({ key, value }) => `${key}${value}`)
      .join(' ');
  log.attach(
    participantOf({
      onAppended: () => {
        const put = (key: string, value: string | null) =>
          store.put(Buffer.from(key), value === null ? null : Buffer.from(value));
        if (step++ === 0) for (const key of ['b', 'd', 'f', 'h']) put(key, '1');
        else {
          put('a', '2');
          put('d', '2');
          put('f', null);
          put('g', '2');
          put('g', null);
          put('i', '2');
          scans.push(
            scan(null, null, false),
            scan(null, null, true),
            scan('b', 'h', false),
            scan('b', 'h', true),
          );
        }
      },
    }),
  );
  await log.createProducer().send([record('in', 0, 'x')]);
  await log.createProducer().send([record('in', 0, 'y')]);
  assert.deepEqual(scans, ['a2 b1 d2 h1 i2', 'i2 h1 d2 b1 a2', 'b1 d2', 'd2 b1']);
  assert.equal(scan(null, null, false), 'a2 b1 d2 h1 i2');
});

test('detaching commits what the open cycle holds, with its participant', async () => {
  log = await under.reopen({ commitIntervalMs: 10_000 });
  const { participant } = copier();
  const many = Array.from({ length: 500 }, (_, index) => record('in', 0, String(index)));
  let turns = 0;
  Object.assign(participant, { work: () => ++turns < 50 });
  const sent = log.createProducer().send(many);
  while (turns === 0) await new Promise(setImmediate);
  assert.equal(log.committedEnd('in', 0), 0, 'the cycle is open');
  log.detach(participant);
  assert.equal((await sent).length, 500);
  assert.equal(log.positions('app')[0]!.offset, 500);
  assert.equal(count(), 500);
  await log.createProducer().send([record('in', 0, 'later')]);
  assert.equal(log.committedEnd('out', 0), 500, 'nobody processes any more');
});

test('a closed log says so to its readers', async () => {
  await log.close();
  assert.throws(() => log.positions('app'), isLogError('LOG_CLOSED'));
});
