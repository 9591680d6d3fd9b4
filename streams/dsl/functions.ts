/** The functions a topology is written with. Arguments come in Kafka Streams' order: key before value, value before key where only the value is mapped. */

export type Predicate<K, V> = (key: K, value: V) => boolean;

export type KeyValueMapper<K, V, R> = (key: K, value: V) => R;

/** The key is to read: what is made from it stays under it. */
export type ValueMapper<K, V, R> = (value: V, key: K) => R;

export type ForeachAction<K, V> = (key: K, value: V) => void;

/** Makes the value an aggregation starts from. */
export type Initializer<A> = () => A;

/** Adds a value to an aggregate, or takes it away. A result of null deletes the aggregate. */
export type Aggregator<K, V, A> = (key: K, value: V, aggregate: A) => A | null;

/** Combines the value so far with one more. A result of null deletes it. */
export type Reducer<V> = (aggregate: V, value: V) => V | null;

/** Makes the aggregate of a session of those of the sessions that became it. */
export type Merger<K, A> = (key: K, one: A, two: A) => A;

export type ValueJoiner<K, VLeft, VRight, R> = (left: VLeft, right: VRight, key: K) => R;
