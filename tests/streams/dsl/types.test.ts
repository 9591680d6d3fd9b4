/** What the compiler knows: this file fails to build where an operator infers another type, or lets something pass that it should not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CogroupedKStream,
  EmitStrategy,
  type GlobalKTable,
  JoinWindows,
  type KGroupedStream,
  type KGroupedTable,
  type KStream,
  type KTable,
  Serdes,
  type SessionWindowedKStream,
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  Suppressed,
  type TimeWindowedKStream,
  TimeWindows,
  type Windowed,
} from '../../../streams/index.ts';
import { NUMBERS, TEXT } from './support.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only where the value has exactly the type. */
function expectType<Expected>() {
  return <Actual>(
    _value: Actual,
    ..._same: Equal<Actual, Expected> extends true ? [] : ['another type']
  ): void => {};
}

const builder = new StreamsBuilder();
const stream = builder.stream('numbers', NUMBERS);
const table = builder.table('text', TEXT, { name: 'rows' });

test('streams say where null may come, and filters and aggregations where it no longer does', () => {
  expectType<KStream<string | null, number | null>>()(stream);
  const present = stream.filter((_key, value) => value !== null);
  expectType<KStream<string | null, number>>()(present);
  expectType<KStream<string | null, string>>()(present.mapValues((value) => value.toFixed(2)));
  expectType<KStream<string | null, boolean>>()(present.flatMapValues((value) => [value > 1]));
  expectType<KStream<number, boolean>>()(present.map((_key, value) => ({ key: value, value: value > 1 })));
  expectType<KStream<number, number>>()(present.selectKey((_key, value) => value));
  expectType<KStream<string | null, number | string | null>>()(
    stream.merge(builder.stream('text', TEXT).mapValues((v) => v)),
  );
  expectType<KGroupedStream<string, number | null>>()(stream.groupByKey());
  expectType<KTable<string, number>>()(stream.toTable({ name: 'to-table' }));
  const grouped = stream.groupByKey();
  expectType<KTable<string, number>>()(grouped.count({ name: 'counts' }));
  expectType<KTable<string, number>>()(grouped.reduce((sum, value) => sum + value, { name: 'sums' }));
  const longest = grouped.aggregate(
    () => '',
    (key, value, longest) => (key.length + value > longest.length ? key : longest),
    { name: 'longest', valueSerde: Serdes.string },
  );
  expectType<KTable<string, string>>()(longest);
  // A narrower stream stands where a wider one is asked for.
  const wider: KStream<string | null, number | null> = present;
  assert.ok(wider);
  // @ts-expect-error a value that may be null is not a number
  stream.mapValues((value) => value.toFixed(2));
  // @ts-expect-error the store of another type
  grouped.count({ name: 'wrong', valueSerde: Serdes.string });
});

test('tables are never null inside, and their streams may be', () => {
  expectType<KTable<string, string>>()(table);
  expectType<KStream<string, string | null>>()(table.toStream());
  expectType<KTable<string, number>>()(table.mapValues((value) => (value === '' ? null : value.length)));
  const kinds = table.mapValues((value): 'a' | 'b' => (value === 'a' ? 'a' : 'b'));
  expectType<KTable<string, 'a'>>()(kinds.filter((_key, kind): kind is 'a' => kind === 'a'));
  const grouped = table.groupBy((key, value) => ({ key: value.length, value: key }), {
    keySerde: Serdes.int32,
    valueSerde: Serdes.string,
  });
  expectType<KGroupedTable<number, string>>()(grouped);
  expectType<KTable<number, number>>()(grouped.count({ name: 'by-length' }));
});

