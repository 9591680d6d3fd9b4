import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KTable, Serdes, type StreamsBuilder } from '../../../streams/index.ts';
import { Bench, NUMBERS, TEXT } from './support.ts';

const numbers = (builder: StreamsBuilder, name: string | null): KTable<string, number> =>
  builder.table('in', NUMBERS, ...(name === null ? [] : [{ name }]));

test('a table passes updates and deletions on, in the order in which they come, and drops what has no key', () => {
  const bench = new Bench((builder) => {
    numbers(builder, 'rows').toStream().to('out');
  });
  bench.numbers('in', ['a', 1, 10], ['a', 2, 5], [null, 3, 11], ['a', null, 12], ['b', null, 13]);
  assert.deepEqual(bench.readNumbers(), [
    ['a', 1, 10],
    ['a', 2, 5],
    ['a', null, 12],
    ['b', null, 13],
  ]);
  assert.equal(bench.dropped, 1);
  assert.equal(bench.driver.getTimestampedKeyValueStore('rows').get('a'), null);
});

test('a table without a name keeps nothing', () => {
  const bench = new Bench((builder) => {
    const table = numbers(builder, null);
    assert.equal(table.queryableStoreName, null);
    table.toStream().to('out');
    assert.deepEqual([...builder.build().stores.keys()], []);
  });
  bench.numbers('in', ['a', 1, 1]);
  assert.deepEqual(bench.readNumbers(), [['a', 1, 1]]);
});

test('a filter of a table that keeps nothing deletes whatever does not pass, as it cannot know what did before', () => {
  const bench = new Bench((builder) => {
    numbers(builder, null)
      .filter((_key, value) => value > 10)
      .toStream()
      .to('out');
  });
  bench.numbers('in', ['a', 1, 1], ['a', 11, 2], ['a', 2, 3], ['a', null, 4]);
  assert.deepEqual(bench.readNumbers(), [
    ['a', null, 1],
    ['a', 11, 2],
    ['a', null, 3],
    ['a', null, 4],
  ]);
});

test('a filter of a table that is kept deletes only what passed before', () => {
  const bench = new Bench((builder) => {
    const table = numbers(builder, 'rows');
    table
      .filter((_key, value) => value > 10)
      .toStream()
      .to('out');
    table
      .filterNot((_key, value) => value > 10)
      .toStream()
      .to('rest');
  });
  bench.numbers('in', ['a', 1, 1], ['a', 11, 2], ['a', 12, 3], ['a', 2, 4], ['a', null, 5]);
  assert.deepEqual(bench.readNumbers(), [
    ['a', 11, 2],
    ['a', 12, 3],
    ['a', null, 4],
  ]);
  assert.deepEqual(bench.readNumbers('rest'), [
    ['a', 1, 1],
    ['a', null, 2],
    ['a', 2, 4],
    ['a', null, 5],
  ]);
});

test('a filter of an aggregation does not delete what never passed', () => {
  const bench = new Bench((builder) => {
    builder
      .stream('in', NUMBERS)
      .groupByKey()
      .count({ name: 'counts' })
      .filter((_key, count) => count >= 2)
      .toStream()
      .to('out');
  });
  bench.numbers('in', ['a', 1, 1], ['b', 1, 2], ['a', 1, 3]);
  assert.deepEqual(bench.readNumbers(), [['a', 2, 3]]);
});

test('a filter that keeps its result is queried by its own name', () => {
  const bench = new Bench((builder) => {
    const large = numbers(builder, null).filter((_key, value) => value > 10, {
      materialized: { name: 'large' },
    });
    assert.equal(large.queryableStoreName, 'large');
    large.toStream().to('out');
  });
  bench.numbers('in', ['a', 11, 1], ['b', 1, 2], ['a', 12, 3]);
  const store = bench.driver.getTimestampedKeyValueStore<string, number>('large');
  assert.deepEqual([...store.all()], [{ key: 'a', value: { value: 12, timestamp: 3 } }]);
});

test('mapValues computes rows anew, is not called for deletions, and may leave rows out', () => {
  const seen: number[] = [];
  const bench = new Bench((builder) => {
    numbers(builder, null)
      .mapValues((value, key) => {
        seen.push(value);
        return value < 0 ? null : `${key}${value}`;
      })
      .toStream()
      .to('out', { valueSerde: Serdes.string });
  });
  bench.numbers('in', ['a', 1, 1], ['a', -1, 2], ['a', null, 3]);
  assert.deepEqual(bench.readText(), [
    ['a', 'a1', 1],
    ['a', null, 2],
    ['a', null, 3],
  ]);
  assert.deepEqual(seen, [1, -1]);
});

