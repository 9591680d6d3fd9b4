import { JoinWindows, Serdes, type SimulatedWorkload, StreamsBuilder } from '../../../streams/index.ts';
import { CLOSING_MS, closing, drawInputs, TEXTS } from './inputs.ts';

const PARTITIONS = 3;

function streamJoins() {
  const builder = new StreamsBuilder();
  const left = builder.stream('left', TEXTS);
  const right = builder.stream('right', TEXTS);
  const near = JoinWindows.ofTimeDifferenceAndGrace(20, 10).after(35);
  const both = (a: string | null, b: string | null) => `${a}+${b}`;
  left.outerJoin(right, both, near, { name: 'outer' }).to('outer', TEXTS);
  left.join(right, both, JoinWindows.ofTimeDifferenceWithNoGrace(15), { name: 'inner' }).to('inner', TEXTS);
  left.leftJoin(right, both, near, { name: 'left-join' }).to('left-joined', TEXTS);
  return builder.build();
}

/** Streams joined within windows; records without partner are told of when their windows close. */
export const STREAM_JOINS: SimulatedWorkload = {
  name: 'stream-joins',
  applications: [{ applicationId: 'stream-joins', topology: streamJoins() }],
  partitions: { left: PARTITIONS, right: PARTITIONS, outer: 2, inner: 2, 'left-joined': 2 },
  inputs: (chance) => [
    ...drawInputs(chance, { topics: ['left', 'right'], count: 50, keys: 5, late: 200, lateMsMax: 40 }),
    ...closing(['left', 'right'], PARTITIONS, CLOSING_MS),
  ],
};

function tableJoins() {
  const builder = new StreamsBuilder();
  const left = builder.table('left', TEXTS, { name: 'left-rows' });
  const right = builder.table('right', TEXTS, { name: 'right-rows' });
  const text = { valueSerde: Serdes.string };
  left
    .outerJoin(right, (a, b) => `${a}+${b}`, { materialized: { name: 'both', ...text } })
    .toStream()
    .to('both', text);
  left
    .leftJoin(
      right,
      (_key, value) => `k${value.length % 7}`,
      (a, b) => `${a}>${b}`,
      { name: 'refer', materialized: { name: 'referred', ...text } },
    )
    .toStream()
    .to('referred', text);
  left
    .groupBy((_key, value) => ({ key: `g${value.length % 3}`, value }), { ...TEXTS, name: 'groups' })
    .count({ name: 'group-sizes' })
    .toStream()
    .to('sizes');
  return builder.build();
}

/** Tables joined by key and by foreign key, and regrouped. */
export const TABLE_JOINS: SimulatedWorkload = {
  name: 'table-joins',
  applications: [{ applicationId: 'table-joins', topology: tableJoins() }],
  partitions: { left: PARTITIONS, right: PARTITIONS, both: 2, referred: 2, sizes: 2 },
  inputs: (chance) =>
    drawInputs(chance, {
      topics: ['left', 'right'],
      count: 50,
      keys: 7,
      deletions: 150,
      value: (drawn, index) => `${index}`.padEnd(2 + drawn.below(5), '.'),
    }),
  // The time of a result depends on which of its rows came last.
  kafkaOutcome: { referred: 'last-value-by-key', both: 'last-value-by-key', sizes: 'last-value-by-key' },
  kafkaStores: ['left-rows', 'right-rows'],
};

function enriched() {
  const builder = new StreamsBuilder();
  const countries = builder.globalTable('countries', TEXTS, { name: 'countries', residence: 'copy' });
  const versions = builder.table('customers', TEXTS, { name: 'customers', historyRetentionMs: 60 });
  const orders = builder.stream('orders', TEXTS).filter((key, value) => key !== null && value !== null);
  orders
    .join(
      countries,
      (_key, value) => `k${value!.length % 5}`,
      (order, country) => `${order} to ${country}`,
    )
    .to('sent', { valueSerde: Serdes.string });
  orders
    .leftJoin(versions, (order, customer) => `${order} of ${customer}`, { name: 'as-of', gracePeriodMs: 15 })
    .to('owned', { valueSerde: Serdes.string });
  orders
    .groupByKey()
    .cogroup((_key, _value, count: number) => count + 1)
    .cogroup(builder.stream('returns', TEXTS).groupByKey(), (_key, _value, count) => count + 1_000)
    .aggregate(() => 0, { name: 'balance', valueSerde: Serdes.longNumber })
    .toStream()
    .to('balance');
  return builder.build();
}

/** A stream with a table that every instance holds whole, with versions of rows as of its time, and with another one in a cogroup. */
export const ENRICHED: SimulatedWorkload = {
  name: 'enriched',
  applications: [{ applicationId: 'enriched', topology: enriched() }],
  partitions: {
    countries: 2,
    customers: PARTITIONS,
    orders: PARTITIONS,
    returns: PARTITIONS,
    sent: 2,
    owned: 2,
    balance: 2,
  },
  inputs: (chance) => [
    ...drawInputs(chance, { topics: ['countries'], count: 12, keys: 5, deletions: 100 }).map((record) => ({
      ...record,
      initial: true,
    })),
    ...drawInputs(chance, {
      topics: ['countries', 'customers', 'orders', 'orders', 'returns'],
      count: 60,
      keys: 6,
      deletions: 60,
      late: 200,
      lateMsMax: 40,
      value: (drawn, index) => `${index}`.padEnd(2 + drawn.below(5), '.'),
    }),
    ...closing(['customers', 'orders', 'returns'], PARTITIONS, CLOSING_MS),
  ],
  kafkaOutcome: { balance: 'last-by-key' },
  kafkaStores: ['balance'],
};
