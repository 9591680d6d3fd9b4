/** The functions a topology is written with. Arguments come in Kafka Streams' order: key before value, value before key where only the value is mapped. */

/** Whether a record is one of those meant. */
export type Predicate<K, V> = (key: K, value: V) => boolean;

/** Makes something of a key and value: a new record, several, or a key. */
export type KeyValueMapper<K, V, R> = (key: K, value: V) => R;

/** The key is to read: what is made from it stays under it. */
export type ValueMapper<K, V, R> = (value: V, key: K) => R;

/** Does something with each record; what it throws goes to the handler of processing errors. */
export type ForeachAction<K, V> = (key: K, value: V) => void;

/** Makes the value an aggregation starts from. */
export type Initializer<A> = () => A;

/** Adds a value to an aggregate, or takes it away. A result of null deletes the aggregate. */
export type Aggregator<K, V, A> = (key: K, value: V, aggregate: A) => A | null;

/** Combines the value so far with one more. A result of null deletes it. */
export type Reducer<V> = (aggregate: V, value: V) => V | null;

/** Makes the aggregate of a session of those of the sessions that became it. */
export type Merger<K, A> = (key: K, one: A, two: A) => A;

/** Makes the result of a join of both sides; the key is to read. */
export type ValueJoiner<K, VLeft, VRight, R> = (left: VLeft, right: VRight, key: K) => R;
