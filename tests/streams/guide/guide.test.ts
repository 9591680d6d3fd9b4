import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ApplicationDefinition,
  Serdes,
  StreamsBuilder,
  StreamsRuntime,
  TimeWindows,
  type Topology,
  TopologyTestDriver,
} from '../../../streams/index.ts';
import { LogUnderTest } from '../log/support.ts';
import { EXAMPLES, example, outcome, TEXTS } from './examples.ts';

test('windows of a minute are told of once, late visits left out', () => {
  const driver = new TopologyTestDriver({ applicationId: 'visits', topology: example('visitsByMinute') });
  const visits = driver.createInputTopic('visits', Serdes.string, Serdes.string);
  for (const atMs of [1_000, 59_999, 65_000, 2_000, 70_000, 3_000, 130_000])
    visits.pipeInput('home', 'x', atMs);
  assert.deepEqual(driver.createOutputTopic('minutes', Serdes.string, Serdes.string).readKeyValuesToList(), [
    ['home', '0: 3'],
    ['home', '60000: 2'],
  ]);
  const dropped = driver.metrics().find(({ name }) => name === 'dropped-records-total');
  assert.equal(dropped?.value, 1);
});

test('a sliding window sees a burst of errors wherever it begins', () => {
  const errors = [900, 1_700, 1_800, 5_000].map((atMs) => ['errors', 'db', 'x', atMs] as const);
  assert.deepEqual(outcome(example('burstsOfErrors'), errors, 'alarms'), [
    ['db', '3 errors within a second'],
  ]);
});

test('sessions are told of when they are over', () => {
  const clicks = [
    ['clicks', 'ann', 'home', 1_000],
    ['clicks', 'ann', 'news', 25_000],
    ['clicks', 'ann', 'home', 70_000],
    ['clicks', 'bob', 'home', 140_000],
  ] as const;
  assert.deepEqual(outcome(example('sessionsOfUsers'), clicks, 'paths-of-users'), [
    ['ann', '1000-25000: home > news'],
    ['ann', '70000-70000: home'],
  ]);
});

test('a suppressed table tells of the newest value once in a second', () => {
  const readings = [0, 300, 600, 1_000, 1_200].map(
    (atMs) => ['temperatures', 'hall', `${atMs}`, atMs] as const,
  );
  assert.deepEqual(outcome(example('atMostOncePerSecond'), readings, 'calm-temperatures'), [
    ['hall', '1000'],
  ]);
});

test('an inner join of streams pairs what lies within a minute', () => {
  const records = [
    ['orders', 'o1', 'tea', 10_000],
    ['payments', 'o1', 'card', 69_000],
    ['orders', 'o2', 'milk', 100_000],
    ['payments', 'o2', 'cash', 161_000],
  ] as const;
  assert.deepEqual(outcome(example('paidOrders'), records, 'paid'), [['o1', 'tea paid by card']]);
});

test('a left join of streams tells of orders that nobody paid', () => {
  const records = [
    ['orders', 'o1', 'tea', 10_000],
    ['orders', 'o2', 'milk', 11_000],
    ['payments', 'o1', 'card', 40_000],
    ['payments', 'o2', 'cash', 71_500],
    ['payments', 'o3', 'cash', 80_000],
  ] as const;
  assert.deepEqual(outcome(example('ordersWithoutPayment'), records, 'results'), [
    ['o1', 'tea, paid by card'],
    ['o2', 'milk, not paid'],
  ]);
});

test('an outer join of streams tells of what is alone on either side', () => {
  const records = [
    ['sent', 'p1', 'book', 0],
    ['received', 'p1', 'book', 2_000],
    ['sent', 'p2', 'lamp', 3_000],
    ['received', 'p3', 'cup', 4_000],
    ['sent', 'p4', 'desk', 20_000],
  ] as const;
  assert.deepEqual(outcome(example('sentAndReceived'), records, 'deliveries'), [
    ['p1', 'book arrived'],
    ['p2', 'lamp lost'],
    ['p3', 'cup from nowhere'],
  ]);
});

test('a stream finds the row of a table as it is when its record comes', () => {
  const records = [
    ['clicks', 'ann', 'home', 0],
    ['regions', 'ann', 'Ticino', 1],
    ['clicks', 'ann', 'news', 2],
  ] as const;
  assert.deepEqual(outcome(example('clicksWithRegions'), records, 'clicks-with-regions'), [
    ['ann', 'home in an unknown region'],
    ['ann', 'news in Ticino'],
  ]);
});

test('a table of versions gives a late sale the price of its time', () => {
  const records = [
    ['prices', 'tea', '3', 0],
    ['prices', 'tea', '4', 60_000],
    ['sales', 'tea', 'one', 65_000],
    ['sales', 'tea', 'two', 59_000],
    ['sales', 'tea', 'clock', 90_000],
  ] as const;
  // The second sale comes late, within the ten seconds that sales wait: they leave by their time.
  assert.deepEqual(outcome(example('pricesOfTheTime'), records, 'priced-sales'), [
    ['tea', 'two at 3'],
    ['tea', 'one at 4'],
  ]);
});

test('a global table is looked up by what the record says', () => {
  const records = [
    ['products', 'tea', 'green tea', 0],
    ['orders', 'o1', 'tea', 1],
  ] as const;
  assert.deepEqual(outcome(example('ordersWithProducts'), records, 'described-orders'), [
    ['o1', 'tea: green tea'],
  ]);
});

