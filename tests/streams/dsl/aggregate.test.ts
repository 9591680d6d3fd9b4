import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Serdes } from '../../../streams/index.ts';
import { Bench, NUMBERS, TEXT } from './support.ts';

test('count tells of every update, with the latest time of what was counted', () => {
  const bench = new Bench((builder) => {
    builder.stream('in', TEXT).groupByKey().count({ name: 'counts' }).toStream().to('out');
  });
  bench.text('in', ['a', 'x', 10], ['b', 'x', 5], ['a', 'x', 4], ['a', 'x', 12]);
  assert.deepEqual(bench.readNumbers(), [
    ['a', 1, 10],
    ['b', 1, 5],
    ['a', 2, 10],
    ['a', 3, 12],
  ]);
  assert.deepEqual(bench.driver.getTimestampedKeyValueStore<string, number>('counts').get('a'), {
    value: 3,
    timestamp: 12,
  });
});

test('records without key or value are dropped by aggregations and counted', () => {
  const bench = new Bench((builder) => {
    const grouped = builder.stream('in', NUMBERS).groupByKey();
    grouped.count({ name: 'counts' }).toStream().to('out');
    grouped
      .reduce((sum, value) => sum + value, { name: 'sums' })
      .toStream()
      .to('sums');
  });
  bench.numbers('in', ['a', 1, 1], [null, 1, 2], ['a', null, 3], ['a', 4, 4]);
  assert.deepEqual(bench.readNumbers(), [
    ['a', 1, 1],
    ['a', 2, 4],
  ]);
  assert.deepEqual(bench.readNumbers('sums'), [
    ['a', 1, 1],
    ['a', 5, 4],
  ]);
  assert.equal(bench.dropped, 4);
});

test('an aggregate of null deletes the key, and the next record begins anew', () => {
  const bench = new Bench((builder) => {
    builder
      .stream('in', NUMBERS)
      .groupByKey()
      .aggregate(
        () => 100,
        (_key, value, sum) => (value < 0 ? null : sum + value),
        { name: 'sums', valueSerde: Serdes.longNumber },
      )
      .toStream()
      .to('out');
  });
  bench.numbers('in', ['a', 1, 1], ['a', -1, 2], ['a', 5, 3]);
  assert.deepEqual(bench.readNumbers(), [
    ['a', 101, 1],
    ['a', null, 2],
    ['a', 105, 3],
  ]);
});

test('headers of the record that caused it go with an update', () => {
  const bench = new Bench((builder) => {
    builder.stream('in', TEXT).groupByKey().count({ name: 'counts' }).toStream().to('out');
  });
  const header = { key: 'trace', value: Buffer.from('1') };
  bench.driver.createInputTopic('in', Serdes.string, Serdes.string).pipeInput('a', 'x', 1, [header]);
  assert.deepEqual(
    bench.driver.createOutputTopic('out', Serdes.string, Serdes.longNumber).readRecord().headers,
    [header],
  );
});

test('with caching only the last update of a key before a commit goes on, in order of the last updates', () => {
  const bench = new Bench(
    (builder) => {
      builder
        .stream('in', TEXT)
        .groupByKey()
        .count({ name: 'counts', cachingEnabled: true })
        .toStream()
        .to('out');
    },
    { commitEvery: 4 },
  );
  bench.text('in', ['a', 'x', 1], ['b', 'x', 2], ['a', 'x', 3]);
  assert.deepEqual(bench.readNumbers(), []);
  bench.text('in', ['c', 'x', 4]);
  assert.deepEqual(bench.readNumbers(), [
    ['b', 1, 2],
    ['a', 2, 3],
    ['c', 1, 4],
  ]);
});

test('caches in a row flush in one commit, each telling the next', () => {
  const bench = new Bench(
    (builder) => {
      builder
        .stream('in', NUMBERS)
        .groupByKey()
        .reduce((sum, value) => sum + value, { name: 'sums', cachingEnabled: true })
        .groupBy((_key, value) => ({ key: 'all', value }), {
          keySerde: Serdes.string,
          valueSerde: Serdes.longNumber,
        })
        .aggregate(
          () => 0,
          (_key, value, sum) => sum + value,
          (_key, value, sum) => sum - value,
          { name: 'total', valueSerde: Serdes.longNumber, cachingEnabled: true },
        )
        .mapValues((value) => value * 10, {
          materialized: { name: 'tenfold', valueSerde: Serdes.longNumber, cachingEnabled: true },
        })
        .toStream()
        .to('out');
    },
    { commitEvery: 3 },
  );
  bench.numbers('in', ['a', 1, 1], ['b', 2, 2], ['a', 3, 3]);
  assert.deepEqual(bench.readNumbers(), [['all', 60, 3]]);
  bench.numbers('in', ['b', 4, 4], ['c', 1, 5], ['c', 1, 6]);
  assert.deepEqual(bench.readNumbers(), [['all', 120, 6]]);
});

test('a crash loses nothing that was committed and repeats nothing', () => {
  const bench = new Bench(
    (builder) => {
      builder.stream('in', TEXT).groupByKey().count({ name: 'counts' }).toStream().to('out');
    },
    { commitEvery: 2 },
  );
  bench.text('in', ['a', 'x', 1], ['a', 'x', 2], ['a', 'lost', 3]);
  bench.driver.crash();
  bench.text('in', ['a', 'x', 4], ['a', 'x', 5]);
  assert.deepEqual(bench.readNumbers(), [
    ['a', 1, 1],
    ['a', 2, 2],
    ['a', 3, 4],
    ['a', 4, 5],
  ]);
});