test('joins tell by their operand what the joiner gets', () => {
  const sizes = builder.table('sizes', NUMBERS, { name: 'sizes' });
  table.join(sizes, (text, size, key) => {
    expectType<string>()(text);
    expectType<number>()(size);
    expectType<string>()(key);
    return { text, size };
  }) satisfies KTable<string, { text: string; size: number }>;
  table.leftJoin(sizes, (text, size) => {
    expectType<string>()(text);
    expectType<number | null>()(size);
    return size;
  }) satisfies KTable<string, number>;
  table.outerJoin(sizes, (text, size) => {
    expectType<string | null>()(text);
    expectType<number | null>()(size);
    return text ?? String(size);
  }) satisfies KTable<string, string>;
  const joined = stream.join(table, (value, text, key) => {
    expectType<number>()(value);
    expectType<string>()(text);
    expectType<string>()(key);
    return value + text.length;
  });
  expectType<KStream<string, number>>()(joined);
  const left = stream.leftJoin(table, (value, text, key) => {
    expectType<string | null>()(text);
    expectType<string | null>()(key);
    return value;
  });
  expectType<KStream<string | null, number>>()(left);
  const global = builder.globalTable('global', NUMBERS, { name: 'global' });
  expectType<GlobalKTable<string, number>>()(global);
  const lookedUp = stream.join(
    global,
    (key, value) => {
      expectType<number>()(value);
      return key;
    },
    (value, found) => value + found,
  );
  expectType<KStream<string | null, number>>()(lookedUp);
  const first = (value: number): number => value;
  // @ts-expect-error a global table has text as key
  stream.join(global, () => 5, first);
  const byNumber = builder.table(
    'by-number',
    { keySerde: Serdes.int32, valueSerde: Serdes.string },
    { name: 'by-number' },
  );
  // @ts-expect-error keys of another type do not meet
  stream.join(byNumber, (value) => value);
});

test('a join by foreign key takes the other table by the type of its key', () => {
  const people = builder.table('people', TEXT, { name: 'people' });
  const ages = builder.table(
    'ages',
    { keySerde: Serdes.int32, valueSerde: Serdes.longNumber },
    { name: 'ages' },
  );
  const joined = people.leftJoin(
    ages,
    (_key, value) => (value === '' ? null : value.length),
    (person, age, key) => {
      expectType<string>()(person);
      expectType<number | null>()(age);
      expectType<string>()(key);
      return { person, age };
    },
    { name: 'by-length' },
  );
  expectType<KTable<string, { person: string; age: number | null }>>()(joined);
  const text = (key: string): string => key;
  // @ts-expect-error the other table has numbers as keys
  people.join(ages, text, (person) => person, { name: 'by-text' });
});

test('joins of streams tell which side may be missing, and where the key may', () => {
  const words = builder.stream('words', TEXT);
  const windows = JoinWindows.ofTimeDifferenceWithNoGrace(5);
  const inner = stream.join(
    words,
    (value, word, key) => {
      expectType<number>()(value);
      expectType<string>()(word);
      expectType<string>()(key);
      return value + word.length;
    },
    windows,
    { name: 'stream-join' },
  );
  expectType<KStream<string, number>>()(inner);
  const left = stream.leftJoin(words, (value, word) => word ?? value, windows, { name: 'stream-left' });
  expectType<KStream<string | null, string | number>>()(left);
  const keyed = words.selectKey((_key, word) => word ?? '');
  const outer = keyed.outerJoin(words, (one, two) => one ?? two, windows, {
    name: 'keyed-outer',
    keySerde: Serdes.string,
  });
  expectType<KStream<string | null, string | null>>()(outer);
  expectType<KStream<string, string>>()(
    keyed.join(words, (one, two) => one + two, windows, { name: 'keyed-join', keySerde: Serdes.string }),
  );
  stream.outerJoin(
    words,
    (value, word, key) => {
      expectType<number | null>()(value);
      expectType<string | null>()(word);
      expectType<string | null>()(key);
      return value;
    },
    windows,
    { name: 'stream-outer' },
  );
  assert.throws(() => {
    // @ts-expect-error no name
    stream.join(words, (value) => value, windows);
  }, /join keeps state and needs a name/);
});

