import sortedBtree from 'sorted-btree';
import type { BytesStore, KeyValue, KeyValueIterator } from '../../../stores/store.ts';
import type { ChangeSink } from '../../../stores/transactional.ts';
import { type ChangesInFlight, type ChangeTree, KeptChanges, treeOf } from './inFlight.ts';

// The package is CommonJS: under Node's ESM its class is the member `default` of what is imported.
const BTree = sortedBtree.default;
type Tree<V> = InstanceType<typeof BTree<string, V>>;
type Entries = Generator<KeyValue<Buffer, Buffer>, undefined>;

/** Reads the entries of a store that are committed. Keys are without the store's prefix. */
export interface CommittedBytes {
  get(key: Buffer): Buffer | null;
  /** The first entries of from <= key < to, or the last ones in reverse. Null is open. */
  entries(
    from: Buffer | null,
    to: Buffer | null,
    reverse: boolean,
    limit: number,
  ): readonly KeyValue<Buffer, Buffer>[];
  /** A commit wrote these changes. */
  apply(changes: ReadonlyMap<string, Buffer | null>): void;
  approximateNumEntries(): number;
}

/** Byte strings as JavaScript strings, one byte a character: so they compare as bytes do. */
export function keyText(key: Buffer): string {
  return key.toString('latin1');
}

/** All entries of a store in memory. */
export class ResidentBytes implements CommittedBytes {
  private readonly tree: Tree<Buffer> = new BTree<string, Buffer>();

  get(key: Buffer): Buffer | null {
    return this.tree.get(keyText(key)) ?? null;
  }

  entries(
    from: Buffer | null,
    to: Buffer | null,
    reverse: boolean,
    limit: number,
  ): KeyValue<Buffer, Buffer>[] {
    const found: KeyValue<Buffer, Buffer>[] = [];
    let text = reverse ? (to === null ? undefined : keyText(to)) : from === null ? undefined : keyText(from);
    const low = from === null ? '' : keyText(from);
    const high = to === null ? null : keyText(to);
    if (!reverse && text !== undefined && found.length < limit) {
      const value = this.tree.get(text);
      if (value !== undefined && (high === null || text < high)) found.push(entryOf(text, value));
    }
    while (found.length < limit) {
      const pair = reverse ? this.tree.nextLowerPair(text) : this.tree.nextHigherPair(text);
      if (pair === undefined || (reverse ? pair[0] < low : high !== null && pair[0] >= high)) break;
      text = pair[0];
      found.push(entryOf(pair[0], pair[1]));
    }
    return found;
  }

  apply(changes: ReadonlyMap<string, Buffer | null>): void {
    for (const [text, value] of changes) this.set(text, value);
  }

  /** Writes one entry; null deletes it. */
  set(text: string, value: Buffer | null): void {
    if (value === null) this.tree.delete(text);
    else this.tree.set(text, value);
  }

  approximateNumEntries(): number {
    return this.tree.size;
  }

  clear(): void {
    this.tree.clear();
  }
}

const NO_CHANGES: ReadonlyMap<string, Buffer | null> = new Map();

function entryOf(text: string, value: Buffer): KeyValue<Buffer, Buffer> {
  return { key: Buffer.from(text, 'latin1'), value };
}

/**
 * Changes of the open cycle, over those of the commit in flight, over committed entries. Reads see all three; a scan sees what was
 * there when it began.
 */
export class OverlayBytes implements BytesStore {
  private readonly base: CommittedBytes;
  private readonly keepsChanges: boolean;
  private readonly onClose: () => void;
  /** Where changes go right away, between the last processing of a cycle and its commit. */
  private sink: ChangeSink | null = null;
  private changes = new Map<string, Buffer | null>();
  /** The changes in order of their keys; made by the first scan of a cycle, kept up from then on. */
  private order: ChangeTree | null = null;
  private inFlight: ChangesInFlight | null = null;

  /** @param keepsChanges whether the committed entries want to hear of the changes once they are durable */
  constructor(base: CommittedBytes, keepsChanges: boolean, onClose: () => void) {
    this.base = base;
    this.keepsChanges = keepsChanges;
    this.onClose = onClose;
  }

  get(key: Buffer): Buffer | null {
    if (this.changes.size > 0 || this.inFlight !== null) {
      const text = keyText(key);
      let changed = this.changes.get(text);
      if (changed === undefined) changed = this.inFlight?.get(text);
      if (changed !== undefined) return changed;
    }
    return this.base.get(key);
  }

  putBorrowed(key: Buffer, value: Buffer | null): boolean {
    if (this.sink === null || this.keepsChanges) return false;
    this.sink(key, value);
    return true;
  }

  put(key: Buffer, value: Buffer | null): void {
    if (this.sink !== null) {
      this.sink(key, value);
      if (!this.keepsChanges) return;
    }
    const text = keyText(key);
    this.changes.set(text, value);
    this.order?.set(text, value);
  }

  scan(from: Buffer | null, to: Buffer | null, reverse: boolean): KeyValueIterator<Buffer, Buffer> {
    let entries = chunkedEntries(this.base, from, to, reverse);
    if (this.inFlight !== null) {
      entries = merge(entries, changesBetween(this.inFlight.ordered(), from, to, reverse), reverse);
    }
    if (this.changes.size === 0) return new BytesIterator(entries);
    this.order ??= treeOf(this.changes);
    // A clone shares its nodes with the tree until one of them is written, so it is a cheap snapshot.
    const changed = changesBetween(this.order.clone(), from, to, reverse);
    return new BytesIterator(merge(entries, changed, reverse));
  }

  approximateNumEntries(): number {
    return this.base.approximateNumEntries();
  }

  close(): void {
    this.onClose();
  }

