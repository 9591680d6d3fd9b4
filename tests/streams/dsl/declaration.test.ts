import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ProcessorContext,
  Serdes,
  Stores,
  StreamsBuilder,
  Suppressed,
  TimeWindows,
  TopologyTestDriver,
} from '../../../streams/index.ts';
import { NUMBERS, refusalOf, TEXT } from './support.ts';

const TEXTS = { keySerde: Serdes.string, valueSerde: Serdes.string };
/** What a caller without types may pass. */
const NOTHING = {} as never;

test('an operator that keeps state without a name is refused by what it does', () => {
  const grouped = (builder: StreamsBuilder) => builder.stream('in', NUMBERS).groupByKey();
  const windowed = (builder: StreamsBuilder) => grouped(builder).windowedBy(TimeWindows.ofSizeWithNoGrace(1));
  const add = (a: number, b: number): number => a + b;
  const cases: Record<string, (builder: StreamsBuilder) => void> = {
    count: (builder) => grouped(builder).count(NOTHING),
    reduce: (builder) => grouped(builder).reduce(add, NOTHING),
    aggregate: (builder) =>
      grouped(builder).aggregate(
        () => 0,
        (_key, value, sum) => sum + value,
        NOTHING,
      ),
    'count ': (builder) => windowed(builder).count(NOTHING),
    toTable: (builder) => builder.stream('in', TEXT).toTable(NOTHING),
    repartition: (builder) => builder.stream('in', TEXT).repartition(NOTHING),
    'the table of in': (builder) => builder.table('in', TEXT, NOTHING),
    'the global table of in': (builder) => builder.globalTable('in', TEXT, NOTHING),
    suppress: (builder) =>
      builder.table('in', TEXT, { name: 't' }).suppress(Suppressed.untilTimeLimit(1, NOTHING)),
    filter: (builder) => builder.table('in', TEXT).filter(() => true, { materialized: NOTHING }),
    join: (builder) => {
      const table = builder.table('in', TEXT, { name: 't' });
      table.join(table, (a, b) => a + b, { materialized: NOTHING });
    },
  };
  for (const [operator, declare] of Object.entries(cases)) {
    assert.equal(
      refusalOf(declare),
      `${operator.trim()} keeps state and needs a name, so that a changed topology finds it again; pass { name }`,
    );
  }
});

test('a table that something else must read needs a name, and the refusal says for what', () => {
  assert.equal(
    refusalOf((builder) => {
      builder.stream('in', TEXT).join(builder.table('rows', TEXT), (a, b) => a + b, { name: 'lookup' });
    }),
    'the table of rows needs a store for join lookup, and so a name; pass { name } where it is declared',
  );
  assert.match(
    refusalOf((builder) => {
      builder.table('rows', TEXT).groupBy((key, value) => ({ key, value }), { ...TEXTS, name: 'by-value' });
    }),
    /the table of rows needs a store for groupBy by-value/,
  );
});

test('two operators or two stores of one name are refused', () => {
  assert.equal(
    refusalOf((builder) => {
      const grouped = builder.stream('in', TEXT).groupByKey();
      grouped.count({ name: 'counts' });
      grouped.count({ name: 'counts' });
    }),
    'there are two stores named counts; give each store a name of its own',
  );
  assert.equal(
    refusalOf((builder) => {
      const stream = builder.stream('in', TEXT);
      stream.filter(() => true, { name: 'same' });
      stream.mapValues((value) => value, { name: 'same' });
    }),
    'there are two operators named same; give each operator a name of its own',
  );
  assert.match(
    refusalOf((builder) => {
      builder.addStateStore(Stores.keyValueStore({ name: 'counts', ...TEXTS }));
      builder.stream('in', TEXT).groupByKey().count({ name: 'counts' });
    }),
    /two stores named counts/,
  );
});

