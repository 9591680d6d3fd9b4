/** Draws a topology of one to six operators on one to three topics, and records for it, from a seed. */
import { seededRandom } from '../support/random.ts';
import { chance, generateInputs, pick, type Random } from './generateInputs.ts';
import type { CaseSpec, NodeSpec, Shape, ValueType } from './spec.ts';
import { STREAM_OPERATORS } from './streamOperators.ts';
import { TABLE_OPERATORS } from './tableOperators.ts';

/**
 * What downstream sees as a table's old values, where we differ from Kafka Streams on purpose (README.md): the same; the initial value of an
 * aggregation, which we leave out; or something made of such.
 */
export type OldValues = 'same' | 'initial' | 'other';

/** What is known of a stream or table drawn so far. */
export interface Handle {
  readonly place: number;
  readonly kind: 'stream' | 'table' | 'global';
  readonly shape: Shape;
  readonly oldValues: OldValues;
  /** Whether a table can be read by key: we refuse where it would need a store but has no name. */
  readonly readable: boolean;
  /** Whether the serde of a table's values is known without being told. */
  readonly serdeKnown: boolean;
  /** Whether a table's windows close. */
  readonly closes: boolean;
  readonly keyChanged: boolean;
  /** How long a table keeps versions of its rows; only of one read from a topic. */
  readonly historyMs?: number;
  readonly topics: ReadonlySet<string>;
  /** The repartition topics that it comes through. */
  readonly internal: ReadonlySet<string>;
}

/** A topology being drawn. */
export class Draft {
  readonly random: Random;
  readonly nodes: NodeSpec[] = [];
  readonly handles: Handle[] = [];
  readonly inputs = new Map<string, ValueType>();
  readonly #used = new Set<number>();
  #names = 0;
  punctuates = false;
  /** Whether records without key would make Kafka Streams fail. */
  needsKeys = false;

  constructor(random: Random) {
    this.random = random;
  }

  chance(percent: number): boolean {
    return chance(this.random, percent);
  }

  pick<T>(items: readonly T[]): T {
    return pick(this.random, items);
  }

  name(prefix: string): string {
    this.#names += 1;
    return `${prefix}${this.#names}`;
  }

  /** Adds a node. @returns its place */
  node(node: NodeSpec): number {
    for (const from of [node.of, node.other]) if (from !== undefined) this.#used.add(from);
    return this.nodes.push(node) - 1;
  }

  isUsed(place: number): boolean {
    return this.#used.has(place);
  }

  stream(place: number, from: Handle, changes: Partial<Handle> = {}): Handle {
    const { historyMs: _, ...rest } = from;
    const handle: Handle = {
      ...rest,
      place,
      kind: 'stream',
      shape: this.nodes[place]!.shape,
      oldValues: 'same',
      readable: false,
      serdeKnown: false,
      closes: false,
      ...changes,
    };
    this.handles.push(handle);
    return handle;
  }

  table(place: number, from: Handle, changes: Partial<Handle>): Handle {
    const { historyMs: _, ...rest } = from;
    const handle: Handle = {
      ...rest,
      place,
      kind: 'table',
      shape: this.nodes[place]!.shape,
      keyChanged: false,
      ...changes,
    };
    this.handles.push(handle);
    return handle;
  }

  /** The repartition topics behind an operator that needs one where the key was changed. */
  through(from: Handle, name: string): ReadonlySet<string> {
    return from.keyChanged ? new Set([...from.internal, name]) : from.internal;
  }

  /**
   * Whether what comes of both reaches the place where they meet in one order in both engines: ours works off repartition topics in the order
   * of writing, Kafka Streams by time.
   */
  mayMeet(a: Handle, b: Handle, internalOfA = a.internal): boolean {
    const shared = [...a.topics].some((topic) => b.topics.has(topic));
    if (!shared || internalOfA.size === 0 || b.internal.size === 0) return true;
    return internalOfA.size === b.internal.size && [...internalOfA].every((topic) => b.internal.has(topic));
  }
}

