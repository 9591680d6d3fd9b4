import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type KeyValueStore,
  type KTable,
  type ProcessingContext,
  Serdes,
  Stores,
  type StreamsBuilder,
  type TransformValuesOptions,
  type ValueTransformerSupplier,
} from '../../../streams/index.ts';
import { Bench, NUMBERS, refusalOf, TEXT } from './support.ts';

const rows = (builder: StreamsBuilder, name: string | null = 'rows'): KTable<string, number> =>
  builder.table('in', NUMBERS, ...(name === null ? [] : [{ name }]));

/** Writes down what each call was given; even values pass, tenfold. */
function telling(told: string[] = []): ValueTransformerSupplier<string, number, number> {
  return {
    get: () => ({
      transform: (key, value) => {
        told.push(`${key}:${value}`);
        return value === null || value % 2 === 1 ? null : 10 * value;
      },
    }),
  };
}

const KEPT = { materialized: { name: 'kept', valueSerde: Serdes.longNumber } };

test('toStream with a mapper selects a new key of each update, of deletions too', () => {
  const bench = new Bench((builder) => {
    rows(builder)
      .toStream((key, value) => `${key}-${value}`, { name: 'updates' })
      .to('out', NUMBERS);
  });
  bench.numbers('in', ['a', 1, 1], ['a', null, 2]);
  assert.deepEqual(bench.readNumbers(), [
    ['a-1', 1, 1],
    ['a-null', null, 2],
  ]);
});

test('what keeps state behind toStream with a mapper repartitions by the new key', () => {
  const bench = new Bench(
    (builder) => {
      rows(builder)
        .toStream(() => 'all')
        .groupByKey(NUMBERS)
        .count({ name: 'counts' })
        .toStream()
        .to('out');
      assert.deepEqual([...builder.build().internalTopics.keys()], ['counts-repartition']);
    },
    { partitions: { in: 3 } },
  );
  bench.numbers('in', ['a', 1, 1], ['b', 2, 2], ['c', 3, 3]);
  assert.deepEqual(bench.readNumbers(), [
    ['all', 1, 1],
    ['all', 2, 2],
    ['all', 3, 3],
  ]);
});

test('transformValues computes each update, deletions too, once where the result is kept', () => {
  const told: string[] = [];
  const bench = new Bench((builder) => {
    rows(builder).transformValues(telling(told), KEPT).toStream().to('out');
  });
  bench.numbers('in', ['a', 2, 1], ['a', 3, 2], ['a', null, 3]);
  assert.deepEqual(bench.readNumbers(), [
    ['a', 20, 1],
    ['a', null, 2],
    ['a', null, 3],
  ]);
  assert.deepEqual(told, ['a:2', 'a:3', 'a:null']);
  assert.equal(bench.driver.getTimestampedKeyValueStore('kept').get('a'), null);
});

for (const options of [KEPT, {}]) {
  const kept = options === KEPT;
  test(`groups behind transformValues that keeps ${kept ? 'its result' : 'nothing'} take old values away`, () => {
    const bench = new Bench((builder) => {
      rows(builder)
        .transformValues(telling(), options as TransformValuesOptions<string, number>)
        .groupBy((_key, value) => ({ key: 'all', value }), NUMBERS)
        .reduce(
          (sum, value) => sum + value,
          (sum, value) => sum - value,
          { name: 'sum' },
        )
        .toStream()
        .to('out', NUMBERS);
    });
    bench.numbers('in', ['a', 2, 1], ['b', 4, 2], ['a', 6, 3], ['b', 5, 4]);
    assert.deepEqual(bench.readNumbers().at(-1), ['all', 60, 4]);
  });

  test(`a join reads the rows of transformValues that keeps ${kept ? 'its result' : 'nothing'}`, () => {
    const bench = new Bench((builder) => {
      const table = rows(builder).transformValues(
        telling(),
        options as TransformValuesOptions<string, number>,
      );
      builder
        .stream('words', TEXT)
        .leftJoin(table, (word, number) => `${word} ${number}`)
        .to('out', TEXT);
    });
    bench.numbers('in', ['a', 2, 1], ['b', 3, 1]);
    bench.text('words', ['a', 'x', 2], ['b', 'y', 2]);
    assert.deepEqual(bench.readText(), [
      ['a', 'x 20', 2],
      ['b', 'y null', 2],
    ]);
  });
}

/** Adds what a store holds under the key; closed transformers are counted. */
function adding(
  closed: { count: number },
  brings: boolean,
): ValueTransformerSupplier<string, number, number> {
  const supplier: ValueTransformerSupplier<string, number, number> = {
    get: () => {
      let extra: KeyValueStore<string, number>;
      return {
        init: (context: ProcessingContext) => {
          extra = context.getStateStore('extra');
        },
        transform: (key, value) => (value === null ? null : value + (extra.get(key) ?? 0)),
        close: () => {
          closed.count += 1;
        },
      };
    },
  };
  return brings ? { ...supplier, stores: () => [EXTRA] } : supplier;
}

const EXTRA = Stores.keyValueStore({ name: 'extra', keySerde: Serdes.string, valueSerde: Serdes.longNumber });

for (const brings of [true, false]) {
  test(`a transformer reads stores that ${brings ? 'its supplier brings' : 'were added to the builder'}, for joins too`, () => {
    const closed = { count: 0 };
    const bench = new Bench((builder) => {
      if (!brings) builder.addStateStore(EXTRA);
      const table = rows(builder).transformValues(
        adding(closed, brings),
        brings ? {} : { name: 'transform', stores: ['extra'] },
      );
      builder
        .stream('words', TEXT)
        .join(table, (word, number) => `${word} ${number}`)
        .to('out', TEXT);
      table.toStream().to('updates', NUMBERS);
    });
    bench.driver.getKeyValueStore<string, number>('extra').put('a', 40);
    bench.numbers('in', ['a', 2, 1]);
    bench.text('words', ['a', 'x', 2]);
    assert.deepEqual(bench.readNumbers('updates'), [['a', 42, 1]]);
    assert.deepEqual(bench.readText(), [['a', 'x 42', 2]]);
    bench.driver.close();
    assert.ok(closed.count >= 1);
  });
}

test('transformValues without a supplier, and kept without a serde, are refused', () => {
  assert.equal(
    refusalOf((builder) => rows(builder).transformValues(undefined as never)),
    'transformValues needs what makes its processor; pass a supplier { get: () => processor }',
  );
  assert.equal(
    refusalOf((builder) => rows(builder).transformValues(telling(), { materialized: { name: 'kept' } })),
    'transformValues kept has no serde for its value; pass valueSerde',
  );
});
