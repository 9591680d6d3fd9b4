import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  JoinWindows,
  SessionWindows,
  Stores,
  type StreamsBuilder,
  Suppressed,
  TimeWindows,
} from '../../../streams/index.ts';
import { NUMBERS, refusalOf } from './support.ts';

/** What a caller without types may pass. */
const wrong = (given: unknown): never => given as never;

/** What is expected by what is declared: told apart by spaces at the ends where two are refused alike. */
function holds(refused: Readonly<Record<string, (builder: StreamsBuilder) => unknown>>): void {
  for (const [expected, declare] of Object.entries(refused))
    assert.equal(refusalOf(declare), expected.trim());
}

const stream = (builder: StreamsBuilder) => builder.stream('in', NUMBERS);
const grouped = (builder: StreamsBuilder) => stream(builder).groupByKey();
const rows = (builder: StreamsBuilder) => builder.table('rows', NUMBERS, { name: 'rows' });
const columns = (builder: StreamsBuilder) => builder.table('columns', NUMBERS, { name: 'columns' });
const windowed = (builder: StreamsBuilder) => grouped(builder).windowedBy(TimeWindows.ofSizeWithNoGrace(10));
const sessions = (builder: StreamsBuilder) =>
  grouped(builder).windowedBy(SessionWindows.ofInactivityGapWithNoGrace(10));

test('a suppression is refused for what it does not know, by its name and with what it knows', () => {
  const early = { maxRecords: 1, whenFull: 'emit-early' } as const;
  const nameless =
    'suppress keeps state and needs a name, so that a changed topology finds it again; pass { name }';
  holds({
    "suppress s: its whenFull is 'shutdown'; give one of emit-early, fail": (builder) =>
      rows(builder).suppress(
        Suppressed.untilTimeLimit(5, { name: 's', buffer: { whenFull: wrong('shutdown') } }),
      ),
    "suppress s: its whenFull is 'emit-early'; give one of fail": (builder) =>
      windowed(builder)
        .count({ name: 'c' })
        .suppress(Suppressed.untilWindowCloses({ name: 's', buffer: wrong(early) })),
    [nameless]: () => Suppressed.untilTimeLimit(5, wrong(undefined)),
    [`${nameless} `]: () => Suppressed.untilWindowCloses(wrong(undefined)),
    "suppress s: a time limit of '5' ms; it is a whole number of at least 0": () =>
      Suppressed.untilTimeLimit(wrong('5'), { name: 's' }),
    "suppress s: a buffer of '5' records and Infinity bytes holds nothing; leave a bound out or make it a number of at least 1":
      () => Suppressed.untilTimeLimit(5, { name: 's', buffer: { maxRecords: wrong('5') } }),
  });
});

test('a source is refused for settings that it cannot read by', () => {
  const names = 'pass the name of a topic, or an array of names';
  holds({
    [`a source reads a pattern, which cannot be subscribed to; ${names}`]: (builder) =>
      builder.stream(wrong(/in.*/), NUMBERS),
    [`a source reads undefined; ${names}`]: (builder) => builder.stream(wrong(undefined), NUMBERS),
    [`a source reads the object given; ${names}`]: (builder) => builder.stream(wrong(['a', 5]), NUMBERS),
    'source KSTREAM-SOURCE-0000000000 reads a topic twice; name each once': (builder) =>
      builder.stream(['a', 'b', 'a'], NUMBERS),
    'the source of in has no serde for its key; pass keySerde': (builder) =>
      builder.stream('in', wrong(undefined)),
    "the source of in: its valueSerde is 'json'; pass one with serialize and deserialize": (builder) =>
      builder.stream('in', { ...NUMBERS, valueSerde: wrong('json') }),
    'the source of in: its timestampExtractor is 5; leave it out or pass a function (record, partitionTimeMs) => timestampMs':
      (builder) => builder.stream('in', { ...NUMBERS, timestampExtractor: wrong(5) }),
    "the source of in: its offsetReset is 'none'; give one of earliest, latest": (builder) =>
      builder.table('in', { ...NUMBERS, offsetReset: wrong('none') }),
    "the global store world: its offsetReset is 'none'; give one of earliest, latest": (builder) =>
      builder.globalTable('in', { ...NUMBERS, offsetReset: wrong('none') }, { name: 'world' }),
  });
});

