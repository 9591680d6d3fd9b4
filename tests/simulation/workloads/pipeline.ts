import { Serdes, type SimulatedWorkload, StreamsBuilder, TimeWindows } from '../../../streams/index.ts';
import { drawInputs, TEXTS } from './inputs.ts';

function orders() {
  const builder = new StreamsBuilder();
  const orders = builder.stream('orders', TEXTS).filter((key, value) => key !== null && value !== null);
  orders
    .selectKey((_key, value) => value!.split(':')[0]!)
    .mapValues((value) => value!)
    .repartition({ ...TEXTS, name: 'by-item', partitions: 4 })
    .groupByKey()
    .aggregate(
      () => 0,
      (_key, value, sum: number) => sum + Number(value!.split(':')[1]),
      {
        name: 'sold',
        valueSerde: Serdes.longNumber,
      },
    )
    .toStream()
    .to('sold');
  const customers = orders.groupByKey().count({ name: 'customers' });
  orders
    .join(customers, (order, count) => `${order} is ${count}`)
    .to('numbered', { valueSerde: Serdes.string });
  return builder.build();
}

function totals() {
  const builder = new StreamsBuilder();
  builder
    .table('sold', { keySerde: Serdes.string, valueSerde: Serdes.longNumber }, { name: 'sold-rows' })
    .groupBy((_item, sold) => ({ key: 'all', value: sold }), {
      name: 'all',
      keySerde: Serdes.string,
      valueSerde: Serdes.longNumber,
    })
    .aggregate(
      () => 0,
      (_key, value, sum) => sum + value,
      (_key, value, sum) => sum - value,
      {
        name: 'total',
        valueSerde: Serdes.longNumber,
      },
    )
    .toStream()
    .to('total');
  builder
    .stream('numbered', TEXTS)
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(100, 10_000))
    .count({ name: 'rate' });
  return builder.build();
}

/** Two applications, the second of which reads what the first one writes, over repartition topics of different widths. */
export const PIPELINE: SimulatedWorkload = {
  name: 'pipeline',
  applications: [
    { applicationId: 'orders', topology: orders() },
    { applicationId: 'totals', topology: totals() },
  ],
  partitions: { orders: 3, sold: 2, numbered: 3, total: 1 },
  inputs: (chance) =>
    drawInputs(chance, {
      topics: ['orders'],
      count: 50,
      keys: 6,
      deletions: 30,
      value: (drawn) => `item-${drawn.below(5)}:${drawn.between(1, 9)}`,
    }),
  kafkaOutcome: { numbered: 'records-by-key', sold: 'last-by-key', total: 'last-by-key' },
  kafkaStores: ['sold', 'customers', 'rate'],
};