test('a missing serde is refused by place', () => {
  const changed = (builder: StreamsBuilder) =>
    builder.stream('in', TEXT).map((key, value) => ({ key: `${key}`, value: `${value}` }));
  const cases: readonly (readonly [string, (builder: StreamsBuilder) => void])[] = [
    ['the source of in has no serde for its key', (builder) => builder.stream('in', NOTHING)],
    ['to out has no serde for its key', (builder) => changed(builder).to('out')],
    [
      'to out has no serde for its value',
      (builder) =>
        builder
          .stream('in', TEXT)
          .mapValues((value) => value)
          .to('out'),
    ],
    [
      'the repartition topic of count counts has no serde for its key',
      (builder) => changed(builder).groupByKey().count({ name: 'counts' }),
    ],
    [
      'aggregate sums has no serde for its value',
      (builder) =>
        builder
          .stream('in', NUMBERS)
          .groupByKey()
          .aggregate(
            () => 0,
            (_key, value, sum) => sum + value,
            { name: 'sums' },
          ),
    ],
    ['repartition own has no serde for its key', (builder) => changed(builder).repartition({ name: 'own' })],
    ['toTable rows has no serde for its key', (builder) => changed(builder).toTable({ name: 'rows' })],
    [
      'groupBy by-value of a table has no serde for its key',
      (builder) =>
        builder
          .table('in', TEXT, { name: 'rows' })
          .groupBy((key, value) => ({ key: value, value: key }), { name: 'by-value' }),
    ],
    [
      'the repartition topic of count counts has no serde for its value',
      (builder) =>
        builder
          .table('in', TEXT, { name: 'rows' })
          .groupBy((key, value) => ({ key: value, value: key }), { keySerde: Serdes.string })
          .count({ name: 'counts' }),
    ],
    [
      'mapValues lengths has no serde for its value',
      (builder) =>
        builder
          .table('in', TEXT, { name: 'rows' })
          .mapValues((value) => value.length, { materialized: { name: 'lengths' } }),
    ],
    [
      'suppress calm has no serde for its value',
      (builder) =>
        builder
          .table('in', TEXT, { name: 'rows' })
          .mapValues((value) => value.length)
          .suppress(Suppressed.untilTimeLimit(1, { name: 'calm' })),
    ],
  ];
  for (const [place, declare] of cases) assert.match(refusalOf(declare), new RegExp(`^${place}; pass `));
});

test('windows, retentions and bounds that make no sense are refused', () => {
  const cases: readonly (readonly [RegExp, (builder: StreamsBuilder) => void])[] = [
    [/a size of 0 ms; it is a whole number of at least 1/, () => TimeWindows.ofSizeWithNoGrace(0)],
    [/a size of -5 ms/, () => TimeWindows.ofSizeAndGrace(-5, 0)],
    [/a grace of -1 ms; it is a whole number of at least 0/, () => TimeWindows.ofSizeAndGrace(5, -1)],
    [/an advance of 0 ms/, () => TimeWindows.ofSizeWithNoGrace(5).advanceBy(0)],
    [
      /an advance of 6 ms is longer than the window of 5 ms/,
      () => TimeWindows.ofSizeWithNoGrace(5).advanceBy(6),
    ],
    [
      /count counts: a retention of 14 ms is shorter than the window of 10 ms and its grace of 5 ms; keep windows for at least 15 ms/,
      (builder) =>
        builder
          .stream('in', TEXT)
          .groupByKey()
          .windowedBy(TimeWindows.ofSizeAndGrace(10, 5))
          .count({ name: 'counts', retentionMs: 14 }),
    ],
    [/suppress calm: a time limit of -1 ms/, () => Suppressed.untilTimeLimit(-1, { name: 'calm' })],
    [
      /suppress calm: a buffer of 0 records/,
      () => Suppressed.untilTimeLimit(1, { name: 'calm', buffer: { maxRecords: 0 } }),
    ],
    [
      /suppress final waits for windows to close, but the table has none/,
      (builder) =>
        builder
          .table('in', TEXT, { name: 'rows' })
          .suppress(Suppressed.untilWindowCloses({ name: 'final' }) as never),
    ],
    [
      /repartition own: 0 partitions/,
      (builder) => builder.stream('in', TEXT).repartition({ name: 'own', partitions: 0 }),
    ],
  ];
  for (const [message, declare] of cases) assert.match(refusalOf(declare), message);
});

