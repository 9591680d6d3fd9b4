import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Serdes, StreamsBuilder, Suppressed, type VersionedKeyValueStore } from '../../../streams/index.ts';
import { Bench, type Row, refusalOf, TEXT } from './support.ts';

const RETENTION_MS = 50;
const ROWS = { name: 'rows', historyRetentionMs: RETENTION_MS };
const both = (left: string | null, right: string | null): string => `${left}+${right}`;
const OUT = { valueSerde: Serdes.string };

test('a stream joins the row that held at the time of its record', () => {
  const bench = new Bench((builder) => {
    const table = builder.table('table', TEXT, ROWS);
    builder.stream('in', TEXT).leftJoin(table, both).to('out', OUT);
  });
  bench.text('table', ['a', 'A', 10], ['a', 'C', 30], ['a', 'B', 20], ['a', null, 40]);
  bench.text(
    'in',
    ['a', '1', 9],
    ['a', '2', 10],
    ['a', '3', 29],
    ['a', '4', 30],
    ['a', '5', 45],
    [null, '6', 45],
  );
  bench.driver.crash();
  bench.text('in', ['a', '7', 25]);
  assert.deepEqual(bench.readText(), [
    ['a', '1+null', 9],
    ['a', '2+A', 10],
    ['a', '3+B', 29],
    ['a', '4+C', 30],
    ['a', '5+null', 45],
    [null, '6+null', 45],
    ['a', '7+B', 25],
  ]);
});

test('the versions are read through filters and mapped values of the table', () => {
  const bench = new Bench((builder) => {
    const table = builder
      .table('table', TEXT, ROWS)
      .filter((_key, value) => value !== 'hidden')
      .mapValues((value) => value.toLowerCase());
    builder.stream('in', TEXT).leftJoin(table, both).to('out', OUT);
  });
  bench.text('table', ['a', 'A', 10], ['a', 'hidden', 20], ['a', 'C', 30]);
  bench.text('in', ['a', '1', 15], ['a', '2', 25], ['a', '3', 35]);
  assert.deepEqual(
    bench.readText().map(([, value]) => value),
    ['1+a', '2+null', '3+c'],
  );
});

test('a late update is told of, and only one beyond the history retention is dropped', () => {
  const bench = new Bench((builder) => builder.table('table', TEXT, ROWS).toStream().to('out'));
  bench.text('table', ['a', 'A', 100], ['a', 'old', 50], ['a', 'older', 49], [null, 'x', 100]);
  assert.deepEqual(bench.readText(), [
    ['a', 'A', 100],
    ['a', 'old', 50],
  ]);
  assert.equal(bench.dropped, 2);
});

test('aggregations, joins of tables and foreign keys go by the newest rows alone', () => {
  const bench = new Bench((builder) => {
    const table = builder.table('table', TEXT, ROWS);
    table
      .groupBy((_key, value) => ({ key: value, value }), {
        name: 'by-value',
        keySerde: Serdes.string,
        valueSerde: Serdes.string,
      })
      .count({ name: 'counts' })
      .toStream()
      .to('counts');
    const other = builder.table('other', TEXT, { name: 'other-rows' });
    table.join(other, both).toStream().to('joined', OUT);
    table
      .join(other, () => 'a', both, { name: 'fk' })
      .toStream()
      .to('fk', OUT);
  });
  bench.text('other', ['a', 'O', 1]);
  bench.text('table', ['a', 'new', 20], ['a', 'late', 10], ['a', 'newer', 20]);
  assert.deepEqual(bench.readNumbers('counts'), [
    ['new', 1, 20],
    ['new', 0, 20],
    ['newer', 1, 20],
  ]);
  const joined: Row<string, string>[] = [
    ['a', 'new+O', 20],
    ['a', 'newer+O', 20],
  ];
  assert.deepEqual(bench.readText('joined'), joined);
  assert.deepEqual(bench.readText('fk'), joined);
  assert.equal(bench.dropped, 2);
});

test('a filter passes an update of nothing to nothing on, as it may be a version of its own', () => {
  const bench = new Bench((builder) => {
    builder
      .table('table', TEXT, ROWS)
      .filter((_key, value) => value !== 'x')
      .toStream()
      .to('out');
  });
  bench.text('table', ['a', 'x', 1], ['a', 'y', 2], ['a', 'x', 3], ['a', 'x', 4]);
  assert.deepEqual(
    bench.readText().map(([, value]) => value),
    [null, 'y', null, null],
  );
});

test('a table made of a stream, and the result of a join, keep versions where asked to', () => {
  const bench = new Bench((builder) => {
    const left = builder.stream('table', TEXT).toTable({ name: 'made', historyRetentionMs: RETENTION_MS });
    const other = builder.table('other', TEXT, { name: 'other-rows' });
    const joined = left.leftJoin(other, both, {
      materialized: { name: 'joined', valueSerde: Serdes.string, historyRetentionMs: RETENTION_MS },
    });
    builder.stream('in', TEXT).leftJoin(joined, both).to('out', OUT);
  });
  bench.text('table', ['a', 'A', 10], ['a', 'B', 20]);
  bench.text('in', ['a', '1', 15]);
  assert.deepEqual(bench.readText(), [['a', '1+A+null', 15]]);
  const store = bench.driver.getStateStore<VersionedKeyValueStore<string, string>>('made');
  assert.deepEqual(store.getAsOf('a', 12), { value: 'A', timestamp: 10 });
});