  /** Hands over what the open cycle changed, and from then until the commit each change as it comes. */
  drainInto(sink: ChangeSink): void {
    if (this.sink !== null) return;
    for (const [text, value] of this.changes) sink(Buffer.from(text, 'latin1'), value);
    this.sink = sink;
  }

  /**
   * The open cycle's changes are on their way into the database: a new cycle begins above them.
   * @param drained what was handed over, where the overlay does not keep it itself; null where nobody will ask before `commit`
   */
  handOver(drained: ChangesInFlight | null): void {
    this.sink = null;
    if (!this.keepsChanges) this.inFlight = drained;
    else if (this.changes.size > 0) this.inFlight = new KeptChanges(this.changes);
    this.clear();
  }

  /**
   * Moves what the open cycle changed to the changes in flight, where it is read until `commit`. It may be called again before: the changes come
   * together there. Only of an overlay that keeps its changes. @returns what was moved
   */
  drain(): ReadonlyMap<string, Buffer | null> {
    const { changes } = this;
    if (changes.size === 0) return changes;
    const before = this.changesInFlight;
    this.inFlight = new KeptChanges(before.size === 0 ? changes : new Map([...before, ...changes]));
    this.clear();
    return changes;
  }

  /** What was drained and is not yet committed. */
  get changesInFlight(): ReadonlyMap<string, Buffer | null> {
    return this.inFlight instanceof KeptChanges ? this.inFlight.changes : NO_CHANGES;
  }

  /** What was handed over is durable: it becomes the committed entries. */
  commit(): void {
    if (this.inFlight instanceof KeptChanges) this.base.apply(this.inFlight.changes);
    this.inFlight = null;
  }

  /** Forgets what the open cycle changed, and what was handed over and did not become durable. */
  discard(): void {
    this.sink = null;
    this.inFlight = null;
    this.clear();
  }

  private clear(): void {
    if (this.changes.size === 0) return;
    this.changes = new Map();
    this.order = null;
  }
}

function* merge(
  committed: Iterable<KeyValue<Buffer, Buffer>>,
  changed: Iterator<[string, Buffer | null], undefined>,
  reverse: boolean,
): Entries {
  let change = changed.next();
  for (const entry of committed) {
    const text = keyText(entry.key);
    for (
      ;
      change.done !== true && (reverse ? change.value[0] > text : change.value[0] < text);
      change = changed.next()
    ) {
      if (change.value[1] !== null) yield entryOf(change.value[0], change.value[1]);
    }
    if (change.done === true || change.value[0] !== text) {
      yield entry;
      continue;
    }
    if (change.value[1] !== null) yield { key: entry.key, value: change.value[1] };
    change = changed.next();
  }
  for (; change.done !== true; change = changed.next()) {
    if (change.value[1] !== null) yield entryOf(change.value[0], change.value[1]);
  }
  return undefined;
}

function* changesBetween(
  order: ChangeTree,
  from: Buffer | null,
  to: Buffer | null,
  reverse: boolean,
): Generator<[string, Buffer | null], undefined> {
  const low = from === null ? null : keyText(from);
  const high = to === null ? null : keyText(to);
  if (!reverse) {
    for (const [text, value] of order.entries(low ?? undefined)) {
      if (high !== null && text >= high) return undefined;
      yield [text, value];
    }
    return undefined;
  }
  for (
    let pair = order.nextLowerPair(high ?? undefined);
    pair !== undefined;
    pair = order.nextLowerPair(pair[0])
  ) {
    if (low !== null && pair[0] < low) return undefined;
    yield pair;
  }
  return undefined;
}

const FIRST_CHUNK = 16;
const NEXT_CHUNK = 512;

function* chunkedEntries(
  base: CommittedBytes,
  from: Buffer | null,
  to: Buffer | null,
  reverse: boolean,
): Entries {
  let low = from;
  let high = to;
  for (let limit = FIRST_CHUNK; ; limit = NEXT_CHUNK) {
    const entries = base.entries(low, high, reverse, limit);
    yield* entries;
    if (entries.length < limit) return undefined;
    const last = entries[entries.length - 1]!.key;
    if (reverse) high = last;
    else low = Buffer.concat([last, Buffer.alloc(1)]);
  }
}

/** A generator that can be closed early. */
export class BytesIterator implements KeyValueIterator<Buffer, Buffer> {
  private readonly entries: Entries;

  constructor(entries: Entries) {
    this.entries = entries;
  }

  next(): IteratorResult<KeyValue<Buffer, Buffer>, undefined> {
    return this.entries.next();
  }

  return(): IteratorResult<KeyValue<Buffer, Buffer>, undefined> {
    return this.entries.return(undefined);
  }

  [Symbol.iterator](): this {
    return this;
  }

  close(): void {
    this.entries.return(undefined);
  }
}

const NO_BYTES: CommittedBytes = {
  get: () => null,
  entries: () => [],
  apply: () => undefined,
  approximateNumEntries: () => 0,
};

/** Committed entries only, read-only. */
export class CommittedBytesStore implements BytesStore {
  private readonly base: () => CommittedBytes | null;

  /** @param base asked at every read: null while the store has never been written */
  constructor(base: () => CommittedBytes | null) {
    this.base = base;
  }

  get(key: Buffer): Buffer | null {
    return this.base()?.get(key) ?? null;
  }

  put(): void {
    throw new TypeError('a view of committed data cannot be written');
  }

  scan(from: Buffer | null, to: Buffer | null, reverse: boolean): KeyValueIterator<Buffer, Buffer> {
    const base = this.base();
    return new BytesIterator(chunkedEntries(base ?? NO_BYTES, from, to, reverse));
  }

  approximateNumEntries(): number {
    return this.base()?.approximateNumEntries() ?? 0;
  }

  close(): void {
    // Nothing is held.
  }
}
