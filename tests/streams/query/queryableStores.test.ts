import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { StreamsRuntime, ValueAndTimestamp, Windowed } from '../../../streams/index.ts';
import { CountedNames, NAMES, PARTITIONS } from './names.ts';

let counted: CountedNames;
let runtime: StreamsRuntime;

before(async () => {
  counted = await CountedNames.open();
  runtime = counted.runtime;
});

after(() => counted.close());

const counts = () => runtime.stores.keyValue<string, ValueAndTimestamp<number>>('app', 'counts');
const windows = () => runtime.stores.window<string, ValueAndTimestamp<number>>('app', 'by-window');

test('sessions and the records kept by a join are read over all partitions, committed data only', () => {
  const sessions = runtime.stores.session<string, number>('app', 'sessions');
  const text = (rows: Iterable<{ readonly key: Windowed<string>; readonly value: number }>): string[] =>
    [...rows].map(({ key: { key, window }, value }) => `${key} ${window.startMs}-${window.endMs} ${value}`);
  assert.deepEqual(text(sessions.fetch('ann')), ['ann 0-0 1', 'ann 12-12 1', 'ann 25-25 1']);
  assert.deepEqual(text(sessions.backwardFindSessions('ann', 1, 24)), ['ann 12-12 1']);
  assert.equal(sessions.fetchSession('ann', 12, 12), 1);
  assert.equal(sessions.forRecordKey('ann').fetchSession('ann', 25, 25), 1);
  assert.deepEqual(text(sessions.fetchRange('bob', 'dora')), ['bob 1-1 1', 'cid 2-2 1', 'dora 3-3 1']);
  const kept = runtime.stores.window<string, string>('app', 'pairs-this-join-store');
  assert.deepEqual(
    [...kept.fetch('ann', 0, 100)].map(({ key }) => key),
    [0, 12, 25],
  );
  assert.throws(() => runtime.stores.keyValue('app', 'sessions'), { code: 'STREAMS_UNKNOWN_STORE' });
});

test('a key is found in whichever partition it lies', () => {
  assert.deepEqual(counts().get('ann'), { value: 3, timestamp: 25 });
  for (const name of NAMES.slice(1)) assert.equal(counts().get(name)?.value, 1, name);
  assert.equal(counts().get('zoe'), null);
  assert.equal(counts().forRecordKey('ann').get('ann')?.value, 3);
  assert.equal(counts().approximateNumEntries(), NAMES.length);
});

test('scans bring the partitions together in order of the keys', () => {
  const keys = (rows: Iterable<{ readonly key: string }>): string[] => [...rows].map(({ key }) => key);
  assert.deepEqual(keys(counts().all()), NAMES);
  assert.deepEqual(keys(counts().reverseAll()), [...NAMES].reverse());
  assert.deepEqual(keys(counts().range('bob', 'eve')), ['bob', 'cid', 'dora', 'eve']);
  assert.deepEqual(keys(counts().reverseRange(null, 'bob')), ['bob', 'ann']);
  assert.deepEqual(keys(counts().prefixScan(Buffer.from('d'))), ['dora']);
  const rows = counts().all();
  rows.next();
  rows.close();
  assert.deepEqual(rows.next(), { done: true, value: undefined });
});

test('windows are found by key and by time over all partitions', () => {
  const starts = (rows: Iterable<{ readonly key: number }>): number[] => [...rows].map(({ key }) => key);
  assert.equal(windows().fetchSingle('ann', 10)?.value, 1);
  assert.deepEqual(starts(windows().fetch('ann', 0, 99)), [0, 10, 20]);
  assert.deepEqual(starts(windows().backwardFetch('ann', 5, 99)), [20, 10]);
  const all = [...windows().fetchAll(0, 99)].map(({ key }) => `${key.window.startMs} ${key.key}`);
  // Of one segment, so by key first.
  assert.deepEqual(all, ['0 ann', '10 ann', '20 ann', ...NAMES.slice(1).map((name) => `0 ${name}`)]);
  assert.equal([...windows().fetchRange('bob', 'cid', 0, 99)].length, 2);
});

test('what is asked for wrongly is answered with what there is', () => {
  assert.throws(() => runtime.stores.keyValue('other', 'counts'), {
    code: 'STREAMS_UNKNOWN_APPLICATION',
    message: 'no application other runs here; running: app',
  });
  assert.throws(() => runtime.stores.keyValue('app', 'other'), {
    code: 'STREAMS_UNKNOWN_STORE',
    message:
      'app has no store other; its stores: counts, by-window, sessions, pairs-this-join-store, pairs-other-join-store, pairs-outer-shared-join-store, counted-again',
  });
  assert.throws(() => runtime.stores.keyValue('app', 'by-window'), {
    code: 'STREAMS_UNKNOWN_STORE',
    message: /is a timestamped-window store/,
  });
});

test('the metrics have Kafka Streams’ names, and lag is counted by partition', () => {
  const named = new Set(runtime.metrics().map(({ name }) => name));
  for (const name of [
    'commit-total',
    'process-total',
    'punctuate-total',
    'dropped-records-total',
    'record-lateness-max',
    'records-lag',
    'failed-stream-threads',
  ])
    assert.ok(named.has(name), name);
  const processed = runtime.metrics().filter(({ name }) => name === 'process-total');
  assert.equal(
    processed.reduce((sum, { value }) => sum + value, 0),
    NAMES.length + 2,
  );
  assert.deepEqual(
    runtime.lag().map(({ topic, lag }) => [topic, lag]),
    Array.from({ length: PARTITIONS }, () => ['in', 0]),
  );
});
