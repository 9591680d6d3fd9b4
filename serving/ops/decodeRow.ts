import { ArrayIterator } from '../../stores/iterators.ts';
import { rowPlaceOf } from '../../stores/rowLayout.ts';
import type { BytesStore, KeyValue, KeyValueIterator, StateStore, Windowed } from '../../stores/store.ts';
import type { KnownStore } from './storeBytes.ts';
import type { EntryView } from './stores.ts';
import { undecodable } from './undecodable.ts';

/** Bytes of which only one entry is to be seen: so a store decodes that one, and a damaged one spoils no other. */
class OneEntry implements BytesStore {
  readonly #store: BytesStore;
  readonly #entry: KeyValue<Buffer, Buffer>;

  constructor(store: BytesStore, entry: KeyValue<Buffer, Buffer>) {
    this.#store = store;
    this.#entry = entry;
  }

  get(key: Buffer): Buffer | null {
    return this.#store.get(key);
  }

  put(): void {
    throw new TypeError('a view of committed data cannot be written');
  }

  scan(from: Buffer | null, to: Buffer | null): KeyValueIterator<Buffer, Buffer> {
    const { key } = this.#entry;
    const within =
      (from === null || Buffer.compare(key, from) >= 0) && (to === null || Buffer.compare(key, to) < 0);
    return new ArrayIterator(within ? [this.#entry] : []);
  }

  approximateNumEntries(): number {
    return 1;
  }

  close(): void {
    // Nothing is held.
  }
}

type Row = Pick<EntryView, 'window' | 'value'> & { readonly key: unknown };

/** The ways in which the typed stores show all they hold. */
interface Listing {
  all?(): Iterable<KeyValue<unknown, unknown>>;
  fetchRange?(from: null, to: null): Iterable<KeyValue<unknown, unknown>>;
  versions?(): Iterable<{
    readonly key: unknown;
    readonly startMs: number;
    readonly endMs: number | null;
    readonly value: unknown;
  }>;
}

function* rowsOf(store: Listing, layout: KnownStore['builder']['layout']): Generator<Row, void> {
  if (layout === 'versioned') {
    for (const { key, value, startMs, endMs } of store.versions?.() ?? [])
      yield { key, value, window: { startMs, endMs } };
    return;
  }
  const rows = layout === 'session' ? store.fetchRange?.(null, null) : store.all?.();
  for (const { key, value } of rows ?? []) {
    if (layout === 'plain') yield { key, value, window: null };
    else {
      const windowed = key as Windowed<unknown>;
      yield { key: windowed.key, value, window: windowed.window };
    }
  }
}

/**
 * Decodes one row by the store's own serdes. Null for what the store itself would not show: its notes, windows past retention. A row that is
 * no entry of its schema comes as such.
 */
export function decodeRow(
  { builder, application }: KnownStore,
  store: BytesStore,
  partition: number,
  row: KeyValue<Buffer, Buffer>,
): EntryView | null {
  const place = rowPlaceOf(builder.layout, row.key);
  if (place === null) return null;
  const location = { applicationId: application, storeName: builder.name, partition };
  const one = new OneEntry(store, row);
  try {
    const typed: StateStore & Listing = builder.buildCommitted(
      { open: () => one, openCommitted: () => one },
      location,
    );
    for (const { key, window, value } of rowsOf(typed, builder.layout))
      return { partition, key: String(key), window, value, undecodable: null };
    return null;
  } catch (cause) {
    const { recordKey, startMs, endMs } = place;
    return {
      partition,
      key: recordKey.toString('utf8'),
      window: startMs === null ? null : { startMs, endMs },
      value: null,
      undecodable: undecodable(cause, row.value),
    };
  }
}
