import { prefixEnd } from '../../stores/prefix.ts';
import { rowPlaceOf } from '../../stores/rowLayout.ts';
import type { BytesStore, KeyValueIterator, StoreBuilder } from '../../stores/store.ts';
import { mergeIterators } from '../../streams/query/merge.ts';
import { ServingError } from '../errors.ts';
import { decodeRow } from './decodeRow.ts';
import { findApplication } from './find.ts';
import { Pacer } from './invariants/walk.ts';
import { HeldStores, type KnownStore, type StoreBytes } from './storeBytes.ts';
import type { OperatorSubject } from './subject.ts';
import type { Undecodable } from './undecodable.ts';

/** A store as an operator sees it. */
export interface StoreSummary {
  readonly application: string;
  readonly store: string;
  readonly kind: StoreBuilder['kind'];
  readonly layout: StoreBuilder['layout'];
  readonly residence: StoreBuilder['residence'];
  /** A global store has one partition, with everything in it. */
  readonly global: boolean;
  /** Partitions that hold something. */
  readonly partitions: number;
  /** null: not counted, as that would mean to read the changelogs. */
  readonly entries: number | null;
  /** False where counting stopped: there are more. */
  readonly counted: boolean;
}

/** An entry, decoded and fit for JSON. */
export interface EntryView {
  readonly partition: number;
  readonly key: string;
  /** Of a window or a session; of a versioned store the time for which the version holds. An end of null: not known, or still holding. */
  readonly window: { readonly startMs: number; readonly endMs: number | null } | null;
  readonly value: unknown;
  readonly undecodable: Undecodable | null;
}

export interface ScanOptions {
  /** Only keys that begin with it. */
  readonly prefix: string | null;
  /** Key-value stores: first and last key, inclusive. Others: first and last start of a window, session or version, in milliseconds. */
  readonly from: string | number | null;
  readonly to: string | number | null;
  /** null: all of them. */
  readonly limit: number | null;
}

export const SCAN_LIMIT_MAX = 1_000_000;
/** How far entries are counted unless asked for more. */
const COUNT_MAX = 10_000;

function knownStores({ applications }: OperatorSubject): readonly KnownStore[] {
  return applications.flatMap(({ applicationId, topology }) => [
    ...[...topology.stores.values()].map((builder) => ({
      application: applicationId,
      builder,
      global: false,
    })),
    ...[...topology.globalStores.values()].map(({ builder }) => ({
      application: applicationId,
      builder,
      global: true,
    })),
  ]);
}

/** @throws ServingError SERVING_NOT_FOUND: it names what there is */
export function findStore(subject: OperatorSubject, application: string, store: string): KnownStore {
  findApplication(subject, application);
  const own = knownStores(subject).filter((known) => known.application === application);
  const found = own.find(({ builder }) => builder.name === store);
  if (found !== undefined) return found;
  const stores = own.map(({ builder }) => builder.name).join(', ');
  throw new ServingError('SERVING_NOT_FOUND', `${application} has no store ${store}; its stores: ${stores}`);
}

function bytesOf({ engine, stores }: OperatorSubject): StoreBytes {
  return stores ?? new HeldStores(engine);
}

/** All stores the topologies declare, in their order. @param countAll counts every entry, however many there are */
export async function listStores(
  subject: OperatorSubject,
  countAll: boolean,
): Promise<readonly StoreSummary[]> {
  const summaries: StoreSummary[] = [];
  const bytes = bytesOf(subject);
  for (const known of knownStores(subject)) {
    const { application, builder, global } = known;
    const partitions = await bytes.partitions(known);
    const counts = bytes.here || (countAll && partitions.length > 0);
    const { entries, counted } = counts
      ? await countEntries(bytes, known, bytes.here ? partitions : await bytes.whole(known), countAll)
      : { entries: null, counted: false };
    const { name: store, kind, layout, residence } = builder;
    summaries.push({
      application,
      store,
      kind,
      layout,
      residence,
      global,
      partitions: partitions.length,
      entries,
      counted,
    });
  }
  return summaries;
}

async function countEntries(
  bytes: StoreBytes,
  { application, builder }: KnownStore,
  partitions: readonly number[],
  countAll: boolean,
): Promise<Pick<StoreSummary, 'entries' | 'counted'>> {
  const pacer = new Pacer();
  let entries = 0;
  for (const partition of partitions) {
    const place = { applicationId: application, storeName: builder.name, partition };
    for (const { key } of bytes.open(place).scan(null, null, false)) {
      if (!countAll && entries >= COUNT_MAX) return { entries, counted: false };
      if (!isNotes(builder, key)) entries += 1;
      if (entries % 64 === 0 && pacer.due) await pacer.turn();
    }
  }
  return { entries, counted: true };
}

/** Whether several entries may belong to one key, told apart by time. */
function isTimed({ layout }: StoreBuilder): boolean {
  return layout !== 'plain';
}

