import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Serdes, StreamsBuilder, TopologyTestDriver } from '../../../streams/index.ts';
import { Bench, type Row, refusalOf, TEXT } from './support.ts';

type Kind = 'join' | 'leftJoin';

/** A row `foreign:text` refers to the foreign key before the colon; without one it refers to nothing. */
function foreignKeyOf(_key: string, value: string): string | null {
  return value.includes(':') ? value.split(':')[0]! : null;
}

const both = (left: string, right: string | null): string => `${left}+${right}`;

function declare(kind: Kind, options: { readonly kept?: boolean; readonly cachingEnabled?: boolean } = {}) {
  return (builder: StreamsBuilder): void => {
    const { cachingEnabled = false, kept = false } = options;
    const left = builder.table('left', TEXT, { name: 'left-rows', cachingEnabled });
    const right = builder.table('right', TEXT, { name: 'right-rows', cachingEnabled });
    const given = {
      name: 'fk',
      ...(kept ? { materialized: { name: 'joined', valueSerde: Serdes.string, cachingEnabled } } : {}),
    };
    const joined =
      kind === 'join'
        ? left.join(right, foreignKeyOf, both, given)
        : left.leftJoin(right, foreignKeyOf, both, given);
    joined.toStream().to('out', { valueSerde: Serdes.string });
  };
}

type Step = readonly ['left' | 'right', string | null, string | null, number];

const STEPS: readonly Step[] = [
  ['left', 'a', 'x:1', 10],
  ['right', 'x', 'X', 5],
  ['left', 'b', 'x:2', 12],
  ['right', 'x', 'Y', 20],
  ['left', 'a', 'y:3', 21],
  ['left', 'b', 'none', 22],
  ['left', 'c', 'none', 23],
  ['right', 'y', 'Z', 30],
  ['right', 'y', null, 31],
  ['left', 'a', null, 32],
  ['left', 'a', null, 33],
  [`right`, null, 'W', 34],
  ['left', null, 'x:4', 35],
];

const EXPECTED: Readonly<Record<Kind, readonly Row<string, string>[]>> = {
  join: [
    ['a', 'x:1+X', 5],
    ['b', 'x:2+X', 12],
    ['a', 'x:1+Y', 20],
    ['b', 'x:2+Y', 20],
    ['a', null, 21],
    ['b', null, 22],
    ['a', 'y:3+Z', 30],
    ['a', null, 31],
    ['a', null, 32],
  ],
  leftJoin: [
    ['a', 'x:1+null', 10],
    ['a', 'x:1+X', 5],
    ['b', 'x:2+X', 12],
    ['a', 'x:1+Y', 20],
    ['b', 'x:2+Y', 20],
    ['a', 'y:3+null', 21],
    ['b', 'none+null', 22],
    ['c', 'none+null', 23],
    ['a', 'y:3+Z', 30],
    ['a', 'y:3+null', 31],
    ['a', null, 32],
  ],
};

function run(bench: Bench, steps: readonly Step[]): void {
  for (const [side, key, value, time] of steps) bench.text(side, [key, value, time]);
}

for (const kind of ['join', 'leftJoin'] as const) {
  for (const kept of [false, true]) {
    test(`${kind} by foreign key${kept ? ', kept,' : ''} follows the updates of both tables`, () => {
      const bench = new Bench(declare(kind, { kept }));
      run(bench, STEPS);
      assert.deepEqual(bench.readText(), EXPECTED[kind]);
    });
  }
}

test('the second deletion of a row, and a row that never referred to anything, are told of by no inner join', () => {
  const bench = new Bench(declare('join'));
  run(bench, [
    ['left', 'a', null, 1],
    ['left', 'b', 'none', 2],
    ['left', 'b', null, 3],
  ]);
  assert.deepEqual(bench.readText(), []);
  assert.equal(bench.dropped, 2);
});

test('foreign keys of which one begins with the other are told apart', () => {
  const bench = new Bench(declare('join'));
  run(bench, [
    ['left', 'a', 'x:1', 1],
    ['left', 'b', 'xx:2', 2],
    ['right', 'xx', 'B', 3],
    ['right', 'x', 'A', 4],
  ]);
  assert.deepEqual(bench.readText(), [
    ['b', 'xx:2+B', 3],
    ['a', 'x:1+A', 4],
  ]);
});

test('the topics of the join are as wide as the tables they serve, and rows go home to their partition', () => {
  const bench = new Bench(
    (builder) => {
      declare('join', { kept: true })(builder);
      const topology = builder.build();
      assert.deepEqual(
        [...topology.internalTopics.keys()],
        ['fk-subscription-registration-topic', 'fk-subscription-response-topic'],
      );
    },
    { partitions: { left: 3, right: 2 } },
  );
  const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const [at, key] of keys.entries()) bench.text('left', [key, `${at % 2}:v`, at]);
  bench.text('right', ['0', 'zero', 10], ['1', 'one', 11]);
  assert.deepEqual(
    new Map(bench.readText().map(([key, value]) => [key, value])),
    new Map(keys.map((key, at) => [key, `${at % 2}:v+${at % 2 === 0 ? 'zero' : 'one'}`])),
  );
  // Each result lies where its row does.
  for (const key of keys) {
    const holders = [0, 1, 2].filter(
      (partition) => bench.driver.getTimestampedKeyValueStore('joined', partition).get(key) !== null,
    );
    const rows = [0, 1, 2].filter(
      (partition) => bench.driver.getTimestampedKeyValueStore('left-rows', partition).get(key) !== null,
    );
    assert.deepEqual(holders, rows);
  }
});