test('a topic read in two manners, or once alone and once with others, is refused', () => {
  const cases: readonly (readonly [RegExp, (builder: StreamsBuilder) => void])[] = [
    [
      /in is read twice with a different valueSerde/,
      (builder) => {
        builder.stream('in', TEXT);
        builder.stream('in', NUMBERS);
      },
    ],
    [
      /in is read by KSTREAM-SOURCE-0000000000 together with other topics/,
      (builder) => {
        builder.stream(['in', 'other'], TEXT);
        builder.stream('in', TEXT);
      },
    ],
    [
      /in is read by first already; leave the name second out/,
      (builder) => {
        builder.stream('in', { ...TEXT, name: 'first' });
        builder.stream('in', { ...TEXT, name: 'second' });
      },
    ],
    [
      /topic in is read by/,
      (builder) => {
        builder.stream('in', TEXT);
        builder.globalTable('in', TEXT, { name: 'rows' });
      },
    ],
  ];
  for (const [message, declare] of cases) assert.match(refusalOf(declare), message);
});

test('a join on a changed key needs a name for its repartition topic', () => {
  assert.match(
    refusalOf((builder) => {
      const table = builder.table('rows', TEXT, { name: 'rows' });
      builder
        .stream('in', TEXT)
        .selectKey((_key, value) => value)
        .join(table, (a, b) => a + b);
    }),
    /join with a table needs a repartition topic, as the key was changed, and so a name/,
  );
});

test('what two builders made cannot be combined, and a closed split takes no branch', () => {
  const other = new StreamsBuilder().stream('other', TEXT);
  assert.match(
    refusalOf((builder) => builder.stream('in', TEXT).merge(other)),
    /merge combines what two builders made/,
  );
  assert.match(
    refusalOf((builder) => {
      const split = builder.stream('in', TEXT).split({ name: 'parts' });
      split.defaultBranch();
      split.branch(() => true);
    }),
    /split parts is closed by its default branch/,
  );
});

test('a topology is built as often as asked, each a whole one', () => {
  const builder = new StreamsBuilder();
  builder.stream('in', TEXT).groupByKey().count({ name: 'counts' }).toStream().to('out');
  assert.equal(builder.build().describe().toString(), builder.build().describe().toString());
});

test('a store of another part of the topology is refused to a processor when tasks are made, with the way to connect it', () => {
  const builder = new StreamsBuilder();
  builder.addStateStore(Stores.keyValueStore({ name: 'rows', ...TEXTS }));
  builder
    .stream('a', TEXT)
    .process({ get: () => ({ process: () => undefined }) }, { name: 'owner', stores: ['rows'] });
  const borrower = {
    get: () => ({
      init: (context: ProcessorContext<never, never>) => void context.getStateStore('rows'),
      process: () => undefined,
    }),
  };
  builder.stream('b', TEXT).process(borrower, { name: 'borrower' });
  assert.throws(() => new TopologyTestDriver({ applicationId: 'app', topology: builder.build() }), {
    code: 'STREAMS_UNKNOWN_STORE',
    message:
      /^processor borrower of app asks for the store rows, which does not exist in its part of the topology; add it/,
  });
});

test('topics that are joined and have other numbers of partitions are refused by name', () => {
  const builder = new StreamsBuilder();
  const rows = builder.table('rows', TEXT, { name: 'rows' });
  builder.stream('in', TEXT).join(rows, (left, right) => left + right, { name: 'joined' });
  const topology = builder.build();
  assert.throws(
    () => new TopologyTestDriver({ applicationId: 'app', topology }, { partitions: { in: 2, rows: 3 } }),
    { code: 'STREAMS_COPARTITION', message: /but in has 2, rows has 3; repartition one of them/ },
  );
});