/** The row in which a store of windows keeps its own notes. */
function isNotes({ layout }: StoreBuilder, key: Buffer): boolean {
  return rowPlaceOf(layout, key) === null;
}

/** Rows of all partitions in the order of their keys, each with where it is from. */
function rowsOf(
  bytes: StoreBytes,
  { application, builder }: KnownStore,
  partitions: readonly number[],
  low: Buffer | null,
  high: Buffer | null,
): KeyValueIterator<
  Buffer,
  { readonly store: BytesStore; readonly partition: number; readonly value: Buffer }
> {
  const parts = partitions.map((partition) => {
    const store = bytes.open({ applicationId: application, storeName: builder.name, partition });
    const rows = store.scan(low, high, false);
    const mapped: KeyValueIterator<Buffer, { store: BytesStore; partition: number; value: Buffer }> = {
      next: () => {
        const { done, value } = rows.next();
        return done
          ? { done: true, value: undefined }
          : { done: false, value: { key: value.key, value: { store, partition, value: value.value } } };
      },
      return: () => {
        rows.close();
        return { done: true, value: undefined };
      },
      close: () => rows.close(),
      [Symbol.iterator]: () => mapped,
    };
    return mapped;
  });
  return mergeIterators(parts, (a, b) => Buffer.compare(a.key, b.key));
}

/** Entries of a key: one of a key-value store, all its windows of a window store. @throws ServingError SERVING_NOT_FOUND */
export async function getEntries(
  subject: OperatorSubject,
  application: string,
  store: string,
  key: string,
): Promise<readonly EntryView[]> {
  const known = findStore(subject, application, store);
  const found: EntryView[] = [];
  if (isTimed(known.builder)) {
    const options = { prefix: key, from: null, to: null, limit: null };
    for await (const entry of scanStore(subject, application, store, options))
      if (entry.key === key) found.push(entry);
    return found;
  }
  const sought = Buffer.from(key);
  const bytes = bytesOf(subject);
  for (const partition of await bytes.whole(known)) {
    const committed = bytes.open({ applicationId: application, storeName: store, partition });
    const value = committed.get(sought);
    const entry = value === null ? null : decodeRow(known, committed, partition, { key: sought, value });
    if (entry !== null) found.push(entry);
  }
  return found;
}

/** Entries in the order of their keys over all partitions (of a window store: by segment of time). @throws ServingError SERVING_NOT_FOUND */
export async function* scanStore(
  subject: OperatorSubject,
  application: string,
  store: string,
  { prefix, from, to, limit }: ScanOptions,
): AsyncGenerator<EntryView, void> {
  const known = findStore(subject, application, store);
  const timed = isTimed(known.builder);
  const [low, high] = timed ? [null, null] : keyBounds(prefix, from, to);
  const pacer = new Pacer();
  const bytes = bytesOf(subject);
  const rows = rowsOf(bytes, known, await bytes.whole(known), low, high);
  let left = limit ?? Number.POSITIVE_INFINITY;
  try {
    for (const { key, value: row } of rows) {
      if (pacer.due) await pacer.turn();
      if (timed && !isWanted(known.builder, key, prefix, from, to)) continue;
      const entry = decodeRow(known, row.store, row.partition, { key, value: row.value });
      if (entry === null || !startsWithin(entry, from, to)) continue;
      yield entry;
      left -= 1;
      if (left <= 0) return;
    }
  } finally {
    rows.close();
  }
}

function isWanted(
  { layout }: StoreBuilder,
  key: Buffer,
  prefix: string | null,
  from: string | number | null,
  to: string | number | null,
): boolean {
  const place = rowPlaceOf(layout, key);
  if (place === null) return false;
  // The newest version of a key tells its time in the value only; it is decoded to be looked at.
  if (place.startMs !== null) {
    if (from !== null && place.startMs < Number(from)) return false;
    if (to !== null && place.startMs > Number(to)) return false;
  }
  return prefix === null || place.recordKey.toString('utf8').startsWith(prefix);
}

function startsWithin(
  { window }: EntryView,
  from: string | number | null,
  to: string | number | null,
): boolean {
  if (window === null) return true;
  return (from === null || window.startMs >= Number(from)) && (to === null || window.startMs <= Number(to));
}

/** Bounds of a scan: from inclusive, to exclusive. The tighter one counts where both a prefix and a range are given. */
function keyBounds(
  prefix: string | null,
  from: string | number | null,
  to: string | number | null,
): readonly [Buffer | null, Buffer | null] {
  const lows = [prefix, from].filter((text) => text !== null).map((text) => Buffer.from(String(text)));
  const after = to === null ? null : Buffer.concat([Buffer.from(String(to)), Buffer.alloc(1)]);
  const highs = [prefix === null ? null : prefixEnd(Buffer.from(prefix)), after].filter(
    (bound) => bound !== null,
  );
  const sorted = (bounds: readonly Buffer[]): readonly Buffer[] => [...bounds].sort(Buffer.compare);
  return [sorted(lows).at(-1) ?? null, sorted(highs)[0] ?? null];
}