test('a join of tables changes with either of them', () => {
  const records = [
    ['customers', 'c1', 'Ann', 0],
    ['addresses', 'c1', 'Main Street', 1],
    ['customers', 'c1', null, 2],
  ] as const;
  assert.deepEqual(outcome(example('customersWithAddresses'), records, 'labels'), [
    ['c1', 'Ann, no address'],
    ['c1', 'Ann, Main Street'],
    ['c1', null],
  ]);
});

test('a foreign key leads from each order to its customer', () => {
  const records = [
    ['customers', 'ann', 'Ann Lee', 0],
    ['orders', 'o1', 'tea for ann', 1],
    ['orders', 'o2', 'milk for ann', 2],
    ['customers', 'ann', 'Ann Ray', 3],
  ] as const;
  assert.deepEqual(outcome(example('ordersWithCustomers'), records, 'orders-with-customers'), [
    ['o1', 'tea for ann (Ann Lee)'],
    ['o2', 'milk for ann (Ann Lee)'],
    ['o1', 'tea for ann (Ann Ray)'],
    ['o2', 'milk for ann (Ann Ray)'],
  ]);
});

test('a punctuation tells of sensors that fell silent', () => {
  const records = [
    ['readings', 'cellar', '9', 0],
    ['readings', 'attic', '21', 100_000],
    ['readings', 'attic', '22', 185_000],
  ] as const;
  assert.deepEqual(outcome(example('silentSensors'), records, 'alarms'), [['cellar', 'silent']]);
});

test('a dead letter keeps the record and its cause, and the application goes on', (context) => {
  const told = context.mock.method(console, 'error', () => undefined);
  const topology = example<Topology>('amounts');
  const driver = new TopologyTestDriver(example<ApplicationDefinition>('tolerant', { topology }));
  const amounts = driver.createInputTopic('amounts', Serdes.string, Serdes.string);
  for (const text of ['1.5', 'many', '2']) amounts.pipeInput('a', text);
  const numbers = driver.createOutputTopic('numbers', Serdes.string, Serdes.double).readKeyValuesToList();
  assert.deepEqual(numbers, [
    ['a', 1.5],
    ['a', 2],
  ]);
  const [letter] = driver
    .createOutputTopic('amounts.dead-letter', Serdes.string, Serdes.string)
    .readRecordsToList();
  assert.equal(letter?.value, 'many');
  const message = letter?.headers.find(({ key }) => key === '__streams.errors.message');
  assert.match(String(message?.value), /many is no number/);
  assert.match(String(told.mock.calls[0]?.arguments[0]), /^KSTREAM-MAPVALUES-\d+ failed on amounts at 1: /);
});

test('the test driver runs several partitions, and a crash loses nothing', () => {
  const topology = example<Topology>('visitsByMinute');
  const minutes = example<readonly (readonly [string, string])[]>('testing', { topology });
  assert.deepEqual([...minutes].sort(), [
    ['home', '0: 2'],
    ['home', '60000: 1'],
    ['news', '0: 1'],
  ]);
});

test('queries see counts, windows and versions of a running application', async () => {
  const builder = new StreamsBuilder();
  const orders = builder.stream('orders', TEXTS).groupByKey();
  orders.count({ name: 'orders-by-customer' });
  orders.windowedBy(TimeWindows.ofSizeAndGrace(60_000, 60_000)).count({ name: 'orders-by-minute' });
  builder.table('prices', TEXTS, { name: 'prices', historyRetentionMs: 3_600_000 });
  const under = new LogUnderTest();
  const log = await under.open();
  try {
    await log.admin.createTopics(
      ['orders', 'prices'].map((name) => ({
        name,
        partitions: 2,
        retentionMs: null,
        cleanupPolicy: 'delete' as const,
      })),
    );
    const runtime = new StreamsRuntime({
      engine: log,
      applications: [{ applicationId: 'shop', topology: builder.build() }],
      wallClock: () => 0,
    });
    await runtime.start();
    const producer = log.createProducer();
    const record = (topic: string, key: string, value: string, timestamp: number) => ({
      topic,
      key: Buffer.from(key),
      value: Buffer.from(value),
      timestamp,
    });
    await producer.send([
      record('prices', 'tea', '3', 1_000),
      record('prices', 'tea', '4', 2_000),
      record('orders', 'ann', 'tea', 1_000),
      record('orders', 'ann', 'tea', 61_000),
      record('orders', 'bob', 'tea', 62_000),
    ]);
    const found = example<{ ann: number; all: string[]; byMinute: string[]; atOpening: string | null }>(
      'query',
      {
        runtime,
      },
    );
    assert.deepEqual(
      { ...found, all: [...found.all].sort() },
      { ann: 2, all: ['ann: 2', 'bob: 1'], byMinute: ['0: 1', '60000: 1'], atOpening: '3' },
    );
    await producer.close();
    await runtime.close();
  } finally {
    await under.dispose();
  }
});

test('a topology is shown as text, as Mermaid and as a picture', () => {
  const topology = example<Topology>('visitsByMinute');
  const { text, mermaid, svg } = example<{ text: string; mermaid: string; svg: string }>('picture', {
    topology,
  });
  assert.match(text, /Sub-topology: 0/);
  assert.match(mermaid, /^flowchart LR/);
  assert.match(svg, /visits-by-minute/);
});

test('every example of the guide is run here', () => {
  const run = [
    'visitsByMinute burstsOfErrors sessionsOfUsers atMostOncePerSecond paidOrders ordersWithoutPayment sentAndReceived',
    'clicksWithRegions pricesOfTheTime ordersWithProducts customersWithAddresses ordersWithCustomers silentSensors',
    'amounts tolerant testing query picture',
  ].flatMap((line) => line.split(' '));
  assert.deepEqual(EXAMPLES.map(({ name }) => name).sort(), run.sort());
});
