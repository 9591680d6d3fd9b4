import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { layersOf } from '../../../serving/app/ops/layers.ts';
import { layOut, NODE_HEIGHT, NODE_WIDTH } from '../../../serving/app/ops/layout.ts';

const SEED = 20261126;
const NODES = Array.from({ length: 12 }, (_, index) => `n${index}`);
const graphs = fc.uniqueArray(
  fc
    .tuple(fc.constantFrom(...NODES), fc.constantFrom(...NODES))
    .map(([from, to]) => ({ from, to, global: false })),
  { maxLength: 30, selector: ({ from, to }) => `${from} ${to}` },
);

test('edges lead from left to right, but those that close a circle', () => {
  fc.assert(
    fc.property(graphs, (edges) => {
      const { columns, back } = layersOf(NODES, edges);
      const column = new Map(columns.flatMap((slots, index) => slots.map(({ id }) => [id, index] as const)));
      for (const edge of edges) {
        if (back.has(`${edge.from} ${edge.to}`)) continue;
        assert.ok(column.get(edge.from)! < column.get(edge.to)!);
      }
      assert.deepEqual(
        columns.flatMap((slots) => slots.flatMap(({ id, bend }) => (bend ? [] : [id]))).sort(),
        [...NODES].sort(),
      );
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test('without a circle none leads back', () => {
  fc.assert(
    fc.property(graphs, (edges) => {
      const ordered = edges.filter(({ from, to }) => NODES.indexOf(from) < NODES.indexOf(to));
      assert.equal(layersOf(NODES, ordered).back.size, 0);
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test('no two nodes overlap, and all is within the picture', () => {
  fc.assert(
    fc.property(graphs, (edges) => {
      const { nodes, edges: drawn, width, height } = layOut(NODES, edges);
      assert.equal(drawn.length, edges.length);
      for (const [index, a] of nodes.entries()) {
        assert.ok(a.x >= 0 && a.y >= 0 && a.x + NODE_WIDTH <= width && a.y + NODE_HEIGHT <= height);
        for (const b of nodes.slice(index + 1))
          assert.ok(
            Math.abs(a.x - b.x) >= NODE_WIDTH || Math.abs(a.y - b.y) >= NODE_HEIGHT,
            `${a.id} ${b.id}`,
          );
      }
    }),
    { seed: SEED, numRuns: 200 },
  );
});