test('groupBy takes the old value away before it adds the new one, and moves rows between groups', () => {
  const steps: string[] = [];
  const bench = new Bench((builder) => {
    builder
      .table('in', TEXT, { name: 'rows' })
      .groupBy((key, value) => ({ key: value.slice(0, 1), value: key }), {
        keySerde: Serdes.string,
        valueSerde: Serdes.string,
      })
      .aggregate(
        () => '',
        (key, value, members) => {
          steps.push(`${key} + ${value}`);
          return members + value;
        },
        (key, value, members) => {
          steps.push(`${key} - ${value}`);
          return members.replace(value, '');
        },
        { name: 'groups', valueSerde: Serdes.string },
      )
      .toStream()
      .to('out');
  });
  bench.text('in', ['p', 'x1', 1], ['q', 'x2', 2], ['p', 'y', 3], ['q', 'x3', 4], ['q', null, 5]);
  assert.deepEqual(steps, ['x + p', 'x + q', 'x - p', 'y + p', 'x - q', 'x + q', 'x - q']);
  assert.deepEqual(bench.readText(), [
    ['x', 'p', 1],
    ['x', 'pq', 2],
    ['x', 'q', 3],
    ['y', 'p', 3],
    ['x', 'q', 4],
    ['x', '', 5],
  ]);
});

test('a grouped table counts and reduces', () => {
  const bench = new Bench((builder) => {
    const grouped = numbers(builder, 'rows').groupBy(
      (_key, value) => ({ key: value % 2 === 0 ? 'even' : 'odd', value }),
      { name: 'parity', keySerde: Serdes.string, valueSerde: Serdes.longNumber },
    );
    grouped.count({ name: 'counts' }).toStream().to('counts');
    grouped
      .reduce(
        (sum, value) => sum + value,
        (sum, value) => sum - value,
        { name: 'sums' },
      )
      .toStream()
      .to('sums');
    assert.deepEqual([...builder.build().internalTopics.keys()], ['parity-repartition']);
  });
  bench.numbers('in', ['a', 2, 1], ['b', 4, 2], ['a', 3, 3], ['b', null, 4]);
  assert.deepEqual(bench.readNumbers('counts'), [
    ['even', 1, 1],
    ['even', 2, 2],
    ['even', 1, 3],
    ['odd', 1, 3],
    ['even', 0, 4],
  ]);
  assert.deepEqual(bench.readNumbers('sums'), [
    ['even', 2, 1],
    ['even', 6, 2],
    ['even', 4, 3],
    ['odd', 3, 3],
    ['even', 0, 4],
  ]);
});

test('a row whose new key or value is null is in no group', () => {
  const bench = new Bench((builder) => {
    numbers(builder, 'rows')
      .groupBy((_key, value) => ({ key: value > 0 ? 'positive' : null, value }), {
        keySerde: Serdes.string,
        valueSerde: Serdes.longNumber,
      })
      .count({ name: 'counts' })
      .toStream()
      .to('out');
  });
  bench.numbers('in', ['a', 1, 1], ['b', -1, 2], ['a', -1, 3]);
  assert.deepEqual(bench.readNumbers(), [
    ['positive', 1, 1],
    ['positive', 0, 3],
  ]);
});

test('an aggregation of an aggregation subtracts nothing for the first update', () => {
  const bench = new Bench((builder) => {
    builder
      .stream('in', NUMBERS)
      .groupByKey()
      .count({ name: 'counts' })
      .groupBy(() => ({ key: 'all', value: 1 }), { keySerde: Serdes.string, valueSerde: Serdes.longNumber })
      .count({ name: 'keys' })
      .toStream()
      .to('out');
  });
  bench.numbers('in', ['a', 1, 1], ['b', 1, 2], ['a', 1, 3], ['c', 1, 4]);
  assert.deepEqual(bench.readNumbers(), [
    ['all', 1, 1],
    ['all', 2, 2],
    ['all', 2, 3],
    ['all', 3, 4],
  ]);
});

test('toTable reads a stream as updates, behind a repartition topic where its key was changed', () => {
  const bench = new Bench((builder) => {
    const stream = builder.stream('in', TEXT);
    stream.toTable({ name: 'as-is' }).toStream().to('out');
    stream
      .selectKey((_key, value) => value)
      .toTable({ name: 'turned', keySerde: Serdes.string })
      .toStream()
      .to('turned');
    assert.deepEqual([...builder.build().internalTopics.keys()], ['turned-repartition']);
  });
  bench.text('in', ['a', 'x', 1], ['a', null, 2], [null, 'y', 3]);
  assert.deepEqual(bench.readText(), [
    ['a', 'x', 1],
    ['a', null, 2],
  ]);
  assert.deepEqual(bench.readText('turned'), [
    ['x', 'x', 1],
    ['y', 'y', 3],
  ]);
  assert.equal(bench.dropped, 2);
});
