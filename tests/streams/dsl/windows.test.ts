import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type KTable,
  Serdes,
  type StreamsBuilder,
  Suppressed,
  TimeWindows,
  timeWindowedSerde,
  type Windowed,
} from '../../../streams/index.ts';
import { Bench, NUMBERS, type Row, TEXT } from './support.ts';

const SIZE_MS = 10;
const WINDOWED = timeWindowedSerde(Serdes.string, SIZE_MS);

/** Rows as `key@start value time`. */
function flat(rows: readonly Row<Windowed<string>, number>[]): (string | number | null)[][] {
  return rows.map(([key, value, time]) => [
    key === null ? null : `${key.key}@${key.window.startMs}`,
    value,
    time,
  ]);
}

function read(bench: Bench, topic = 'out'): (string | number | null)[][] {
  return flat(bench.read(topic, WINDOWED, Serdes.longNumber));
}

function counts(builder: StreamsBuilder, windows: TimeWindows): KTable<Windowed<string>, number> {
  return builder.stream('in', TEXT).groupByKey().windowedBy(windows).count({ name: 'counts' });
}

test('tumbling windows tell of every update', () => {
  const bench = new Bench((builder) => {
    counts(builder, TimeWindows.ofSizeWithNoGrace(SIZE_MS)).toStream().to('out');
  });
  bench.text('in', ['a', 'x', 0], ['a', 'x', 9], ['b', 'x', 9], ['a', 'x', 3], ['a', 'x', 10]);
  assert.deepEqual(read(bench), [
    ['a@0', 1, 0],
    ['a@0', 2, 9],
    ['b@0', 1, 9],
    ['a@0', 3, 9],
    ['a@10', 1, 10],
  ]);
});

test('hopping windows take a record into each it lies in, the earliest first', () => {
  const bench = new Bench((builder) => {
    counts(builder, TimeWindows.ofSizeWithNoGrace(SIZE_MS).advanceBy(4)).toStream().to('out');
  });
  bench.text('in', ['a', 'x', 3], ['a', 'x', 13]);
  assert.deepEqual(read(bench), [
    ['a@0', 1, 3],
    ['a@4', 1, 13],
    ['a@8', 1, 13],
    ['a@12', 1, 13],
  ]);
});

test('a record later than the grace is dropped for the windows that closed, and counted', () => {
  const bench = new Bench((builder) => {
    counts(builder, TimeWindows.ofSizeAndGrace(SIZE_MS, 5)).toStream().to('out');
  });
  bench.text(
    'in',
    ['a', 'x', 1],
    ['b', 'x', 14],
    ['a', 'x', 2],
    ['b', 'x', 15],
    ['a', 'x', 3],
    [null, 'x', 40],
  );
  assert.deepEqual(read(bench), [
    ['a@0', 1, 1],
    ['b@10', 1, 14],
    ['a@0', 2, 2],
    ['b@10', 2, 15],
  ]);
  assert.equal(bench.dropped, 2);
  // The record without key moved no time: what is late is judged by what was counted.
  bench.text('in', ['b', 'x', 16]);
  assert.deepEqual(read(bench), [['b@10', 3, 16]]);
});

test('a late record of hopping windows is counted where they are open yet', () => {
  const bench = new Bench((builder) => {
    counts(builder, TimeWindows.ofSizeWithNoGrace(SIZE_MS).advanceBy(5)).toStream().to('out');
  });
  bench.text('in', ['a', 'x', 12], ['a', 'x', 8]);
  assert.deepEqual(read(bench), [
    ['a@5', 1, 12],
    ['a@10', 1, 12],
    ['a@5', 2, 12],
  ]);
  assert.equal(bench.dropped, 1);
});

test('what is late stays late after a crash', () => {
  const bench = new Bench((builder) => {
    counts(builder, TimeWindows.ofSizeAndGrace(SIZE_MS, 5)).toStream().to('out');
  });
  bench.text('in', ['a', 'x', 1], ['b', 'x', 19]);
  bench.driver.crash();
  bench.text('in', ['a', 'x', 2]);
  assert.deepEqual(read(bench), [
    ['a@0', 1, 1],
    ['b@10', 1, 19],
  ]);
  assert.equal(bench.dropped, 1);
});

