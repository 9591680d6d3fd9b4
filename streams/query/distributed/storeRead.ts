import type {
  KeyValueIterator,
  ReadOnlyKeyValueStore,
  ReadOnlySessionStore,
  ReadOnlyVersionedKeyValueStore,
  ReadOnlyWindowStore,
  StateStore,
  ValueAndTimestamp,
} from '../../../stores/store.ts';
import type { InputPosition } from '../interactiveQueries.ts';

/** Bounds of a page: whichever is reached first. A single row may be larger. */
export const PAGE_ROWS_MAX = 1_000;
const PAGE_BYTES_MAX = 1024 * 1024;

/** A read of one partition, keys as their serialised bytes. Those that may give many rows give a page, which goes on after a row. */
export type StoreRead =
  | { readonly op: 'get'; readonly key: Buffer }
  | {
      readonly op: 'range';
      readonly from: Buffer | null;
      readonly to: Buffer | null;
      readonly reverse: boolean;
      readonly after: Buffer | null;
      readonly rowsMax: number;
    }
  | {
      readonly op: 'prefix';
      readonly prefix: Buffer;
      readonly after: Buffer | null;
      readonly rowsMax: number;
    }
  | { readonly op: 'window'; readonly key: Buffer; readonly startMs: number }
  | {
      readonly op: 'windows';
      readonly key: Buffer;
      readonly fromMs: number;
      readonly toMs: number;
      readonly reverse: boolean;
      readonly rowsMax: number;
    }
  | { readonly op: 'session'; readonly key: Buffer; readonly startMs: number; readonly endMs: number }
  | {
      readonly op: 'sessions';
      readonly key: Buffer;
      readonly earliestEndMs: number;
      readonly latestStartMs: number;
      /** End and start of the last session of the page before. */
      readonly after: readonly [number, number] | null;
      readonly rowsMax: number;
    }
  | { readonly op: 'version'; readonly key: Buffer; readonly asOfMs: number | null };

/** Key, start, end and value of an entry; what a read does not tell of is null. */
export type StoreRow = readonly [
  key: Buffer | null,
  startMs: number | null,
  endMs: number | null,
  value: Buffer,
];

/** A read with where it goes and what it may be answered from. */
export interface StoreQuery {
  readonly applicationId: string;
  readonly storeName: string;
  readonly partition: number;
  readonly read: StoreRead;
  readonly atLeast: readonly InputPosition[];
  readonly standby: boolean;
}

/** The rows of a page, and whether there are more. */
export interface StorePage {
  readonly rows: readonly StoreRow[];
  readonly more: boolean;
}

export interface StoreAnswer extends StorePage {
  readonly role: 'active' | 'standby';
  readonly lag: number | null;
}

/** Gathers rows until the page is full. `rowOf` gives null for a row to leave out, undefined for the end. */
function pageOf<K, V>(
  entries: KeyValueIterator<K, V>,
  rowsMax: number,
  rowOf: (key: K, value: V) => StoreRow | null | undefined,
): StorePage {
  const rows: StoreRow[] = [];
  let bytes = 0;
  for (const { key, value } of entries) {
    const row = rowOf(key, value);
    if (row === undefined) break;
    if (row === null) continue;
    // One row beyond the page tells that there are more.
    if (rows.length >= Math.min(rowsMax, PAGE_ROWS_MAX) || bytes >= PAGE_BYTES_MAX) {
      entries.close();
      return { rows, more: true };
    }
    rows.push(row);
    bytes += row[3].length + (row[0]?.length ?? 0);
  }
  entries.close();
  return { rows, more: false };
}

function oneRow(value: Buffer | null, startMs: number | null = null): StorePage {
  return { rows: value === null ? [] : [[null, startMs, null, value]], more: false };
}

function keyValueRead(store: ReadOnlyKeyValueStore<Buffer, Buffer>, read: StoreRead): StorePage {
  if (read.op === 'get') return oneRow(store.get(read.key));
  if (read.op !== 'range' && read.op !== 'prefix') throw wrongKind(read);
  const { after, rowsMax } = read;
  const unlessBefore = (key: Buffer, value: Buffer): StoreRow | null =>
    after !== null && key.equals(after) ? null : [key, null, null, value];
  if (read.op === 'range') {
    const { from, to, reverse } = read;
    const entries = reverse ? store.reverseRange(from, after ?? to) : store.range(after ?? from, to);
    return pageOf(entries, rowsMax, unlessBefore);
  }
  const { prefix } = read;
  const entries = after === null ? store.prefixScan(prefix) : store.range(after, null);
  return pageOf(entries, rowsMax, (key, value) =>
    key.subarray(0, prefix.length).equals(prefix) ? unlessBefore(key, value) : undefined,
  );
}

function windowRead(store: ReadOnlyWindowStore<Buffer, Buffer>, read: StoreRead): StorePage {
  if (read.op === 'window') return oneRow(store.fetchSingle(read.key, read.startMs));
  if (read.op !== 'windows') throw wrongKind(read);
  const { key, fromMs, toMs, reverse, rowsMax } = read;
  const entries = reverse ? store.backwardFetch(key, fromMs, toMs) : store.fetch(key, fromMs, toMs);
  return pageOf(entries, rowsMax, (startMs, value) => [null, startMs, null, value]);
}

function sessionRead(store: ReadOnlySessionStore<Buffer, Buffer>, read: StoreRead): StorePage {
  if (read.op === 'session') return oneRow(store.fetchSession(read.key, read.startMs, read.endMs));
  if (read.op !== 'sessions') throw wrongKind(read);
  const { key, earliestEndMs, latestStartMs, after, rowsMax } = read;
  const entries = store.findSessions(key, Math.max(earliestEndMs, after?.[0] ?? 0), latestStartMs);
  return pageOf(entries, rowsMax, ({ window: { startMs, endMs } }, value) =>
    after !== null && (endMs < after[0] || (endMs === after[0] && startMs <= after[1]))
      ? null
      : [null, startMs, endMs, value],
  );
}

function versionedRead(store: ReadOnlyVersionedKeyValueStore<Buffer, Buffer>, read: StoreRead): StorePage {
  if (read.op !== 'version') throw wrongKind(read);
  const found: ValueAndTimestamp<Buffer> | null =
    read.asOfMs === null ? store.get(read.key) : store.getAsOf(read.key, read.asOfMs);
  return oneRow(found?.value ?? null, found?.timestamp ?? null);
}

function wrongKind({ op }: StoreRead): TypeError {
  return new TypeError(`a store of another kind was asked to ${op}`);
}

/** Kinds of stores by what they are read as. */
const READS = {
  'key-value': keyValueRead,
  window: windowRead,
  session: sessionRead,
  versioned: versionedRead,
} as const;

/**
 * Does a read on the committed bytes of a partition, in one piece.
 * @throws TypeError where the store is of another kind
 */
export function readStore(store: StateStore, shape: keyof typeof READS, read: StoreRead): StorePage {
  return READS[shape](store as never, read);
}
