import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  JoinWindows,
  type KStream,
  type KTable,
  SessionWindows,
  type StreamsBuilder,
  TimeWindows,
} from '../../../streams/index.ts';
import { NUMBERS, refusalOf, TEXT } from './support.ts';

/** What a caller without types may pass. */
const NONE = undefined as never;

type Refused = Readonly<Record<string, (builder: StreamsBuilder) => unknown>>;

const stream = (builder: StreamsBuilder) => builder.stream('in', NUMBERS);
const grouped = (builder: StreamsBuilder) => stream(builder).groupByKey();
const windowed = (builder: StreamsBuilder) => grouped(builder).windowedBy(TimeWindows.ofSizeWithNoGrace(1));
const sessions = (builder: StreamsBuilder) =>
  grouped(builder).windowedBy(SessionWindows.ofInactivityGapWithNoGrace(1));
const rows = (builder: StreamsBuilder) => builder.table('rows', NUMBERS, { name: 'rows' });
const regrouped = (builder: StreamsBuilder) =>
  rows(builder).groupBy((key, value) => ({ key, value }), { ...NUMBERS, name: 'by-key' });
const columns = (builder: StreamsBuilder) => builder.table('columns', NUMBERS, { name: 'columns' });
const world = (builder: StreamsBuilder) => builder.globalTable('world', NUMBERS, { name: 'world' });
const others = (builder: StreamsBuilder) => builder.stream('others', NUMBERS);
const add = (a: number, b: number): number => a + b;
const either = (a: number | null, b: number | null): number => (a ?? 0) + (b ?? 0);
const addRow = (_key: string, value: number, sum: number): number => sum + value;
const zero = (): number => 0;
const kept = { name: 'kept', ...NUMBERS };
const within = JoinWindows.ofTimeDifferenceWithNoGrace(1);

/** What is expected, told apart by spaces at the ends where two operators are refused alike. */
function holds(refused: Refused): void {
  for (const [expected, declare] of Object.entries(refused))
    assert.equal(refusalOf(declare), expected.trim());
}

const needs = (operator: string, what: string, signature: string): string =>
  `${operator} needs its ${what}, but was given undefined; pass a function ${signature}`;

test('an operator of streams without its function is refused where it is declared, by name and with what to pass', () => {
  const predicate = '(key, value) => boolean';
  holds({
    [needs('filter', 'predicate', predicate)]: (builder) => stream(builder).filter(NONE),
    [needs('filterNot', 'predicate', predicate)]: (builder) => stream(builder).filterNot(NONE),
    [needs('branch of parts', 'predicate', predicate)]: (builder) =>
      stream(builder).split({ name: 'parts' }).branch(NONE),
    [needs('map', 'mapper', '(key, value) => ({ key, value })')]: (builder) => stream(builder).map(NONE),
    [needs('flatMap', 'mapper', '(key, value) => [{ key, value }, ...]')]: (builder) =>
      stream(builder).flatMap(NONE),
    [needs('mapValues', 'mapper', '(value, key) => newValue')]: (builder) => stream(builder).mapValues(NONE),
    [needs('flatMapValues', 'mapper', '(value, key) => [newValue, ...]')]: (builder) =>
      stream(builder).flatMapValues(NONE),
    [needs('selectKey', 'mapper', '(key, value) => newKey')]: (builder) => stream(builder).selectKey(NONE),
    [needs('groupBy', 'mapper', '(key, value) => newKey')]: (builder) => stream(builder).groupBy(NONE),
    [needs('peek', 'action', '(key, value) => void')]: (builder) => stream(builder).peek(NONE),
    [needs('foreach', 'action', '(key, value) => void')]: (builder) => stream(builder).foreach(NONE),
    'process needs what makes its processor; pass a supplier { get: () => processor }': (builder) =>
      stream(builder).process(NONE),
    'processValues needs what makes its processor; pass a supplier { get: () => processor }': (builder) =>
      stream(builder).processValues(NONE),
    'to needs a topic; pass its name, or a function (key, value, context) => name': (builder) =>
      stream(builder).to(NONE),
    'merge needs a KStream to combine with, but was given undefined; pass one as its first argument': (
      builder,
    ) => stream(builder).merge(NONE),
  });
});