test('windows count a missing value, as in Kafka Streams, and reduce and aggregate by window', () => {
  const bench = new Bench((builder) => {
    const windowed = builder
      .stream('in', NUMBERS)
      .groupByKey()
      .windowedBy(TimeWindows.ofSizeWithNoGrace(SIZE_MS));
    windowed.count({ name: 'counts' }).toStream().to('counts');
    windowed
      .reduce((sum, value) => (sum ?? 0) + (value ?? 0), { name: 'sums' })
      .toStream()
      .to('sums');
    windowed
      .aggregate(
        () => 100,
        (_key, value, sum) => sum + (value ?? 1000),
        { name: 'totals', valueSerde: Serdes.longNumber },
      )
      .toStream()
      .to('totals');
  });
  bench.numbers('in', ['a', 1, 1], ['a', null, 2], ['a', 5, 12]);
  assert.deepEqual(read(bench, 'counts'), [
    ['a@0', 1, 1],
    ['a@0', 2, 2],
    ['a@10', 1, 12],
  ]);
  assert.deepEqual(read(bench, 'sums'), [
    ['a@0', 1, 1],
    ['a@0', 1, 2],
    ['a@10', 5, 12],
  ]);
  assert.deepEqual(read(bench, 'totals'), [
    ['a@0', 101, 1],
    ['a@0', 1101, 2],
    ['a@10', 105, 12],
  ]);
  assert.equal(bench.dropped, 0);
});

test('windows past their retention are gone from the store', () => {
  const bench = new Bench((builder) => {
    builder
      .stream('in', TEXT)
      .groupByKey()
      .windowedBy(TimeWindows.ofSizeWithNoGrace(SIZE_MS))
      .count({ name: 'counts', retentionMs: 20 })
      .toStream()
      .to('out');
  });
  bench.text('in', ['a', 'x', 5], ['a', 'x', 15], ['a', 'x', 25]);
  const starts = [...bench.driver.getWindowStore<string, unknown>('counts').fetch('a', 0, 100)];
  assert.deepEqual(
    starts.map(({ key }) => key),
    [10, 20],
  );
});

test('with caching a window tells of its last update before a commit', () => {
  const bench = new Bench(
    (builder) => {
      builder
        .stream('in', TEXT)
        .groupByKey()
        .windowedBy(TimeWindows.ofSizeWithNoGrace(SIZE_MS))
        .count({ name: 'counts', cachingEnabled: true })
        .toStream()
        .to('out');
    },
    { commitEvery: 4 },
  );
  bench.text('in', ['a', 'x', 1], ['b', 'x', 2], ['a', 'x', 3], ['a', 'x', 11]);
  assert.deepEqual(read(bench), [
    ['b@0', 1, 2],
    ['a@0', 2, 3],
    ['a@10', 1, 11],
  ]);
});

test('suppress until the window closes tells of the final result once, in order of the windows', () => {
  const bench = new Bench((builder) => {
    counts(builder, TimeWindows.ofSizeAndGrace(SIZE_MS, 5))
      .suppress(Suppressed.untilWindowCloses({ name: 'final' }))
      .toStream()
      .to('out');
  });
  bench.text('in', ['b', 'x', 1], ['a', 'x', 2], ['a', 'x', 11], ['a', 'x', 3], ['a', 'x', 14]);
  assert.deepEqual(read(bench), []);
  bench.text('in', ['c', 'x', 15]);
  assert.deepEqual(read(bench), [
    ['a@0', 2, 3],
    ['b@0', 1, 1],
  ]);
  bench.driver.crash();
  bench.text('in', ['c', 'x', 40]);
  assert.deepEqual(read(bench), [
    ['a@10', 2, 14],
    ['c@10', 1, 15],
  ]);
});

