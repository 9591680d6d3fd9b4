import { Stores } from '../../stores/index.ts';
import type { StoreBuilder } from '../../stores/store.ts';
import { checkReading, topicNames } from '../graph/checks.ts';
import type { Topology } from '../graph/topology.ts';
import type { ProcessorSupplier } from '../processor.ts';
import { GlobalKTable } from './globalKTable.ts';
import { DslGraph } from './internal/graph.ts';
import type { AnySerde, StreamHandle } from './internal/handles.ts';
import { requiredSerde } from './internal/handles.ts';
import { type AnyMaterialized, storeOf } from './internal/stores.ts';
import { tableFromStream } from './internal/tables.ts';
import { KStream } from './kStream.ts';
import { KTable } from './kTable.ts';
import type { Consumed, Materialized, TableMaterialized } from './options.ts';
import { GlobalTableProcessor } from './processors/tableSource.ts';

type AnyConsumed = Consumed<unknown, unknown>;

/** How a builder declares topologies. */
export interface StreamsBuilderOptions {
  /**
   * Let operators that need a repartition topic for the same stream, in the same serdes, share the one of the first of them, as Kafka Streams'
   * `topology.optimization` does; also where only filters lie between that nobody else reads, which then come behind the topic. Off unless
   * asked for, as the topics of a running application would change. Its other optimisations are not there: on the embedded log, whose stores
   * commit with it, there is no changelog that a table's source topic could stand in for; on Kafka a table is restored from what its task wrote,
   * not from its source.
   */
  readonly mergeRepartitionTopics?: boolean;
}

/**
 * Declares a topology by what becomes of streams and tables, as Kafka Streams' StreamsBuilder. Every call is checked where it is made and throws
 * StreamsError STREAMS_TOPOLOGY naming the place: an operator with state but no name, a name given twice, a missing serde, windows, bounds or
 * retentions that make no sense.
 */
export class StreamsBuilder {
  readonly #graph: DslGraph;

  constructor({ mergeRepartitionTopics = false }: StreamsBuilderOptions = {}) {
    this.#graph = new DslGraph(mergeRepartitionTopics);
  }

  #read(topics: string | readonly string[], consumed: AnyConsumed): StreamHandle {
    const all = topicNames('a source', topics);
    const label = `the source of ${all.join(', ')}`;
    const keySerde = requiredSerde(label, 'key', consumed?.keySerde);
    const valueSerde = requiredSerde(label, 'value', consumed?.valueSerde);
    checkReading(label, consumed);
    const node = this.#graph.source(all, consumed);
    return { graph: this.#graph, node, keySerde, valueSerde, topics: all, repartitionRequired: false };
  }

  /** Reads topics as a stream. A topic read twice in the same manner is read by one source. */
  stream<K, V>(topics: string | readonly string[], consumed: Consumed<K, V>): KStream<K | null, V | null> {
    return new KStream(this.#read(topics, consumed as AnyConsumed));
  }

  /**
   * Reads a topic as a table. It keeps its rows where it has a name; what joins or groups it needs that.
   * @param materialized left out: the updates only pass through
   */
  table<K, V>(topic: string, consumed: Consumed<K, V>, materialized?: TableMaterialized<K, V>): KTable<K, V> {
    if (materialized !== undefined) this.#graph.requiredName(`the table of ${topic}`, materialized);
    const stream = this.#read(topic, consumed as AnyConsumed);
    const kept = (materialized as AnyMaterialized | undefined) ?? null;
    return new KTable(tableFromStream('table', stream, kept, `the table of ${topic}`));
  }

  /** Reads all partitions of a topic into a table that every instance holds whole. */
  globalTable<K, V>(
    topic: string,
    consumed: Consumed<K, V>,
    materialized: Materialized<K, V>,
  ): GlobalKTable<K, V> {
    const storeName = this.#graph.requiredName(`the global table of ${topic}`, materialized);
    const label = `globalTable ${storeName}`;
    requiredSerde(label, 'key', consumed?.keySerde as AnySerde);
    requiredSerde(label, 'value', consumed?.valueSerde as AnySerde);
    const builder = storeOf(label, () =>
      Stores.timestampedKeyValueStore({
        ...materialized,
        keySerde: materialized.keySerde ?? consumed.keySerde,
        valueSerde: materialized.valueSerde ?? consumed.valueSerde,
      }),
    );
    this.addGlobalStore(builder, topic, consumed, { get: () => new GlobalTableProcessor(storeName) });
    return new GlobalKTable({ graph: this.#graph, storeName });
  }

  /** Adds a store for processors of the Processor API to ask for. */
  addStateStore(builder: StoreBuilder): this {
    this.#graph.claimStore(builder);
    this.#graph.add((topology) => topology.addStateStore(builder));
    return this;
  }

  /** Adds a store filled from all partitions of a topic by a processor; every processor of the application may read it. */
  addGlobalStore<K, V>(
    builder: StoreBuilder,
    topic: string,
    consumed: Consumed<K, V>,
    supplier: ProcessorSupplier<K, V, unknown, unknown>,
  ): this {
    const label = `the global store ${builder.name}`;
    requiredSerde(label, 'key', consumed?.keySerde as AnySerde);
    requiredSerde(label, 'value', consumed?.valueSerde as AnySerde);
    checkReading(label, consumed);
    this.#graph.claimStore(builder);
    const source = this.#graph.nodeName('KSTREAM-SOURCE', consumed.name);
    const processor = this.#graph.nodeName('KTABLE-SOURCE', `${builder.name}-update`);
    this.#graph.add((topology) =>
      topology.addGlobalStore(
        builder,
        source,
        topic,
        consumed as AnyConsumed,
        processor,
        supplier as unknown as ProcessorSupplier<unknown, unknown>,
      ),
    );
    return this;
  }

  /**
   * What was declared, as a topology to run, describe or test.
   * @throws StreamsError STREAMS_COPARTITION where what is joined was repartitioned into different numbers of partitions
   */
  build(): Topology {
    return this.#graph.build();
  }
}
