/** A directed graph put into layers from left to right: which node stands in which column and row. */
import type { Edge } from './model.ts';

/** A node of a column: one of the graph, or a bend of an edge that passes the column. */
export interface Slot {
  readonly id: string;
  readonly bend: boolean;
}

/** An edge between neighbouring columns, as part of one of the graph. */
interface Link {
  readonly from: string;
  readonly to: string;
}

export interface Layers {
  readonly columns: readonly (readonly Slot[])[];
  /** The bends of a forward edge, in order; by `from to`. */
  readonly bends: ReadonlyMap<string, readonly string[]>;
  /** Edges that lead back, by `from to`. */
  readonly back: ReadonlySet<string>;
}

const SWEEPS = 12;

export function nameOf({ from, to }: Link): string {
  return `${from} ${to}`;
}

/** Edges that close a circle when the nodes are visited in their order. */
function backEdges(nodes: readonly string[], edges: readonly Edge[]): ReadonlySet<string> {
  const back = new Set<string>();
  const state = new Map<string, 'open' | 'done'>();
  const visit = (node: string): void => {
    state.set(node, 'open');
    for (const edge of edges) {
      if (edge.from !== node) continue;
      if (state.get(edge.to) === 'open') back.add(nameOf(edge));
      else if (!state.has(edge.to)) visit(edge.to);
    }
    state.set(node, 'done');
  };
  for (const node of nodes) if (!state.has(node)) visit(node);
  return back;
}

/** Each node one column right of the last that leads to it; then sources move right, next to what they lead to first. */
function columnsOf(nodes: readonly string[], forward: readonly Edge[]): Map<string, number> {
  const column = new Map(nodes.map((node) => [node, 0]));
  // As many rounds as there are nodes at most: there is no circle any more.
  for (let round = 0; round < nodes.length; round += 1) {
    let moved = false;
    for (const { from, to } of forward) {
      if (column.get(to)! > column.get(from)!) continue;
      column.set(to, column.get(from)! + 1);
      moved = true;
    }
    if (!moved) break;
  }
  const entered = new Set(forward.map(({ to }) => to));
  for (const node of nodes) {
    const next = forward.filter(({ from }) => from === node).map(({ to }) => column.get(to)!);
    if (!entered.has(node) && next.length > 0) column.set(node, Math.min(...next) - 1);
  }
  return column;
}

/** Orders each column by where the neighbours in the column before (or after) stand, back and forth. */
function order(columns: Slot[][], links: readonly Link[]): void {
  const place = new Map<string, number>();
  const renumber = (): void => {
    for (const column of columns)
      for (const [row, { id }] of column.entries()) place.set(id, row - column.length / 2);
  };
  const barycenter = (id: string, forward: boolean): number => {
    const near = links
      .filter((link) => (forward ? link.to : link.from) === id)
      .map((link) => place.get(forward ? link.from : link.to)!);
    return near.length === 0 ? place.get(id)! : near.reduce((sum, row) => sum + row, 0) / near.length;
  };
  renumber();
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const forward = sweep % 2 === 0;
    for (const column of forward ? columns : [...columns].reverse()) {
      const wanted = new Map(column.map(({ id }) => [id, barycenter(id, forward)]));
      column.sort((a, b) => wanted.get(a.id)! - wanted.get(b.id)!);
      renumber();
    }
  }
}

/** @param nodes in the order in which circles are entered: what comes first stands left */
export function layersOf(nodes: readonly string[], edges: readonly Edge[]): Layers {
  const back = backEdges(nodes, edges);
  const forward = edges.filter((edge) => !back.has(nameOf(edge)));
  const column = columnsOf(nodes, forward);
  const width = Math.max(...column.values(), 0) + 1;
  const columns: Slot[][] = Array.from({ length: width }, () => []);
  for (const node of nodes) columns[column.get(node)!]!.push({ id: node, bend: false });
  const bends = new Map<string, readonly string[]>();
  const links: Link[] = [];
  for (const edge of forward) {
    const passed: string[] = [];
    let before = edge.from;
    for (let at = column.get(edge.from)! + 1; at < column.get(edge.to)!; at += 1) {
      const id = `bend ${nameOf(edge)} ${at}`;
      columns[at]!.push({ id, bend: true });
      links.push({ from: before, to: id });
      passed.push(id);
      before = id;
    }
    links.push({ from: before, to: edge.to });
    bends.set(nameOf(edge), passed);
  }
  order(columns, links);
  return { columns, bends, back };
}