test('a filter between windows and suppress changes what is final, and a deletion of it is not told', () => {
  const bench = new Bench((builder) => {
    counts(builder, TimeWindows.ofSizeWithNoGrace(SIZE_MS))
      .filter((_key, count) => count < 2)
      .suppress(Suppressed.untilWindowCloses({ name: 'final' }))
      .toStream()
      .to('out');
  });
  bench.text('in', ['a', 'x', 1], ['a', 'x', 2], ['b', 'x', 3], ['b', 'x', 10], ['b', 'x', 20]);
  assert.deepEqual(read(bench), [
    ['b@0', 1, 3],
    ['b@10', 1, 10],
  ]);
});

test('a bounded buffer for final results stops the application when it overflows', () => {
  const bench = new Bench((builder) => {
    counts(builder, TimeWindows.ofSizeWithNoGrace(SIZE_MS))
      .suppress(Suppressed.untilWindowCloses({ name: 'final', buffer: { maxRecords: 2 } }))
      .toStream()
      .to('out');
  });
  bench.text('in', ['a', 'x', 1], ['b', 'x', 1]);
  assert.throws(() => bench.text('in', ['c', 'x', 1]), {
    code: 'STREAMS_BUFFER_FULL',
    message: /suppress final: its buffer is full, 3 of 2/,
  });
});

test('suppress until a time limit tells of a key’s last update, in the place of the first', () => {
  const bench = new Bench((builder) => {
    builder
      .table('in', NUMBERS, { name: 'rows' })
      .suppress(Suppressed.untilTimeLimit(10, { name: 'calm' }))
      .toStream()
      .to('out');
  });
  bench.numbers('in', ['a', 1, 0], ['b', 1, 1], ['a', 2, 9], ['c', 1, 10]);
  assert.deepEqual(bench.readNumbers(), [['a', 2, 9]]);
  bench.numbers('in', ['b', null, 12]);
  assert.deepEqual(bench.readNumbers(), [['b', null, 12]]);
});

test('a full buffer of a time limit lets the oldest go early, by records and by bytes', () => {
  const bench = new Bench((builder) => {
    const table = builder.table('in', NUMBERS, { name: 'rows' });
    const limited = (buffer: { maxRecords?: number; maxBytes?: number }, name: string): void => {
      table.suppress(Suppressed.untilTimeLimit(1_000, { name, buffer })).toStream().to(name);
    };
    limited({ maxRecords: 2 }, 'records');
    limited({ maxBytes: 40 }, 'bytes');
  });
  bench.numbers('in', ['a', 1, 0], ['b', 2, 1], ['a', 3, 2], ['c', 4, 3]);
  assert.deepEqual(bench.readNumbers('records'), [['a', 3, 2]]);
  // A key of one byte, its time and one value are 17 bytes; with the old value, 25.
  assert.deepEqual(bench.readNumbers('bytes'), [['a', 3, 2]]);
});

test('what is behind a suppression adds up what it was told of', () => {
  const bench = new Bench((builder) => {
    builder
      .table('in', NUMBERS, { name: 'rows' })
      .suppress(Suppressed.untilTimeLimit(10, { name: 'calm' }))
      .groupBy((_key, value) => ({ key: 'all', value }), {
        keySerde: Serdes.string,
        valueSerde: Serdes.longNumber,
      })
      .reduce(
        (sum, value) => sum + value,
        (sum, value) => sum - value,
        { name: 'sums' },
      )
      .toStream()
      .to('out');
  });
  bench.numbers('in', ['a', 1, 0], ['a', 2, 1], ['b', 10, 11], ['a', 3, 12], ['a', 4, 13], ['b', 20, 25]);
  assert.deepEqual(bench.readNumbers(), [
    ['all', 2, 1],
    ['all', 22, 25],
    ['all', 24, 25],
  ]);
});

test('who reads a suppressed table while it tells of an update sees it as it was before', () => {
  const bench = new Bench((builder) => {
    const late = builder
      .table('rows', TEXT, { name: 'rows' })
      .suppress(Suppressed.untilTimeLimit(0, { name: 'late' }));
    late
      .toStream()
      .leftJoin(late, (value, row) => `${value} after ${row}`)
      .to('out', TEXT);
  });
  bench.text('rows', ['a', 'one', 1], ['a', 'two', 2]);
  assert.deepEqual(bench.readText(), [
    ['a', 'one after null', 1],
    ['a', 'two after one', 2],
  ]);
});
