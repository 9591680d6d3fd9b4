import type {
  KeyValue,
  KeyValueIterator,
  ReadOnlySessionStore,
  SessionStore,
  Windowed,
} from '../../stores/store.ts';
import { compareBytes, mergeIterators } from './merge.ts';
import { Partitioned } from './partitioned.ts';

/** The sessions of a running application, over all its partitions; committed state only. */
export interface QueryableSessionStore<K, V> extends ReadOnlySessionStore<K, V> {
  forRecordKey(recordKey: string | Buffer): ReadOnlySessionStore<K, V>;
}

type Row<K, V> = KeyValue<Windowed<K>, V>;

function byEnd(a: Row<unknown, unknown>, b: Row<unknown, unknown>): number {
  return a.key.window.endMs - b.key.window.endMs || a.key.window.startMs - b.key.window.startMs;
}

/** All partitions of a session store together. */
export class AllSessionPartitions<K, V>
  extends Partitioned<ReadOnlySessionStore<K, V>>
  implements QueryableSessionStore<K, V>
{
  readonly #segmentMs: number;

  constructor(parts: readonly SessionStore<K, V>[]) {
    super(parts);
    this.#segmentMs = parts[0]?.segmentIntervalMs ?? 1;
  }

  fetchSession(key: K, startMs: number, endMs: number): V | null {
    for (const part of this.candidates(key)) {
      const value = part.fetchSession(key, startMs, endMs);
      if (value !== null) return value;
    }
    return null;
  }

  findSessions(key: K, earliestEndMs: number, latestStartMs: number): KeyValueIterator<Windowed<K>, V> {
    const found = this.parts.map((part) => part.findSessions(key, earliestEndMs, latestStartMs));
    return mergeIterators(found, byEnd);
  }

  backwardFindSessions(
    key: K,
    earliestEndMs: number,
    latestStartMs: number,
  ): KeyValueIterator<Windowed<K>, V> {
    const found = this.parts.map((part) => part.backwardFindSessions(key, earliestEndMs, latestStartMs));
    return mergeIterators(found, (a, b) => byEnd(b, a));
  }

  fetch(key: K): KeyValueIterator<Windowed<K>, V> {
    return mergeIterators(
      this.parts.map((part) => part.fetch(key)),
      byEnd,
    );
  }

  /** In the order that each partition has: by segment, by key, by end. */
  fetchRange(fromKey: K | null, toKey: K | null): KeyValueIterator<Windowed<K>, V> {
    const segment = ({ key }: Row<K, V>): number => Math.floor(key.window.endMs / this.#segmentMs);
    return mergeIterators(
      this.parts.map((part) => part.fetchRange(fromKey, toKey)),
      (a, b) => segment(a) - segment(b) || compareBytes(a.key.key, b.key.key) || byEnd(a, b),
    );
  }
}
