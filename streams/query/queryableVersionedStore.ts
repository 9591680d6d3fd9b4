import type { ReadOnlyVersionedKeyValueStore, ValueAndTimestamp } from '../../stores/store.ts';
import { Partitioned } from './partitioned.ts';

/** The versions of a table of a running application, over all its partitions; committed state only. */
export interface QueryableVersionedStore<K, V> extends ReadOnlyVersionedKeyValueStore<K, V> {
  forRecordKey(recordKey: string | Buffer): ReadOnlyVersionedKeyValueStore<K, V>;
}

/** All partitions of a versioned store together. */
export class AllVersionedPartitions<K, V>
  extends Partitioned<ReadOnlyVersionedKeyValueStore<K, V>>
  implements QueryableVersionedStore<K, V>
{
  #first(
    key: K,
    read: (part: ReadOnlyVersionedKeyValueStore<K, V>) => ValueAndTimestamp<V> | null,
  ): ValueAndTimestamp<V> | null {
    for (const part of this.candidates(key)) {
      const found = read(part);
      if (found !== null) return found;
    }
    return null;
  }

  get(key: K): ValueAndTimestamp<V> | null {
    return this.#first(key, (part) => part.get(key));
  }

  getAsOf(key: K, asOfMs: number): ValueAndTimestamp<V> | null {
    return this.#first(key, (part) => part.getAsOf(key, asOfMs));
  }
}
