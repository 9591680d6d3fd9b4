import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Box, type Link, layOut } from '../../../streams/graph/picture/layout.ts';
import {
  drawTopologies,
  JoinWindows,
  Serdes,
  StreamsBuilder,
  type Topology,
} from '../../../streams/index.ts';

const SEED = 20_250_611;
const TEXTS = { keySerde: Serdes.string, valueSerde: Serdes.string };

/** Boxes in columns, and links that lead to the right. */
const graphs = fc
  .array(fc.record({ column: fc.nat(6), width: fc.integer({ min: 20, max: 300 }), rows: fc.nat(9) }), {
    minLength: 1,
    maxLength: 24,
  })
  .chain((drawn) => {
    const boxes: Box[] = drawn.map(({ column, width, rows }, index) => ({
      id: `box ${index}`,
      column,
      width,
      height: 28 + rows * 30,
      portY: 14,
    }));
    const pairs = boxes.flatMap((from) =>
      boxes.filter((to) => to.column > from.column).map((to): Link => ({ from: from.id, to: to.id })),
    );
    return fc.record({
      boxes: fc.constant(boxes),
      links: fc.subarray(pairs, { maxLength: Math.min(40, pairs.length) }),
    });
  });

test('boxes never overlap, and links run from the right of one to the left of the other', () => {
  fc.assert(
    fc.property(graphs, ({ boxes, links }) => {
      const { corners, routes, height } = layOut(boxes, links);
      for (const [index, box] of boxes.entries()) {
        const { x, y } = corners.get(box.id)!;
        assert.ok(y >= 0 && y + box.height <= height);
        for (const other of boxes.slice(index + 1)) {
          const at = corners.get(other.id)!;
          const apart =
            x + box.width <= at.x ||
            at.x + other.width <= x ||
            y + box.height <= at.y ||
            at.y + other.height <= y;
          assert.ok(apart, `${box.id} lies on ${other.id}`);
        }
      }
      for (const [index, { from, to }] of links.entries()) {
        const box = boxes.find(({ id }) => id === from)!;
        const route = routes[index]!;
        assert.deepEqual(route[0], {
          x: corners.get(from)!.x + box.width,
          y: corners.get(from)!.y + box.portY,
        });
        assert.deepEqual(route.at(-1), { x: corners.get(to)!.x, y: corners.get(to)!.y + box.portY });
        for (let at = 1; at < route.length; at += 1) assert.ok(route[at]!.x >= route[at - 1]!.x);
      }
      assert.deepEqual(layOut(boxes, links), layOut(boxes, links));
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('a chain of boxes stands on one line', () => {
  const boxes = [0, 1, 2, 3].map((column) => ({ id: `${column}`, column, width: 50, height: 40, portY: 20 }));
  const links = [1, 2, 3].map((column) => ({ from: `${column - 1}`, to: `${column}` }));
  const heights = new Set([...layOut(boxes, links).corners.values()].map(({ y }) => y));
  assert.deepEqual([...heights], [0]);
});

function shop(): Topology {
  const builder = new StreamsBuilder();
  const products = builder.globalTable('products', TEXTS, { name: 'products' });
  builder
    .stream('orders', TEXTS)
    .join(
      builder.stream('payments', TEXTS),
      (a, b) => `${a}${b}`,
      JoinWindows.ofTimeDifferenceAndGrace(5, 5),
      {
        name: 'paid',
      },
    )
    .join(
      products,
      (_key, value) => value,
      (order, product) => `${order}${product}`,
    )
    .filter(() => true, { name: 'by <product> & "more"' })
    .groupBy((_key, value) => value, TEXTS)
    .count({ name: 'by-product' })
    .toStream()
    .to('counts');
  return builder.build();
}

/** The names of the elements of a document whose tags are balanced. */
function elementsOf(document: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  for (const [, closing, name, empty] of document.matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (closing === '/') assert.equal(open.pop(), name);
    else {
      names.push(name!);
      if (empty === '') open.push(name!);
    }
  }
  assert.deepEqual(open, []);
  return names;
}

test('the picture shows every node, topic and store, and tells of them in words', () => {
  const description = shop().describe();
  const svg = description.toSvg('shop');
  const elements = elementsOf(svg);
  assert.deepEqual(elements.slice(0, 3), ['svg', 'title', 'desc']);
  assert.ok(!/NaN|Infinity|undefined/.test(svg));
  const shown = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]!).join('');
  const escaped = (name: string): string =>
    name.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
  for (const { nodes } of description.subtopologies) {
    for (const { name, topics, stores } of nodes)
      for (const each of [name, ...topics, ...stores]) assert.ok(shown.includes(escaped(each)), each);
  }
  assert.match(svg, /role="img" aria-labelledby="topology-title topology-description"/);
  assert.match(svg, /<title id="topology-title">Topology of shop<\/title>/);
  const marked = description.toSvg('<shop> & "more"');
  elementsOf(marked);
  assert.match(marked, /<title id="topology-title">Topology of &lt;shop&gt; &amp; &quot;more&quot;<\/title>/);
  assert.match(
    svg,
    /shop, Sub-topology 0: reads orders, payments; keeps paid-other-join-store, paid-this-join-store; writes by-product-repartition\./,
  );
  assert.match(
    svg,
    /shop, Global store products, whole in each instance: reads products; keeps products; writes nothing\./,
  );
  assert.match(svg, /@media \(prefers-color-scheme:dark\)/);
});

test('a repartition topic leads from the sub-topology that writes it to the one that reads it', () => {
  const svg = shop().describe().toSvg('shop');
  assert.equal(svg.match(/class="passage"/g)?.length, 1);
  assert.equal(svg.match(/class="frame"/g)?.length, 3);
});

test('the same topology gives the same picture, and several fit into one', () => {
  assert.equal(shop().describe().toSvg('shop'), shop().describe().toSvg('shop'));
  const both = drawTopologies([
    { title: 'one', description: shop().describe() },
    { title: 'two', description: shop().describe() },
  ]);
  assert.match(both, /<title id="topology-title">Topology of one, two<\/title>/);
  assert.equal(both.match(/class="frame"/g)?.length, 6);
});
