import type { Serde } from '../../stores/serde.ts';
import type { StoreResidence } from '../../stores/store.ts';
import type { SourceOptions, StreamPartitioner } from '../graph/nodes.ts';
import type { KStream } from './kStream.ts';

/** A name for the node of an operator without state. Left out: one after Kafka Streams' manner, `KSTREAM-FILTER-0000000001`. */
export interface Named {
  readonly name?: string;
}

/** How a topic is read. */
export interface Consumed<K, V> extends SourceOptions<K, V>, Named {}

/** How a topic is written. Serdes left out are those of the stream. */
export interface Produced<K, V> extends Named {
  readonly keySerde?: Serde<NonNullable<K>>;
  readonly valueSerde?: Serde<NonNullable<V>>;
  /** Chooses the partition; null leaves it to the key. */
  partitioner?(...args: Parameters<StreamPartitioner<K, V>>): number | null;
}

/** How a stream is grouped. Serdes left out are those of the stream. */
export interface Grouped<K, V> {
  /** Names the repartition topic, `<name>-repartition`. Left out: it has the name of the aggregation. */
  readonly name?: string;
  readonly keySerde?: Serde<NonNullable<K>>;
  readonly valueSerde?: Serde<NonNullable<V>>;
}

/** How a stream is joined with a table. */
export interface Joined<K, V> extends Named {
  /**
   * Hold records back until stream time is past theirs by this, so that they find the rows that come meanwhile. The table must keep versions
   * for at least as long, and the join needs a name.
   */
  readonly gracePeriodMs?: number;
  /** For the repartition topic and for what is held back, where there is such; then a name is needed too. Left out: those of the stream. */
  readonly keySerde?: Serde<NonNullable<K>>;
  readonly valueSerde?: Serde<NonNullable<V>>;
}

/** How two streams are joined. */
export interface StreamJoined<K, V, VO> {
  /** Names the join, its stores and its repartition topics. */
  readonly name: string;
  /** Serdes left out are those of the streams, where they are known. */
  readonly keySerde?: Serde<NonNullable<K>>;
  readonly leftValueSerde?: Serde<NonNullable<V>>;
  readonly rightValueSerde?: Serde<NonNullable<VO>>;
  readonly residence?: StoreResidence;
  readonly loggingEnabled?: boolean;
  /** Decoded records of each side kept at most by each task. */
  readonly cacheEntriesMax?: number;
}

/** A topic of the application's own in the middle of a stream. */
export interface Repartitioned<K, V> {
  /** The topic is called `<name>-repartition`. */
  readonly name: string;
  readonly keySerde?: Serde<NonNullable<K>>;
  readonly valueSerde?: Serde<NonNullable<V>>;
  /** Left out: as many as the topics it is written from have. */
  readonly partitions?: number;
  /** Chooses the partition; null leaves it to the key. */
  partitioner?(...args: Parameters<StreamPartitioner<K, V>>): number | null;
}

/** The store behind a table: what Kafka Streams calls Materialized. */
export interface Materialized<K, V> {
  /**
   * Names the store, the operator and what belongs to them. Needed, unlike in Kafka Streams: with a name of its own a store is found
   * again however the topology around it changes.
   */
  readonly name: string;
  /** Serdes left out are those that come down the stream, where they are known. */
  readonly keySerde?: Serde<K>;
  readonly valueSerde?: Serde<V>;
  readonly residence?: StoreResidence;
  readonly loggingEnabled?: boolean;
  /** Tell downstream only of the last update of a key before each commit. Off unless asked for. */
  readonly cachingEnabled?: boolean;
  readonly cacheEntriesMax?: number;
}

/** The store behind a table of rows. */
export interface TableMaterialized<K, V> extends Materialized<K, V> {
  /**
   * Keep versions of each row, for so long after a newer one replaced it; and take late updates, for as long. Then joins of streams find the
   * row that held at the time of their record, and what is computed from the table is so from its newest rows.
   */
  readonly historyRetentionMs?: number;
}

/** The store behind a windowed table. */
export interface WindowMaterialized<K, V> extends Materialized<K, V> {
  /**
   * How long a window is kept, counted from its start, a session from its end. Left out: as long as it is needed, which is the least: the size
   * and the grace; of a sliding window twice its time difference and the grace; of a session its gap and the grace.
   */
  readonly retentionMs?: number;
}

/** An operator on tables that keeps its result only when asked to. */
export interface TableOperatorOptions<K, V> extends Named {
  readonly materialized?: TableMaterialized<K, V>;
}

/** What a transformer of a table's values needs beside its supplier. */
export interface TransformValuesOptions<K, V> extends TableOperatorOptions<K, V> {
  /** Stores added to the builder that the transformer asks for. Those its supplier brings along need not be named. */
  readonly stores?: readonly string[];
}

/** How a stream is printed. */
export interface Printed<K, V> extends Named {
  /** Stands in front of each line, in brackets. Left out: the name of the node. */
  readonly label?: string;
  /** The text of a record. Left out: `key, value`, objects as JSON. */
  format?(key: K, value: V): string;
}

/** How two tables are joined by a foreign key. */
export interface ForeignKeyJoined<K, V, KO, VO, VR> {
  /** Names the join, its topics and the store of what refers to what. */
  readonly name: string;
  /** Keeps the result; what reads it by key needs that. */
  readonly materialized?: TableMaterialized<K, VR>;
  /** Serdes left out are those of the tables, where they are known. */
  readonly keySerde?: Serde<K>;
  readonly valueSerde?: Serde<V>;
  readonly foreignKeySerde?: Serde<KO>;
  readonly foreignValueSerde?: Serde<VO>;
  /** Where this table's topic is partitioned by more than its keys: chooses the partition of a key there, with null for the value. */
  partitioner?(...args: Parameters<StreamPartitioner<K, null>>): number | null;
  /** The same for the other table. */
  foreignPartitioner?(...args: Parameters<StreamPartitioner<KO, null>>): number | null;
}

/** What becomes of one branch of a stream. */
export interface Branched<K, V, Found = KStream<K, V>> {
  /** The branch is found under the prefix of the split and this. Left out: its number, counted from 1; the default branch is 0. */
  readonly name?: string;
  /** Goes on with the branch in place; the branch found is what it returns, or none where it returns nothing. */
  chain?(branch: KStream<K, V>): Found | undefined;
}
