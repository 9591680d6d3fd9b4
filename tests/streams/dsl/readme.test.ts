import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as streams from '../../../streams/index.ts';
import { Serdes, type Topology, TopologyTestDriver } from '../../../streams/index.ts';

const README = readFileSync(new URL('../../../../streams/README.md', import.meta.url), 'utf8');

/** The code of an example in the guide as a function; what it uses of the runtime is given by name. */
function example<T>(name: string, given: Readonly<Record<string, unknown>> = {}): T {
  const found = new RegExp(`<!-- example: ${name} -->\n\`\`\`ts\n([^]*?)\`\`\``).exec(README);
  assert.ok(found, `the guide has no example ${name}`);
  const scope: Readonly<Record<string, unknown>> = { ...streams, ...given };
  const names = Object.keys(scope);
  return new Function(...names, found[1]!)(...names.map((each) => scope[each])) as T;
}

test('the word count of the guide counts words', () => {
  const topology = example<Topology>('wordCount');
  const counts = example<Map<string, number>>('tryIt', { topology });
  assert.deepEqual(
    counts,
    new Map([
      ['to', 2],
      ['be', 2],
      ['or', 1],
      ['not', 1],
    ]),
  );
  assert.deepEqual([...topology.stores.keys()], ['word-counts']);
  assert.deepEqual([...topology.internalTopics.keys()], ['word-counts-repartition']);
});

test('the windows of the guide tell of each minute once, late visits left out', () => {
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

test('the join of the guide tells of orders paid, and of those not paid when their minute is over', () => {
  const driver = new TopologyTestDriver({ applicationId: 'orders', topology: example('paidOrders') });
  const send = (topic: string, value: string, atMs: number, key = 'o1'): void =>
    driver.createInputTopic(topic, Serdes.string, Serdes.string).pipeInput(key, value, atMs);
  send('customers', 'Ann', 0);
  send('customers', 'Bob', 0, 'o2');
  send('orders', 'tea', 10_000);
  send('orders', 'milk', 11_000, 'o2');
  send('customers', 'Ann Lee', 20_000);
  send('payments', 'card', 40_000);
  send('payments', 'cash', 71_500, 'o2');
  send('payments', 'cash', 80_000, 'o3');
  assert.deepEqual(driver.createOutputTopic('paid', Serdes.string, Serdes.string).readKeyValuesToList(), [
    ['o1', 'Ann Lee: tea, paid by card'],
    ['o2', 'Bob: milk, not paid'],
  ]);
});
