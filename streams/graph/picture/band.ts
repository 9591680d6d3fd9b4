import type { GlobalStoreDescription, NodeDescription, TopologyDescription } from '../describe.ts';
import { type Box, type Layout, type Link, layOut } from './layout.ts';

export type ShapeKind = 'topic' | 'repartition' | 'source' | 'processor' | 'sink';

/** What a box shows. */
export interface Shape {
  readonly kind: ShapeKind;
  readonly name: string;
  readonly lines: readonly string[];
  readonly width: number;
  /** Of the shape alone; the stores below it come on top. */
  readonly height: number;
  /** Stores that hang below: those of a processor that no processor before it has. */
  readonly stores: readonly string[];
  /** Stores that hang below another processor of the band. */
  readonly borrowed: readonly string[];
}

/** A sub-topology or a global store, laid out by itself: topics on both sides, what runs between them in a frame. */
export interface Band {
  readonly title: string;
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly links: readonly Link[];
  readonly layout: Layout;
  /** The column of the last nodes: the frame ends there. */
  readonly lastColumn: number;
  /** Ids of the boxes of the topics read and written. */
  readonly read: ReadonlyMap<string, string>;
  readonly written: ReadonlyMap<string, string>;
}

/** The width of a character of the font of fixed width, by its size. */
export const CHARACTER_EM = 0.602;
export const FONT_SIZE = 12;
export const LINE_HEIGHT = 15;
export const STORE_HEIGHT = 28;
export const STORE_GAP = 7;
/** How far stores stand in from the left side of their processor. */
export const STORE_INDENT = 20;
const PADDING = 12;
const LINE_CHARACTERS = 28;

export function textWidth(text: string, fontSize = FONT_SIZE): number {
  return Math.ceil([...text].length * fontSize * CHARACTER_EM);
}

/** Breaks a name into lines, behind a mark between words where there is one. */
export function wrapped(name: string): readonly string[] {
  const lines: string[] = [];
  let rest = [...name];
  while (rest.length > LINE_CHARACTERS) {
    const head = rest.slice(0, LINE_CHARACTERS);
    const mark = Math.max(...['-', '.', '_', ' '].map((each) => head.lastIndexOf(each)));
    const length = mark > LINE_CHARACTERS / 3 ? mark + 1 : LINE_CHARACTERS;
    lines.push(rest.slice(0, length).join(''));
    rest = rest.slice(length);
  }
  return [...lines, rest.join('')];
}

/** The word above the name; a topic that is not the application's own and a processor speak for themselves. */
export const CAPTIONS: Readonly<Record<ShapeKind, string | null>> = {
  topic: null,
  repartition: 'repartition topic',
  source: 'source',
  processor: null,
  sink: 'sink',
};

export function storeWidth(name: string): number {
  return textWidth(name) + 2 * PADDING;
}

function shapeOf(
  kind: ShapeKind,
  name: string,
  stores: readonly string[] = [],
  borrowed: readonly string[] = [],
): Shape {
  const lines = wrapped(name);
  const caption = CAPTIONS[kind];
  const texts = [...lines.map((line) => textWidth(line)), caption === null ? 0 : textWidth(caption, 10)];
  const width = Math.max(...texts, ...stores.map((store) => storeWidth(store) + STORE_INDENT - 2 * PADDING));
  const height = 14 + lines.length * LINE_HEIGHT + (caption === null ? 0 : 12);
  return { kind, name, lines, width: width + 2 * PADDING, height, stores, borrowed };
}

function boxOf(id: string, column: number, { width, height, stores }: Shape): Box {
  const hanging = stores.length * (STORE_HEIGHT + STORE_GAP);
  return { id, column, width, height: height + hanging, portY: height / 2 };
}

/** The column of each node: behind all its parents, sinks in the last. */
function columnsOf(nodes: readonly NodeDescription[]): ReadonlyMap<string, number> {
  const columns = new Map<string, number>();
  for (const { name, parents } of nodes)
    columns.set(name, 1 + Math.max(0, ...parents.map((parent) => columns.get(parent) ?? 0)));
  const last = Math.max(...columns.values());
  for (const { name, kind } of nodes) if (kind === 'sink') columns.set(name, last);
  return columns;
}

function bandOf(title: string, nodes: readonly NodeDescription[], internal: ReadonlySet<string>): Band {
  const columns = columnsOf(nodes);
  const last = 1 + Math.max(...columns.values());
  const shapes = new Map<string, Shape>();
  const boxes: Box[] = [];
  const links: Link[] = [];
  const sides = { read: new Map<string, string>(), written: new Map<string, string>() };
  const add = (id: string, column: number, shape: Shape): void => {
    shapes.set(id, shape);
    boxes.push(boxOf(id, column, shape));
  };
  const topic = (side: 'read' | 'written', name: string): string => {
    const id = `${side} ${name}`;
    if (!sides[side].has(name))
      add(id, side === 'read' ? 0 : last, shapeOf(internal.has(name) ? 'repartition' : 'topic', name));
    sides[side].set(name, id);
    return id;
  };
  const hung = new Set<string>();
  for (const { kind, name, topics, stores, parents } of nodes) {
    const id = `node ${name}`;
    const own = stores.filter((store) => !hung.has(store));
    const borrowed = stores.filter((store) => hung.has(store));
    for (const store of own) hung.add(store);
    add(id, columns.get(name)!, shapeOf(kind, name, own, borrowed));
    for (const parent of parents) links.push({ from: `node ${parent}`, to: id });
    for (const each of topics) {
      if (kind === 'source') links.push({ from: topic('read', each), to: id });
      else links.push({ from: id, to: topic('written', each) });
    }
  }
  return { title, shapes, links, layout: layOut(boxes, links), lastColumn: last - 1, ...sides };
}

function globalNodes({ store, source, topic, processor }: GlobalStoreDescription): NodeDescription[] {
  const common = { topics: [], stores: [], parents: [], children: [] };
  return [
    { ...common, kind: 'source', name: source, topics: [topic], children: [processor] },
    { ...common, kind: 'processor', name: processor, stores: [store], parents: [source] },
  ];
}

/** The bands of a topology: its sub-topologies, then its global stores. */
export function bandsOf({
  subtopologies,
  globalStores,
  internalTopics,
}: TopologyDescription): readonly Band[] {
  const internal = new Set(internalTopics);
  return [
    ...subtopologies.map(({ id, nodes }) => bandOf(`Sub-topology ${id}`, nodes, internal)),
    ...globalStores.map((global) =>
      bandOf(`Global store ${global.store}, whole in each instance`, globalNodes(global), internal),
    ),
  ];
}
