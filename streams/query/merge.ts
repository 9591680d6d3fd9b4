import type { KeyValue, KeyValueIterator } from '../../stores/store.ts';

/** Compares keys by their bytes where they are text or bytes, by value where they are numbers. */
export function compareBytes(a: unknown, b: unknown): number {
  if (Buffer.isBuffer(a) && Buffer.isBuffer(b)) return Buffer.compare(a, b);
  if (typeof a === 'string' && typeof b === 'string')
    return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
  if ((typeof a === 'number' && typeof b === 'number') || (typeof a === 'bigint' && typeof b === 'bigint'))
    return a < b ? -1 : a > b ? 1 : 0;
  return 0;
}

/** Merges iterators that are each in order into one; entries that compare equal come in the order of the iterators. */
export function mergeIterators<K, V>(
  iterators: readonly KeyValueIterator<K, V>[],
  compare: (a: KeyValue<K, V>, b: KeyValue<K, V>) => number,
): KeyValueIterator<K, V> {
  if (iterators.length === 1) return iterators[0]!;
  const pull = (iterator: KeyValueIterator<K, V>): KeyValue<K, V> | null => {
    const { done, value } = iterator.next();
    return done ? null : value;
  };
  const heads = iterators.map(pull);
  const close = (): void => {
    for (const iterator of iterators) iterator.close();
    heads.fill(null);
  };
  const merged: KeyValueIterator<K, V> = {
    next: () => {
      let first = -1;
      for (const [index, head] of heads.entries()) {
        if (head !== null && (first < 0 || compare(head, heads[first]!) < 0)) first = index;
      }
      if (first < 0) return { done: true, value: undefined };
      const value = heads[first]!;
      heads[first] = pull(iterators[first]!);
      return { done: false, value };
    },
    return: () => {
      close();
      return { done: true, value: undefined };
    },
    close,
    [Symbol.iterator]: () => merged,
  };
  return merged;
}