test('with a grace records wait for the rows of their time, and leave by their own time with their headers', () => {
  const bench = new Bench((builder) => {
    const table = builder.table('table', TEXT, ROWS);
    builder.stream('in', TEXT).join(table, both, { name: 'j', gracePeriodMs: 10 }).to('out', OUT);
  });
  bench.driver
    .createInputTopic('in', Serdes.string, Serdes.string)
    .pipeInput('b', '1', 100, [{ key: 'h', value: Buffer.from('1') }]);
  bench.text('in', ['a', '2', 98]);
  bench.text('table', ['a', 'A', 97], ['b', 'B', 99], ['b', 'late', 101]);
  assert.deepEqual(bench.readText(), []);
  bench.driver.crash();
  bench.text('in', ['z', '3', 110]);
  assert.deepEqual(bench.readText(), [
    ['a', '2+A', 98],
    ['b', '1+B', 100],
  ]);
  const records = bench.driver.createOutputTopic('out', Serdes.string, Serdes.string).readRecordsToList();
  assert.deepEqual(
    records.map(({ headers }) => headers.length),
    [0, 1],
  );
  // What comes after its grace has waited long enough.
  bench.text('in', ['a', '4', 99]);
  assert.deepEqual(bench.readText(), [['a', '4+A', 99]]);
});

test('versions and graces that make no sense are refused by name', () => {
  const join = (builder: StreamsBuilder, rows: { readonly historyRetentionMs?: number }, grace: object) => {
    const table = builder.table('table', TEXT, { name: 'rows', ...rows });
    builder.stream('in', TEXT).join(table, both, grace);
  };
  const cases: readonly (readonly [RegExp, (builder: StreamsBuilder) => void])[] = [
    [
      /^join with a grace period keeps state and needs a name/,
      (builder) => join(builder, ROWS, { gracePeriodMs: 1 }),
    ],
    [
      /^join j has a grace period, so its table must keep versions; give the table historyRetentionMs/,
      (builder) => join(builder, {}, { name: 'j', gracePeriodMs: 1 }),
    ],
    [
      /^join j: a grace period of 51 ms is longer than the 50 ms that the table keeps versions/,
      (builder) => join(builder, ROWS, { name: 'j', gracePeriodMs: 51 }),
    ],
    [
      /^table rows keeps versions and has no record cache/,
      (builder) => builder.table('table', TEXT, { ...ROWS, cachingEnabled: true }),
    ],
    [
      /^count c cannot keep versions/,
      (builder) =>
        builder
          .stream('in', TEXT)
          .groupByKey()
          .count({ name: 'c', historyRetentionMs: 5 } as never),
    ],
  ];
  for (const [message, declare] of cases) assert.match(refusalOf(declare), message);
});

interface Version {
  readonly key: string;
  readonly value: string | null;
  readonly time: number;
}

test('a join with grace is that of lists, whatever comes when and wherever it crashes', () => {
  const step = fc.tuple(
    fc.constantFrom('table', 'in'),
    fc.constantFrom('a', 'ab', 'b'),
    fc.constantFrom('1', '2', '3', null),
    fc.integer({ min: -15, max: 5 }),
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 50 }),
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 1, max: 6 }),
      (given, gracePeriodMs, crashEvery) => {
        const bench = new Bench((builder) => {
          const table = builder.table('table', TEXT, { name: 'rows', historyRetentionMs: 10_000 });
          builder.stream('in', TEXT).leftJoin(table, both, { name: 'j', gracePeriodMs }).to('out', OUT);
        });
        let versions: Version[] = [];
        let waiting: (Version & { readonly at: number })[] = [];
        const expected: Row<string, string>[] = [];
        let now = 100;
        let observed = -1;
        const tell = ({ key, value, time }: Version): void => {
          const held = versions
            .filter((each) => each.key === key && each.time <= time)
            .sort((a, b) => a.time - b.time)
            .at(-1);
          expected.push([key, both(value, held?.value ?? null), time]);
        };
        for (const [at, [topic, key, value, by]] of given.entries()) {
          now = Math.max(now, now + by);
          const time = by < 0 ? now + by : now;
          bench.text(topic, [key, value, time]);
          if (topic === 'table') {
            versions = versions.filter((each) => each.key !== key || each.time !== time);
            versions.push({ key, value, time });
          } else if (value !== null) {
            if (observed - gracePeriodMs > time) tell({ key, value, time });
            else {
              observed = Math.max(observed, time);
              waiting.push({ key, value, time, at });
              waiting.sort(
                (a, b) => a.time - b.time || (a.key < b.key ? -1 : a.key > b.key ? 1 : a.at - b.at),
              );
              for (const each of waiting.filter((one) => one.time <= observed - gracePeriodMs)) tell(each);
              waiting = waiting.filter((one) => one.time > observed - gracePeriodMs);
            }
          }
          if (at % crashEvery === 0) bench.driver.crash();
        }
        assert.deepEqual(bench.readText(), expected);
      },
    ),
    { seed: 20260901, numRuns: 150 },
  );
});

test('a table that keeps versions is not suppressed, nor is what is filtered of it', () => {
  for (const filtered of [false, true])
    assert.throws(
      () => {
        const table = new StreamsBuilder().table('in', TEXT, { name: 'rows', historyRetentionMs: 10 });
        const source = filtered ? table.filter(() => true) : table;
        source.suppress(Suppressed.untilTimeLimit(5, { name: 'calm' }));
      },
      { code: 'STREAMS_TOPOLOGY', message: /^suppress calm stands on a table that keeps versions/ },
    );
});
