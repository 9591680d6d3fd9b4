import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readGolden, readPartitionedGolden } from './golden.ts';
import { run } from './run.ts';
import type { Operator } from './spec.ts';

const golden = readGolden();

/** By name, so that an operator that is no longer drawn is missed. */
const OPERATORS: Readonly<Record<Operator, true>> = {
  stream: true,
  table: true,
  globalTable: true,
  filter: true,
  filterNot: true,
  map: true,
  mapValues: true,
  flatMap: true,
  flatMapValues: true,
  selectKey: true,
  split: true,
  branch: true,
  merge: true,
  repartition: true,
  process: true,
  processValues: true,
  groupByKey: true,
  groupBy: true,
  count: true,
  reduce: true,
  aggregate: true,
  cogroup: true,
  toTable: true,
  joinStream: true,
  joinTable: true,
  joinGlobal: true,
  tableFilter: true,
  tableFilterNot: true,
  tableMapValues: true,
  tableTransformValues: true,
  tableGroupBy: true,
  tableCount: true,
  tableReduce: true,
  tableAggregate: true,
  tableJoin: true,
  foreignKeyJoin: true,
  suppressClosed: true,
  suppressTime: true,
  toStream: true,
  to: true,
};

test('every golden case gives, record for record, what Kafka Streams gave', () => {
  for (const { spec, outcome } of golden) assert.deepEqual(run(spec), outcome, `case ${spec.id}`);
});

test('so does every golden case of several partitions, each record in the partition that Kafka gives its key', () => {
  const partitioned = readPartitionedGolden();
  assert.ok(partitioned.length >= 20, `${partitioned.length} cases`);
  for (const { spec, outcome } of partitioned) assert.deepEqual(run(spec), outcome, `case ${spec.id}`);
  const several = partitioned.filter(({ outcome }) =>
    Object.values(outcome.partitions!).some((each) => new Set(each).size > 1),
  );
  assert.ok(several.length >= 10, `${several.length} cases write to several partitions`);
});

test('the golden cases hold every operator, windows and joins of each kind, with grace and cache and without', () => {
  const nodes = golden.flatMap(({ spec }) => spec.nodes);
  const missing = Object.keys(OPERATORS).filter((op) => nodes.every((node) => node.op !== op));
  assert.deepEqual(missing, []);
  for (const op of ['joinStream', 'joinTable', 'joinGlobal', 'tableJoin'] as const) {
    const kinds = new Set(nodes.filter((node) => node.op === op).map(({ kind }) => kind));
    assert.ok(kinds.has('inner') && kinds.has('left'), `${op} inner and left`);
    assert.equal(kinds.has('outer'), op === 'joinStream' || op === 'tableJoin', `${op} outer`);
  }
  const windowed = nodes.filter((node) => node.windows !== undefined);
  for (const kind of ['gapMs', 'differenceMs', 'sizeMs'])
    for (const onClose of [true, false])
      assert.ok(
        windowed.some((node) => kind in node.windows! && (node.onClose ?? false) === onClose),
        `${kind}, on close ${onClose}`,
      );
  for (const kind of ['gapMs', 'differenceMs', 'sizeMs'])
    assert.ok(
      windowed.some((node) => node.op === 'cogroup' && kind in node.windows!),
      `cogroup by ${kind}`,
    );
  const windows = windowed.flatMap((node) =>
    'sizeMs' in node.windows! ? [{ ...node.windows, ...node }] : [],
  );
  for (const hopping of [true, false])
    for (const grace of [true, false])
      for (const cached of [true, false]) {
        const found = windows.some(
          (each) =>
            each.advanceMs < each.sizeMs === hopping &&
            each.graceMs > 0 === grace &&
            (each.cached ?? false) === cached,
        );
        assert.ok(found, `hopping ${hopping}, grace ${grace}, cached ${cached}`);
      }
});
