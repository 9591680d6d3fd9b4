import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStateBackend } from '../../../stores/memory/memoryBackend.ts';
import type { StateBackend } from '../../../stores/store.ts';
import { StreamsBuilder, TimeWindows } from '../../../streams/index.ts';
import { LogError } from '../../../streams/log/errors.ts';
import { ApplicationPlan } from '../../../streams/task/application.ts';
import { CycleRunner } from '../../../streams/task/cycleRunner.ts';
import { MemoryLog } from '../../../streams/testing/memoryLog.ts';
import { TEXT } from '../dsl/support.ts';

function plan(): ApplicationPlan {
  const builder = new StreamsBuilder();
  const names = builder.globalTable('names', TEXT, { name: 'names' });
  builder
    .stream('visits', TEXT)
    .leftJoin(
      names,
      (key) => key!,
      (visit, name) => `${visit} by ${name}`,
    )
    .to('out', TEXT);
  const counted = builder.stream('visits', TEXT).groupByKey();
  counted.count({ name: 'visits-by-key' });
  counted.count({ name: 'visits-again' });
  return new ApplicationPlan({ applicationId: 'app', topology: builder.build() }, () => 1);
}

function runner(log: MemoryLog, state: StateBackend, failures: unknown[] = []): CycleRunner {
  const options = { log, state, wallClock: () => 0, partitionsOf: () => 1 };
  return new CycleRunner([plan()], { ...options, onFailure: (_id, cause) => failures.push(cause) });
}

function outOf(log: MemoryLog): string[] {
  return log.readSync('out', 0, 0, 100).map(({ value }) => String(value));
}

const KEY = Buffer.from('k');

test('records wait until the global tables of their application hold what was there at the start', () => {
  const log = new MemoryLog(() => 1);
  const state = new MemoryStateBackend();
  const append = (topic: string, value: string, timestamp: number) =>
    log.append(topic, 0, timestamp, KEY, Buffer.from(value), []);
  // The name is of a later time than the visits, one of which is there already.
  append('names', 'Ada', 100);
  append('visits', 'first', 1);
  log.commit();
  const running = runner(log, state);
  running.open();
  running.onAppended([append('visits', 'second', 2)]);
  for (let cycles = 0; cycles < 3; cycles += 1) {
    running.work(Number.POSITIVE_INFINITY);
    running.beforeCommit(log);
    state.commit();
    log.commit();
    running.afterCommit();
  }
  assert.equal(running.caughtUp, true);
  running.onAppended([append('visits', 'third', 3)]);
  running.beforeCommit(log);
  log.commit();
  assert.deepEqual(outOf(log), ['first by Ada', 'second by Ada', 'third by Ada']);
});

test('a task whose making failed leaves no store open', () => {
  const log = new MemoryLog(() => 1);
  const memory = new MemoryStateBackend();
  let refused = 0;
  const state: StateBackend = {
    open: (location) => {
      if (location.storeName === 'visits-again' && refused === 0) {
        refused += 1;
        throw new LogError('LOG_IO', 'the disk failed');
      }
      return memory.open(location);
    },
    openCommitted: (location) => memory.openCommitted(location),
  };
  const failures: unknown[] = [];
  const first = runner(log, state, failures);
  first.open();
  assert.match(String(failures[0]), /the disk failed/);
  first.close();
  const second = runner(log, state, failures);
  second.open();
  assert.equal(failures.length, 1);
  assert.equal(second.applications()[0]!.failure, null);
});

test('a store that fails while a cycle is undone stops its application alone, and leaves none of its stores open', () => {
  const log = new MemoryLog(() => 1);
  const memory = new MemoryStateBackend();
  let failing = false;
  const state: StateBackend = {
    open: (location) => {
      const bytes = memory.open(location);
      const get = (key: Buffer): Buffer | null => {
        if (failing) throw new LogError('LOG_IO', 'the disk failed');
        return bytes.get(key);
      };
      const { put, scan, approximateNumEntries, close } = bytes;
      return {
        get,
        put: put.bind(bytes),
        scan: scan.bind(bytes),
        approximateNumEntries: approximateNumEntries.bind(bytes),
        close: close.bind(bytes),
      };
    },
    openCommitted: (location) => memory.openCommitted(location),
  };
  const failures: unknown[] = [];
  const builder = new StreamsBuilder();
  builder
    .stream('visits', TEXT)
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeWithNoGrace(10))
    .count({ name: 'by-window' });
  const windowed = new ApplicationPlan({ applicationId: 'windowed', topology: builder.build() }, () => 1);
  const options = { log, state, wallClock: () => 0, partitionsOf: () => 1 };
  const running = new CycleRunner([windowed, plan()], {
    ...options,
    onFailure: (id, cause) => failures.push(`${id}: ${cause}`),
  });
  running.open();
  failing = true;
  running.onRollback(new Error('the commit failed'));
  failing = false;
  assert.equal(failures.length, 1);
  assert.match(String(failures[0]), /^windowed: .*the disk failed/);
  const restarted = new CycleRunner([windowed], {
    ...options,
    onFailure: (_id, cause) => failures.push(cause),
  });
  restarted.open();
  assert.equal(failures.length, 1);
});