test('windows come as the key, and only a windowed table waits for them to close', () => {
  const windowed = stream.groupByKey().windowedBy(TimeWindows.ofSizeWithNoGrace(10));
  expectType<TimeWindowedKStream<string, number | null>>()(windowed);
  const sliding = stream.groupByKey().windowedBy(SlidingWindows.ofTimeDifferenceWithNoGrace(10));
  expectType<TimeWindowedKStream<string, number | null>>()(sliding);
  const sessions = stream
    .groupByKey()
    .windowedBy(SessionWindows.ofInactivityGapWithNoGrace(10))
    .emitStrategy(EmitStrategy.onWindowClose());
  expectType<SessionWindowedKStream<string, number | null>>()(sessions);
  const joined = sessions.aggregate(
    () => '',
    (_key, value, text) => {
      expectType<number | null>()(value);
      return text;
    },
    (_key, one, two) => one + two,
    { name: 'session-texts', valueSerde: Serdes.string },
  );
  expectType<KTable<Windowed<string>, string>>()(joined);
  const cogrouped = stream
    .groupByKey()
    .cogroup((key, value, text: string) => `${text}${key}${value}`)
    .cogroup(builder.stream('more', TEXT).groupByKey(), (_key, value, text) => {
      expectType<string | null>()(value);
      expectType<string>()(text);
      return text;
    });
  expectType<CogroupedKStream<string, string>>()(cogrouped);
  expectType<KTable<string, string>>()(
    cogrouped.aggregate(() => '', { name: 'cogrouped', valueSerde: Serdes.string }),
  );
  const counts = windowed.count({ name: 'windowed' });
  expectType<KTable<Windowed<string>, number>>()(counts);
  const final = counts.suppress(Suppressed.untilWindowCloses({ name: 'final' }));
  expectType<KTable<Windowed<string>, number>>()(final);
  expectType<KTable<string, string>>()(table.suppress(Suppressed.untilTimeLimit(5, { name: 'calm' })));
  assert.throws(() => {
    // @ts-expect-error a final result must not leave early
    Suppressed.untilWindowCloses({ name: 'early', buffer: { maxRecords: 1, whenFull: 'emit-early' } });
  }, /suppress early: its whenFull is 'emit-early'; give one of fail/);
  assert.throws(() => {
    // @ts-expect-error there is no window to close
    table.suppress(Suppressed.untilWindowCloses({ name: 'none' }));
  }, /the table has none/);
});

test('a predicate that tells the type of the key narrows it, and one of a branch what it is chained to', () => {
  const keyed = stream.filter((key) => key !== null);
  expectType<KStream<string, number | null>>()(keyed);
  expectType<KStream<string, number>>()(keyed.filter((_key, value) => value !== null));
  expectType<KStream<string | null, number | null>>()(stream.filter((key, value) => key === `${value}`));
  const parts = stream
    .split({ name: 'typed-' })
    .branch((_key, value) => value !== null, {
      name: 'valued',
      chain: (branch) => {
        expectType<KStream<string | null, number>>()(branch);
        return branch.filter((_key, value) => value > 1);
      },
    })
    .branch((key) => key !== null, {
      name: 'keyed',
      chain: (branch) => {
        expectType<KStream<string, number | null>>()(branch);
        return undefined;
      },
    })
    .branch((key, value) => key === `${value}`, {
      name: 'same',
      chain: (branch) => {
        expectType<KStream<string | null, number | null>>()(branch);
        return branch;
      },
    })
    .branch((_key, value) => value !== null)
    .noDefaultBranch();
  expectType<ReadonlyMap<string, KStream<string | null, number | null>>>()(parts);
  assert.deepEqual([...parts.keys()], ['typed-valued', 'typed-same', 'typed-4']);
});

test('an operator that keeps state asks for a name', () => {
  assert.throws(() => {
    // @ts-expect-error no name
    stream.groupByKey().count({});
  }, /count keeps state and needs a name/);
  assert.throws(() => {
    // @ts-expect-error no options
    stream.toTable();
  }, /toTable keeps state and needs a name/);
});