function source(draft: Draft, kind: Handle['kind']): void {
  const value = draft.pick<ValueType>(['text', 'number']);
  const topic = draft.name(kind === 'stream' ? 'in-' : `${kind}-`);
  draft.inputs.set(topic, value);
  const shape = { value };
  const base: Handle = {
    place: 0,
    kind,
    shape,
    oldValues: 'same',
    readable: true,
    serdeKnown: true,
    closes: false,
    keyChanged: false,
    topics: new Set([topic]),
    internal: new Set(),
  };
  if (kind === 'stream') draft.stream(draft.node({ op: 'stream', shape, topic }), base);
  else if (kind === 'global') {
    const place = draft.node({ op: 'globalTable', shape, topic, store: draft.name('global-store-') });
    draft.handles.push({ ...base, place });
  } else {
    const kept = draft.chance(85);
    const history = kept && draft.chance(25) ? { historyMs: draft.pick([20, 500]) } : {};
    const cached = draft.chance(30) && history.historyMs === undefined;
    const store = kept ? { store: draft.name('rows-'), cached, ...history } : {};
    draft.table(draft.node({ op: 'table', shape, topic, ...store }), base, { readable: kept, ...history });
  }
}

/** Writes what nothing reads, and some of the rest, to topics. */
function sinks(draft: Draft): void {
  for (const { place, kind, shape } of draft.handles) {
    if (kind === 'global' || (draft.isUsed(place) && !draft.chance(25))) continue;
    const of = kind === 'table' ? draft.node({ op: 'toStream', shape, of: place }) : place;
    draft.node({ op: 'to', shape, of, topic: draft.name('out-') });
  }
}

function grow(draft: Draft): void {
  const operators = 1 + draft.random(6);
  for (let made = 0, tries = 0; made < operators && tries < 60; tries += 1) {
    const from = draft.pick(draft.handles);
    // The newest is the likeliest, so that chains come about.
    const chosen = draft.chance(50) ? draft.handles[draft.handles.length - 1]! : from;
    if (chosen.kind === 'global') continue;
    const operator = draft.pick(chosen.kind === 'stream' ? STREAM_OPERATORS : TABLE_OPERATORS);
    if (operator(draft, chosen)) made += 1;
  }
}

/** Operators that go over topics of their own. */
const REPARTITIONING: readonly string[] = ['repartition', 'tableGroupBy', 'foreignKeyJoin'];

/** Whether a topology has no repartition topics, so that each partition can be had by a driver of its own: Kafka Streams' has one only. */
function inOneStep({ nodes, handles }: Draft): boolean {
  return (
    nodes.every(({ op }) => !REPARTITIONING.includes(op)) &&
    handles.every(({ internal }) => internal.size === 0)
  );
}

/** The case of a seed. */
export function generate(seed: number): CaseSpec {
  const random = seededRandom(Math.imul(seed, 2_654_435_761));
  for (let skip = 0; skip < 3; skip += 1) random(2);
  const draft = new Draft(random);
  const count = 1 + random(3);
  for (let index = 0; index < count; index += 1) {
    source(
      draft,
      draft.pick(index === 0 ? ['stream', 'stream', 'table'] : ['stream', 'table', 'table', 'global']),
    );
  }
  grow(draft);
  sinks(draft);
  const { nodes } = draft;
  // In the answers of a foreign-key join Kafka Streams takes a value of no bytes for none.
  const emptyTexts = !nodes.some(({ op }) => op === 'foreignKeyJoin');
  const inputs = generateInputs(random, draft.inputs, { emptyTexts, nullKeys: !draft.needsKeys });
  // In memory Kafka Streams' stores of a join take other notice of records without value than its default ones in RocksDB, and those of
  // sessions have another order.
  const ofDefaultStores = nodes.some(({ op, onClose }) => op === 'joinStream' || onClose === true);
  const persistent = ofDefaultStores || chance(random, 5);
  const partitions = inOneStep(draft) && chance(random, 40) ? { partitions: 2 + random(2) } : {};
  return { id: String(seed), nodes, inputs, ...partitions, ...(persistent ? { persistent } : {}) };
}