test('a join without its operand, joiner or key is refused', () => {
  const joiner = '(left, right, key) => value';
  const pairs = { ...kept, leftValueSerde: NUMBERS.valueSerde, rightValueSerde: NUMBERS.valueSerde };
  const left = (builder: StreamsBuilder) => stream(builder) as KStream<string, number>;
  holds({
    'a stream is joined with a KStream, a KTable or a GlobalKTable': (builder) =>
      left(builder).join(NONE, add, within, pairs),
    [needs('join', 'joiner', joiner)]: (builder) => left(builder).join(others(builder), NONE, within, pairs),
    [needs('leftJoin', 'joiner', joiner)]: (builder) => left(builder).leftJoin(rows(builder), NONE),
    [needs('outerJoin', 'joiner', joiner)]: (builder) =>
      left(builder).outerJoin(others(builder), NONE, within, pairs),
    [needs('join', 'key selector', '(key, value) => newKey')]: (builder) =>
      left(builder).join(world(builder), NONE, add),
    [`${needs('join', 'joiner', joiner)} `]: (builder) =>
      left(builder).join(world(builder), (key) => key, NONE),
    'join needs a KTable to combine with, but was given undefined; pass one as its first argument': (
      builder,
    ) => rows(builder).join(NONE, add),
    'outerJoin needs a KTable to combine with, but was given undefined; pass one as its first argument': (
      builder,
    ) => rows(builder).outerJoin(NONE, either),
    [`${needs('outerJoin', 'joiner', joiner)} `]: (builder) =>
      rows(builder).outerJoin(columns(builder), NONE),
    [needs('leftJoin', 'foreign key', '(key, value) => foreignKey')]: (builder) =>
      rows(builder).leftJoin(columns(builder), NONE, either, kept),
    [`${needs('leftJoin', 'joiner', joiner)} `]: (builder) => {
      const table: KTable<string, number> = rows(builder);
      table.leftJoin(table, (key: string) => key, NONE, kept);
    },
  });
});

test('an aggregation without one of its functions, or without windows, is refused', () => {
  const reducer = '(aggregate, value) => aggregate';
  const aggregator = '(key, value, aggregate) => aggregate';
  const merger = '(key, one, two) => aggregate';
  holds({
    [needs('reduce', 'reducer', reducer)]: (builder) => grouped(builder).reduce(NONE, kept),
    [`${needs('reduce', 'reducer', reducer)} `]: (builder) => windowed(builder).reduce(NONE, kept),
    [` ${needs('reduce', 'reducer', reducer)}`]: (builder) => sessions(builder).reduce(NONE, kept),
    [` ${needs('reduce', 'reducer', reducer)} `]: (builder) => regrouped(builder).reduce(NONE, add, kept),
    [needs('reduce', 'subtractor', reducer)]: (builder) => regrouped(builder).reduce(add, NONE, kept),
    [needs('aggregate', 'initializer', '() => aggregate')]: (builder) =>
      grouped(builder).aggregate(NONE, addRow, kept),
    [needs('aggregate', 'aggregator', aggregator)]: (builder) => grouped(builder).aggregate(zero, NONE, kept),
    [`${needs('aggregate', 'aggregator', aggregator)} `]: (builder) =>
      windowed(builder).aggregate(zero, NONE, kept),
    [needs('aggregate', 'subtractor', aggregator)]: (builder) =>
      regrouped(builder).aggregate(zero, addRow, NONE, kept),
    [needs('aggregate', 'merger', merger)]: (builder) =>
      sessions(builder).aggregate(zero, (_key, _value, sum) => sum, NONE, kept),
    [needs('cogroup', 'aggregator', aggregator)]: (builder) => grouped(builder).cogroup(NONE),
    [`${needs('aggregate', 'initializer', '() => aggregate')} `]: (builder) =>
      grouped(builder)
        .cogroup<number>((_key, _value, sum) => sum)
        .aggregate(NONE, kept),
    'count kept has no windows; pass TimeWindows, SlidingWindows or SessionWindows to windowedBy': (
      builder,
    ) =>
      grouped(builder)
        .windowedBy(NONE as TimeWindows)
        .count(kept),
  });
});

test('so is an operator of tables', () => {
  holds({
    [needs('filter', 'predicate', '(key, value) => boolean')]: (builder) => rows(builder).filter(NONE),
    [needs('filterNot', 'predicate', '(key, value) => boolean')]: (builder) => rows(builder).filterNot(NONE),
    [needs('mapValues', 'mapper', '(value, key) => newValue')]: (builder) => rows(builder).mapValues(NONE),
    [needs('groupBy', 'selector', '(key, value) => ({ key, value })')]: (builder) =>
      rows(builder).groupBy(NONE, kept),
  });
});

test('what is no function is refused by what it is', () => {
  assert.match(
    refusalOf((builder) => builder.stream('in', TEXT).filter('value > 1' as never)),
    /^filter needs its predicate, but was given string; pass a function/,
  );
  assert.match(
    refusalOf((builder) => builder.stream('in', TEXT).mapValues(null as never)),
    /^mapValues needs its mapper, but was given null; pass a function/,
  );
});
