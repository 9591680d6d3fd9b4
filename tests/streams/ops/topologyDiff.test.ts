import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type StoreBuilder, Stores, stringSerde, Topology } from '../../../streams/index.ts';
import { diffTopologies } from '../../../streams/ops/topologyDiff.ts';
import { snapshotOf, type TopologySnapshot } from '../../../streams/ops/topologySnapshot.ts';

const serdes = { keySerde: stringSerde, valueSerde: stringSerde };

interface Shape {
  readonly input?: string;
  readonly output?: string;
  readonly stores?: readonly StoreBuilder[];
  readonly internal?: string;
  readonly partitions?: number;
}

function shaped({
  input = 'in',
  output = 'out',
  stores = [],
  internal,
  partitions = 4,
}: Shape): TopologySnapshot {
  const topology = new Topology()
    .addSource('source', input, serdes)
    .addProcessor('work', { get: () => ({ process: () => undefined }) }, 'source')
    .addSink('sink', output, serdes, 'work');
  for (const store of stores) topology.addStateStore(store, 'work');
  if (internal !== undefined) {
    topology
      .addInternalTopic(internal)
      .addSink('to-own', internal, serdes, 'work')
      .addSource('from-own', internal, serdes);
  }
  return snapshotOf('app', topology, () => partitions);
}

const keyValue = (name: string) => Stores.keyValueStore({ name, ...serdes });
const kinds = (before: Shape, after: Shape): string[] =>
  diffTopologies([shaped(before)], [shaped(after)]).map(({ kind, what }) => `${kind} ${what}`);

test('the same topology differs in nothing', () => {
  const shape = { stores: [keyValue('a')], internal: 'again' };
  assert.deepEqual(kinds(shape, shape), []);
  assert.deepEqual(shaped(shape).partitions, { in: 4, 'app-again': 4 });
});

test('a store that is gone is orphaned, a new one begins empty', () => {
  assert.deepEqual(kinds({ stores: [keyValue('a')] }, { stores: [keyValue('b')] }), [
    'orphan store a',
    'add store b',
  ]);
});

test('a store of another shape under the same name cannot be read', () => {
  const window = { name: 'a', ...serdes, windowSizeMs: 1_000, retentionMs: 60_000 };
  const changes = diffTopologies(
    [shaped({ stores: [Stores.windowStore(window)] })],
    [shaped({ stores: [Stores.windowStore({ ...window, readInRanges: true })] })],
  );
  assert.deepEqual(
    changes.map(({ kind, what }) => [kind, what]),
    [['incompatible', 'store a']],
  );
  assert.match(changes[0]!.consequence, /window \(window rows\) becomes window \(range rows\)/);
  assert.deepEqual(kinds({ stores: [keyValue('a')] }, { stores: [Stores.windowStore(window)] }), [
    'incompatible store a',
  ]);
});

test('other partitions of an input repartition it', () => {
  assert.deepEqual(kinds({ partitions: 4 }, { partitions: 8 }), ['repartition topic in']);
});

test('another input orphans a position, and the stores came of the one before', () => {
  assert.deepEqual(kinds({ stores: [keyValue('a')] }, { stores: [keyValue('a')], input: 'other' }), [
    'orphan position in in',
    'add input other',
    'repartition store a',
  ]);
});

test('topics of its own are orphaned and made, outputs begin and end', () => {
  assert.deepEqual(kinds({ internal: 'one' }, { internal: 'two', output: 'elsewhere' }), [
    'orphan topic app-one',
    'add topic app-two',
    'change output out',
    'change output elsewhere',
  ]);
});

test('applications come and go', () => {
  const other = { ...shaped({}), applicationId: 'other' };
  assert.deepEqual(
    diffTopologies([shaped({})], [other]).map(({ applicationId, kind, what }) => [applicationId, kind, what]),
    [
      ['other', 'add', 'application'],
      ['app', 'orphan', 'application'],
    ],
  );
});
