import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Serdes, type StreamsBuilder } from '../../../streams/index.ts';
import { Bench, type Row, TEXT } from './support.ts';

const both = (left: string | null, right: string | null): string => `${left}+${right}`;

type Kind = 'join' | 'leftJoin' | 'outerJoin';

/** Updates of two tables, each written as `side key value`, and what a join of each kind says to them. */
const STEPS: readonly { readonly side: 'left' | 'right'; readonly row: Row<string, string> }[] = [
  { side: 'left', row: ['a', 'A', 10] },
  { side: 'right', row: ['a', 'B', 5] },
  { side: 'right', row: ['a', 'C', 20] },
  { side: 'left', row: ['a', null, 15] },
  { side: 'left', row: ['a', null, 16] },
  { side: 'right', row: ['a', null, 30] },
  { side: 'right', row: ['b', 'D', 31] },
  { side: 'left', row: [null, 'X', 32] },
  { side: 'left', row: ['c', 'E', 40] },
  { side: 'left', row: ['c', null, 41] },
  { side: 'left', row: ['c', null, 42] },
];

const EXPECTED: Readonly<Record<Kind, readonly Row<string, string>[]>> = {
  join: [
    ['a', 'A+B', 10],
    ['a', 'A+C', 20],
    ['a', null, 20],
    ['a', null, 20],
  ],
  leftJoin: [
    ['a', 'A+null', 10],
    ['a', 'A+B', 10],
    ['a', 'A+C', 20],
    ['a', null, 20],
    ['a', null, 20],
    ['c', 'E+null', 40],
    ['c', null, 41],
  ],
  outerJoin: [
    ['a', 'A+null', 10],
    ['a', 'A+B', 10],
    ['a', 'A+C', 20],
    ['a', 'null+C', 20],
    ['a', 'null+C', 20],
    ['a', null, 30],
    ['b', 'null+D', 31],
    ['c', 'E+null', 40],
    ['c', null, 41],
  ],
};

function declare(builder: StreamsBuilder, kind: Kind, kept: boolean): void {
  const left = builder.table('left', TEXT, { name: 'left-rows' });
  const right = builder.table('right', TEXT, { name: 'right-rows' });
  const options = kept
    ? { materialized: { name: 'joined', keySerde: Serdes.string, valueSerde: Serdes.string } }
    : {};
  const joined =
    kind === 'join'
      ? left.join(right, both, options)
      : kind === 'leftJoin'
        ? left.leftJoin(right, both, options)
        : left.outerJoin(right, both, options);
  joined.toStream().to('out', { valueSerde: Serdes.string });
}

for (const kind of ['join', 'leftJoin', 'outerJoin'] as const) {
  for (const kept of [false, true]) {
    test(`${kind} of two tables${kept ? ', kept,' : ''} follows the updates of both with the later time`, () => {
      const bench = new Bench((builder) => declare(builder, kind, kept));
      for (const { side, row } of STEPS) bench.text(side, row);
      assert.deepEqual(bench.readText(), EXPECTED[kind]);
      assert.equal(bench.dropped, 1);
    });
  }
}

test('an aggregation of a join adds up what is joined at any moment', () => {
  const bench = new Bench((builder) => {
    const left = builder.table('left', TEXT, { name: 'left-rows' });
    const right = builder.table('right', TEXT, { name: 'right-rows' });
    left
      .join(right, both)
      .groupBy((key, value) => ({ key: value, value: key }), {
        keySerde: Serdes.string,
        valueSerde: Serdes.string,
      })
      .count({ name: 'pairs' })
      .toStream()
      .to('out');
  });
  bench.text('left', ['a', 'L', 1], ['b', 'L', 2]);
  bench.text('right', ['a', 'R', 3], ['b', 'R', 4], ['a', 'S', 5], ['b', null, 6]);
  assert.deepEqual(bench.readNumbers(), [
    ['L+R', 1, 3],
    ['L+R', 2, 4],
    ['L+R', 1, 5],
    ['L+S', 1, 5],
    ['L+R', 0, 6],
  ]);
});