test('a partitioner that is no function is refused by the operator it is given to', () => {
  const sends = (place: string, what = 'partitioner'): string =>
    `${place}: its ${what} is 5; leave it out or pass a function (topic, key, value, partitions) => partition or null`;
  const joined = { name: 'j', ...NUMBERS, foreignKeySerde: NUMBERS.keySerde };
  const add = (a: number, b: number): number => a + b;
  holds({
    [sends('to out')]: (builder) => stream(builder).to('out', { partitioner: wrong(5) }),
    [sends('repartition r')]: (builder) => stream(builder).repartition({ name: 'r', partitioner: wrong(5) }),
    [sends('join j')]: (builder) =>
      rows(builder).join(columns(builder), (key: string) => key, add, { ...joined, partitioner: wrong(5) }),
    [sends('leftJoin j', 'foreignPartitioner')]: (builder) =>
      rows(builder).leftJoin(
        columns(builder),
        (key: string) => key,
        (a: number) => a,
        { ...joined, foreignPartitioner: wrong(5) },
      ),
  });
});

test('a store is refused for what it cannot be, by the operator that keeps it', () => {
  const residences = 'give one of persistent, memory, copy, replayed';
  const retention = (given: string): string =>
    `count c: a retention of ${given} ms; it is a whole number of at least 10, for`;
  const window = 'the window of 10 ms and its grace of 0 ms';
  const within = JoinWindows.ofTimeDifferenceWithNoGrace(5);
  holds({
    [`count c: store c: its residence is 'disk'; ${residences}`]: (builder) =>
      grouped(builder).count({ name: 'c', residence: wrong('disk') }),
    [`count c: store c: its residence is 'disk'; ${residences} `]: (builder) =>
      windowed(builder).count({ name: 'c', residence: wrong('disk') }),
    [` count c: store c: its residence is 'disk'; ${residences}`]: (builder) =>
      sessions(builder).count({ name: 'c', residence: wrong('disk') }),
    [`globalTable world: store world: its residence is 'disk'; ${residences}`]: (builder) =>
      builder.globalTable('in', NUMBERS, { name: 'world', residence: wrong('disk') }),
    [`leftJoin j: store j-this-join-store: its residence is 'disk'; ${residences}`]: (builder) =>
      stream(builder).leftJoin(builder.stream('o', NUMBERS), () => 1, within, {
        name: 'j',
        residence: wrong('disk'),
      }),
    'count c: store c: it may keep -5 decoded entries (cacheEntriesMax); it is a whole number of at least 0':
      (builder) => grouped(builder).count({ name: 'c', cacheEntriesMax: -5 }),
    'table rows: store rows: a history retention of -1 ms; it is a whole number of at least 0': (builder) =>
      builder.table('rows', NUMBERS, { name: 'rows', historyRetentionMs: -1 }),
    [`${retention("'100'")} ${window}`]: (builder) =>
      windowed(builder).count({ name: 'c', retentionMs: wrong('100') }),
    [`${retention('20.5')} ${window}`]: (builder) =>
      windowed(builder).count({ name: 'c', retentionMs: 20.5 }),
    [`${retention('NaN')} the gap of 10 ms and its grace of 0 ms`]: (builder) =>
      sessions(builder).count({ name: 'c', retentionMs: Number.NaN }),
    "TimeWindows: a size of '5' ms; it is a whole number of at least 1": () =>
      TimeWindows.ofSizeWithNoGrace(wrong('5')),
    "emitStrategy: its strategy is 'onWindowClose'; give one of on-window-update, on-window-close": (
      builder,
    ) => windowed(builder).emitStrategy(wrong('onWindowClose')),
    "emitStrategy: its strategy is 'closed'; give one of on-window-update, on-window-close": (builder) =>
      sessions(builder).emitStrategy(wrong('closed')),
  });
});

test('a supplier must make a processor of its own for each that asks, which is found when the topology is built', () => {
  const shared = { process: () => {} };
  const again =
    'processor p: its supplier gives the same processor again; make a new one in each call of get()';
  const none = (given: string): string =>
    `processor p: its supplier gave ${given}, which has no process(record); return a processor`;
  const store = Stores.keyValueStore({ name: 'world', ...NUMBERS });
  holds({
    [again]: (builder) => stream(builder).process({ get: () => shared }, { name: 'p' }),
    [`${again} `]: (builder) => stream(builder).processValues({ get: () => shared }, { name: 'p' }),
    'processor world-update: its supplier gives the same processor again; make a new one in each call of get()':
      (builder) => builder.addGlobalStore(store, 'in', NUMBERS, { get: () => shared }),
    [none('null')]: (builder) => stream(builder).process({ get: () => wrong(null) }, { name: 'p' }),
    [none('the object given')]: (builder) => stream(builder).process({ get: () => wrong({}) }, { name: 'p' }),
  });
});
