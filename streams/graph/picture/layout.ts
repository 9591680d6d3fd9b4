/** A box to be placed: links enter it on the left and leave it on the right, both at `portY` below its top. */
export interface Box {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly portY: number;
  /** The column it stands in, counted from the left. */
  readonly column: number;
}

export interface Link {
  readonly from: string;
  readonly to: string;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  /** The top left corner of each box. */
  readonly corners: ReadonlyMap<string, Point>;
  /** The points that each link passes, in the order of the links; between columns it bends, within one it runs straight. */
  readonly routes: readonly (readonly Point[])[];
  readonly columns: readonly { readonly x: number; readonly width: number }[];
  readonly height: number;
}

const ROW_GAP = 18;
const COLUMN_GAP = 52;
const SWEEPS = 8;

/** A box, or a place that a link passes in a column between its ends. */
interface Item extends Box {
  readonly before: Item[];
  readonly after: Item[];
  order: number;
  y: number;
}

function itemOf(box: Box): Item {
  return { ...box, before: [], after: [], order: 0, y: 0 };
}

/** The chain of items a link runs over: its ends, and one of no height in each column between. */
function chainsOf(items: ReadonlyMap<string, Item>, links: readonly Link[], columns: Item[][]): Item[][] {
  return links.map(({ from, to }, index) => {
    const [first, last] = [items.get(from)!, items.get(to)!];
    const chain = [first];
    for (let column = first.column + 1; column < last.column; column += 1) {
      const place = itemOf({ id: `${index}/${column}`, width: 0, height: 0, portY: 0, column });
      columns[column]!.push(place);
      chain.push(place);
    }
    chain.push(last);
    for (let at = 1; at < chain.length; at += 1) {
      chain[at - 1]!.after.push(chain[at]!);
      chain[at]!.before.push(chain[at - 1]!);
    }
    return chain;
  });
}

function mean(values: readonly number[], otherwise: number): number {
  return values.length === 0 ? otherwise : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function number(column: readonly Item[]): void {
  for (const [order, item] of column.entries()) item.order = order;
}

function crossings(columns: readonly (readonly Item[])[]): number {
  let count = 0;
  for (const column of columns) {
    const ends = column.flatMap((item) => item.after.map((other) => [item.order, other.order] as const));
    for (const [index, [a, b]] of ends.entries())
      for (const [c, d] of ends.slice(index + 1)) if ((a - c) * (b - d) < 0) count += 1;
  }
  return count;
}

/** Orders the items of each column by the mean place of their neighbours, to and fro; keeps the order with the fewest crossings. */
function untangle(columns: Item[][]): void {
  let best = columns.map((column) => [...column]);
  columns.forEach(number);
  let fewest = crossings(columns);
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep += 1) {
    const forward = sweep % 2 === 0;
    for (const column of forward ? columns : [...columns].reverse()) {
      const places = new Map(
        column.map((item) => {
          const neighbours = (forward ? item.before : item.after).map(({ order }) => order);
          return [item, mean(neighbours, item.order)];
        }),
      );
      column.sort((a, b) => places.get(a)! - places.get(b)! || a.order - b.order);
      number(column);
    }
    const count = crossings(columns);
    if (count >= fewest) continue;
    fewest = count;
    best = columns.map((column) => [...column]);
  }
  for (const [index, column] of best.entries()) {
    columns[index] = column;
    number(column);
  }
}

/**
 * Moves the items of a column as near to where they would like to be as their order and the gaps allow: least squares under an order, by
 * pooling adjacent violators (Ayer et al., 1955).
 */
function settle(column: readonly Item[], wanted: readonly number[]): void {
  const offsets: number[] = [];
  let offset = 0;
  for (const item of column) {
    offsets.push(offset);
    offset += item.height + ROW_GAP;
  }
  const blocks: { sum: number; count: number }[] = [];
  for (const [index, y] of wanted.entries()) {
    let block = { sum: y - offsets[index]!, count: 1 };
    for (;;) {
      const last = blocks.at(-1);
      if (last === undefined || last.sum / last.count <= block.sum / block.count) break;
      blocks.pop();
      block = { sum: last.sum + block.sum, count: last.count + block.count };
    }
    blocks.push(block);
  }
  let index = 0;
  for (const { sum, count } of blocks) {
    for (let at = 0; at < count; at += 1, index += 1) column[index]!.y = sum / count + offsets[index]!;
  }
}

function place(columns: readonly Item[][]): number {
  for (const column of columns)
    settle(
      column,
      column.map(() => 0),
    );
  const port = (item: Item): number => item.y + item.portY;
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (const column of sweep % 2 === 0 ? columns : [...columns].reverse()) {
      const wanted = column.map((item) => {
        const neighbours = [...item.before, ...item.after].map(port);
        return mean(neighbours, port(item)) - item.portY;
      });
      settle(column, wanted);
    }
  }
  const all = columns.flat();
  const top = Math.min(...all.map(({ y }) => y));
  for (const item of all) item.y = Math.round(item.y - top);
  return Math.max(...all.map(({ y, height }) => y + height));
}

/**
 * Places boxes in columns so that links, which lead from left to right, cross little and run straight where they can: a layered drawing
 * after Sugiyama. The same boxes and links give the same picture.
 */
export function layOut(boxes: readonly Box[], links: readonly Link[]): Layout {
  const count = 1 + Math.max(...boxes.map(({ column }) => column));
  const columns = Array.from({ length: count }, (): Item[] => []);
  const items = new Map(boxes.map((box) => [box.id, itemOf(box)]));
  for (const item of items.values()) columns[item.column]!.push(item);
  const chains = chainsOf(items, links, columns);
  untangle(columns);
  const height = place(columns);
  let x = 0;
  const spans = columns.map((column) => {
    const span = { x, width: Math.max(0, ...column.map(({ width }) => width)) };
    x += span.width + COLUMN_GAP;
    return span;
  });
  const routes = chains.map((chain) =>
    chain.flatMap((item, index) => {
      const { x: left, width } = spans[item.column]!;
      const y = item.y + item.portY;
      const right = left + (item.width === 0 ? width : item.width);
      const points = [
        { x: left, y },
        { x: right, y },
      ];
      return index === 0 ? points.slice(1) : index === chain.length - 1 ? points.slice(0, 1) : points;
    }),
  );
  const corners = new Map([...items].map(([id, { column, y }]) => [id, { x: spans[column]!.x, y }]));
  return { corners, routes, columns: spans, height };
}