test('a table computed from others is read through them by a join', () => {
  const bench = new Bench((builder) => {
    const left = builder.table('left', TEXT, { name: 'left-rows' });
    const right = builder.table('right', TEXT, { name: 'right-rows' });
    const loud = left
      .filter((_key, value) => value !== 'hidden')
      .leftJoin(right, both)
      .mapValues((value) => value.toUpperCase());
    builder
      .stream('in', TEXT)
      .join(loud, (value, row) => `${value}:${row}`)
      .to('out', { valueSerde: Serdes.string });
  });
  bench.text('left', ['a', 'l', 1], ['b', 'hidden', 2]);
  bench.text('in', ['a', 'x', 3], ['b', 'x', 4]);
  bench.text('right', ['a', 'r', 5]);
  bench.text('in', ['a', 'y', 6]);
  assert.deepEqual(bench.readText(), [
    ['a', 'x:L+NULL', 3],
    ['a', 'y:L+R', 6],
  ]);
});

test('a stream joins the table as it stands, at the time of the stream’s record', () => {
  const bench = new Bench((builder) => {
    const table = builder.table('table', TEXT, { name: 'rows' });
    const stream = builder.stream('in', TEXT);
    stream.join(table, both).to('out', { valueSerde: Serdes.string });
    stream.leftJoin(table, both).to('left', { valueSerde: Serdes.string });
  });
  bench.text('in', ['a', 'x', 1]);
  bench.text('table', ['a', 'T', 100]);
  bench.text('in', ['a', 'y', 2], ['a', null, 3], [null, 'z', 4]);
  bench.text('table', ['a', null, 101]);
  bench.text('in', ['a', 'w', 5]);
  assert.deepEqual(bench.readText(), [['a', 'y+T', 2]]);
  assert.deepEqual(bench.readText('left'), [
    ['a', 'x+null', 1],
    ['a', 'y+T', 2],
    [null, 'z+null', 4],
    ['a', 'w+null', 5],
  ]);
  assert.equal(bench.dropped, 3);
});

test('a stream with a changed key is repartitioned before it joins', () => {
  const bench = new Bench(
    (builder) => {
      const table = builder.table('table', TEXT, { name: 'rows' });
      builder
        .stream('in', TEXT)
        .selectKey((_key, value) => value)
        .join(table, both, { name: 'lookup', keySerde: Serdes.string })
        .to('out', { valueSerde: Serdes.string });
      assert.deepEqual([...builder.build().internalTopics.keys()], ['lookup-repartition']);
    },
    { partitions: { table: 3, in: 2 } },
  );
  const keys = ['a', 'b', 'c', 'd', 'e'];
  bench.text('table', ...keys.map((key): Row<string, string> => [key, `T${key}`, 1]));
  bench.text('in', ...keys.map((key): Row<string, string> => ['k', key, 2]));
  assert.deepEqual(
    bench.readText(),
    keys.map((key) => [key, `${key}+T${key}`, 2]),
  );
});

test('a stream joins a global table by any key, whatever the partitions', () => {
  const bench = new Bench(
    (builder) => {
      const table = builder.globalTable('table', TEXT, { name: 'rows' });
      assert.equal(table.queryableStoreName, 'rows');
      const stream = builder.stream('in', TEXT);
      stream
        .join(
          table,
          (_key, value) => (value === 'none' ? null : value),
          (value, row) => `${value}:${row}`,
        )
        .to('out', { valueSerde: Serdes.string });
      stream
        .leftJoin(
          table,
          (_key, value) => (value === 'none' ? null : value),
          (value, row, key) => `${key}:${value}:${row}`,
        )
        .to('left', { valueSerde: Serdes.string });
    },
    { partitions: { table: 3, in: 2 } },
  );
  bench.text('table', ['x', 'X', 1], ['y', 'Y', 1], [null, 'Z', 1]);
  bench.text('in', ['a', 'x', 2], [null, 'y', 3], ['b', 'none', 4], ['b', 'gone', 5], ['b', null, 6]);
  bench.text('table', ['x', null, 7]);
  bench.text('in', ['a', 'x', 8]);
  assert.deepEqual(bench.readText(), [
    ['a', 'x:X', 2],
    [null, 'y:Y', 3],
  ]);
  assert.deepEqual(bench.readText('left'), [
    ['a', 'a:x:X', 2],
    [null, 'null:y:Y', 3],
    ['b', 'b:none:null', 4],
    ['b', 'b:gone:null', 5],
    ['a', 'a:x:null', 8],
  ]);
});

test('topics that are joined must have as many partitions', () => {
  const declareJoin = (builder: StreamsBuilder): void => {
    builder
      .stream('in', TEXT)
      .join(builder.table('table', TEXT, { name: 'rows' }), both)
      .to('out', TEXT);
  };
  assert.throws(() => new Bench(declareJoin, { partitions: { in: 2, table: 3 } }), {
    code: 'STREAMS_COPARTITION',
    message: /in has 2, table has 3/,
  });
});