test('headers go along, those of the change that led to the result', () => {
  const bench = new Bench(declare('join'));
  bench.text('left', ['a', 'x:1', 1]);
  const headers = [{ key: 'trace', value: Buffer.from('1') }];
  bench.driver.createInputTopic('right', Serdes.string, Serdes.string).pipeInput('x', 'X', 2, headers);
  const [record] = bench.driver.createOutputTopic('out', Serdes.string, Serdes.string).readRecordsToList();
  assert.deepEqual(record!.headers, headers);
});

test('a join by foreign key that makes no sense is refused by name', () => {
  const tables = (builder: StreamsBuilder) =>
    [builder.table('left', TEXT, { name: 'l' }), builder.table('right', TEXT, { name: 'r' })] as const;
  assert.match(
    refusalOf((builder) => {
      const [left, right] = tables(builder);
      left.join(right, foreignKeyOf, both, {} as never);
    }),
    /^join keeps state and needs a name/,
  );
  assert.match(
    refusalOf((builder) => {
      const [left, right] = tables(builder);
      left.mapValues((value) => value).leftJoin(right, foreignKeyOf, both, { name: 'fk' });
    }),
    /^leftJoin fk by foreign key: its table has no serde for its value; pass valueSerde/,
  );
  assert.match(
    refusalOf((builder) => {
      const left = builder.table('left', TEXT);
      left.join(builder.table('right', TEXT, { name: 'r' }), foreignKeyOf, both, { name: 'fk' });
    }),
    /^the table of left needs a store for join fk by foreign key, and so a name/,
  );
});

const step = fc.oneof(
  fc.tuple(
    fc.constant('left' as const),
    fc.constantFrom('a', 'b', 'c'),
    fc.constantFrom('x:1', 'x:2', 'y:1', 'z:1', 'none', null),
  ),
  fc.tuple(fc.constant('right' as const), fc.constantFrom('x', 'y'), fc.constantFrom('A', 'B', null)),
);

for (const kind of ['join', 'leftJoin'] as const) {
  test(`${kind} by foreign key is that of the rows at every step, whatever partitions, caches and crashes`, () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 1, max: 6 }),
        (steps, kept, cachingEnabled, crashEvery) => {
          const bench = new Bench(declare(kind, { kept, cachingEnabled }), {
            partitions: { left: 2, right: 3 },
          });
          const rows = { left: new Map<string, string>(), right: new Map<string, string>() };
          const view = new Map<string, string>();
          for (const [at, [side, key, value]] of steps.entries()) {
            bench.text(side, [key, value, at]);
            if (value === null) rows[side].delete(key);
            else rows[side].set(key, value);
            for (const [name, joined] of bench.readText()) {
              if (joined === null) view.delete(name!);
              else view.set(name!, joined);
            }
            const expected = [...rows.left].flatMap(([name, row]): [string, string][] => {
              const found = rows.right.get(foreignKeyOf(name, row) ?? '') ?? null;
              return found === null && kind === 'join' ? [] : [[name, both(row, found)]];
            });
            assert.deepEqual(new Map([...view].sort()), new Map(expected.sort()));
            if (at % crashEvery === 0) bench.driver.crash();
          }
        },
      ),
      { seed: 20260701, numRuns: 200 },
    );
  });
}

test('partitioners lead a foreign-key join to tables whose topics are partitioned by something else', () => {
  const byLength = (_topic: string, key: string, _value: unknown, partitions: number): number =>
    key.length % partitions;
  const run = (partitioned: boolean): readonly (readonly [string | null, string | null])[] => {
    const builder = new StreamsBuilder();
    const orders = builder.table('orders', TEXT, { name: 'orders' });
    const customers = builder.table('customers', TEXT, { name: 'customers' });
    const own = partitioned ? { partitioner: byLength, foreignPartitioner: byLength } : {};
    orders
      .join(
        customers,
        (_key, customer) => customer,
        (customer, name) => `${customer} is ${name}`,
        { name: 'named', ...own },
      )
      .toStream()
      .to('out', { valueSerde: Serdes.string });
    const driver = new TopologyTestDriver(
      { applicationId: 'app', topology: builder.build() },
      { partitions: { orders: 3, customers: 3 } },
    );
    const send = (topic: string, key: string, value: string): void =>
      driver
        .createInputTopic(topic, Serdes.string, Serdes.string)
        .pipeInput(key, value, 0, [], byLength(topic, key, null, 3));
    const names = ['a', 'bb', 'ccc', 'dddd', 'eeeee', 'ffffff'];
    for (const name of names) send('customers', name, `Mr ${name}`);
    for (const name of names) send('orders', `order of ${name}`, name);
    return driver.createOutputTopic('out', Serdes.string, Serdes.string).readKeyValuesToList();
  };
  const found = run(true).map(([key, value]) => [key, value]);
  assert.equal(found.length, 6);
  assert.deepEqual(found[2], ['order of ccc', 'ccc is Mr ccc']);
  // By the keys' hashes some would be looked for where they are not.
  assert.ok(run(false).length < 6);
});
