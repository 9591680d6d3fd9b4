import type { KeyValue } from '../../stores/store.ts';
import type { TopicNameExtractor } from '../graph/nodes.ts';
import type { FixedKeyProcessorSupplier, ProcessorSupplier } from '../processor.ts';
import { BranchedKStream } from './branchedKStream.ts';
import type { ForeachAction, KeyValueMapper, Predicate, ValueJoiner, ValueMapper } from './functions.ts';
import { GlobalKTable } from './globalKTable.ts';
import { refuse } from './internal/graph.ts';
import {
  type AnySerde,
  type GlobalTableHandle,
  HANDLE,
  requiredSerde,
  type StreamHandle,
  sameGraph,
} from './internal/handles.ts';
import { repartitioned, repartitionedFor } from './internal/repartition.ts';
import {
  partitionerOf,
  requiredFunction,
  requiredOperand,
  requiredSupplier,
  SIGNATURES,
} from './internal/required.ts';
import { joinStreams } from './internal/streamJoins.ts';
import { joinGlobalTable, joinTable } from './internal/streamTableJoins.ts';
import { tableFromStream } from './internal/tables.ts';
import type { JoinWindows } from './joinWindows.ts';
import { KGroupedStream } from './kGroupedStream.ts';
import { KTable } from './kTable.ts';
import type {
  Grouped,
  Joined,
  Named,
  Printed,
  Produced,
  Repartitioned,
  StreamJoined,
  TableMaterialized,
} from './options.ts';
import { fixedKeySupplier } from './processors/fixedKey.ts';
import {
  type AnyProcessorSupplier,
  filterSupplier,
  flatMapSupplier,
  flatMapValuesSupplier,
  foreachSupplier,
  mapSupplier,
  mapValuesSupplier,
  passThroughSupplier,
  peekSupplier,
  printSupplier,
  selectKeySupplier,
} from './processors/stateless.ts';
import type { StreamTableJoinSettings } from './processors/streamTableJoin.ts';
import type { JoinKind } from './processors/tableJoin.ts';

type AnyJoiner = ValueJoiner<unknown, unknown, unknown, unknown>;

/** What a processor of the Processor API needs beside its supplier. */
export interface ProcessOptions extends Named {
  /** Stores added to the builder that the processor asks for. Those its supplier brings along need not be named. */
  readonly stores?: readonly string[];
}

/**
 * A stream of records that stand for themselves, as Kafka Streams' KStream. The types say where null may come: a topic may hold records
 * without key or value, so what is read has both types with null; `filter` narrows them where its predicate tells.
 */
export class KStream<K, V> {
  readonly [HANDLE]: StreamHandle;

  /** Made by a StreamsBuilder and by operators. */
  constructor(handle: StreamHandle) {
    this[HANDLE] = handle;
  }

  #add<KR, VR>(
    prefix: string,
    options: Named | undefined,
    supplier: AnyProcessorSupplier,
    changed: Partial<StreamHandle> = {},
  ): KStream<KR, VR> {
    const handle = this[HANDLE];
    const node = handle.graph.nodeName(prefix, options?.name);
    handle.graph.addProcessor(node, supplier, [handle.node]);
    return new KStream({ ...handle, node, ...changed });
  }

  #filter(predicate: Predicate<K, V>, wanted: boolean, options: Named | undefined): KStream<K, V> {
    const { graph, node } = this[HANDLE];
    const supplier = filterSupplier(predicate as Predicate<unknown, unknown>, wanted);
    const filtered = this.#add<K, V>('KSTREAM-FILTER', options, supplier);
    graph.filters.set(filtered[HANDLE].node, node);
    return filtered;
  }

  /** Keeps the records for which the predicate holds. One that tells the type of the value or of the key narrows it. */
  filter<VR extends V>(predicate: (key: K, value: V) => value is VR, options?: Named): KStream<K, VR>;
  filter<KR extends K>(predicate: (key: K, value: V) => key is KR, options?: Named): KStream<KR, V>;
  filter(predicate: Predicate<K, V>, options?: Named): KStream<K, V>;
  filter(predicate: Predicate<K, V>, options?: Named): KStream<K, V> {
    return this.#filter(predicate, true, options);
  }

  /** Leaves out the records for which the predicate holds. */
  filterNot(predicate: Predicate<K, V>, options?: Named): KStream<K, V> {
    return this.#filter(predicate, false, options);
  }

  /** Makes a new key and value. Serdes are not known any more; what follows must be told them. */
  map<KR, VR>(mapper: KeyValueMapper<K, V, KeyValue<KR, VR>>, options?: Named): KStream<KR, VR> {
    return this.#add(
      'KSTREAM-MAP',
      options,
      mapSupplier(mapper as KeyValueMapper<unknown, unknown, KeyValue<unknown, unknown>>),
      {
        keySerde: null,
        valueSerde: null,
        repartitionRequired: true,
      },
    );
  }

  /** Makes any number of records with new keys and values. */
  flatMap<KR, VR>(
    mapper: KeyValueMapper<K, V, Iterable<KeyValue<KR, VR>>>,
    options?: Named,
  ): KStream<KR, VR> {
    return this.#add(
      'KSTREAM-FLATMAP',
      options,
      flatMapSupplier(mapper as KeyValueMapper<unknown, unknown, Iterable<KeyValue<unknown, unknown>>>),
      { keySerde: null, valueSerde: null, repartitionRequired: true },
    );
  }

  /** Makes a new value; the key, and so the partitioning, stays. */
  mapValues<VR>(mapper: ValueMapper<K, V, VR>, options?: Named): KStream<K, VR> {
    return this.#add(
      'KSTREAM-MAPVALUES',
      options,
      mapValuesSupplier(mapper as ValueMapper<unknown, unknown, unknown>),
      {
        valueSerde: null,
      },
    );
  }

  /** Makes any number of values under the same key. */
  flatMapValues<VR>(mapper: ValueMapper<K, V, Iterable<VR>>, options?: Named): KStream<K, VR> {
    return this.#add(
      'KSTREAM-FLATMAPVALUES',
      options,
      flatMapValuesSupplier(mapper as ValueMapper<unknown, unknown, Iterable<unknown>>),
      { valueSerde: null },
    );
  }

  /** Makes a new key. */
  selectKey<KR>(mapper: KeyValueMapper<K, V, KR>, options?: Named): KStream<KR, V> {
    return this.#add(
      'KSTREAM-KEY-SELECT',
      options,
      selectKeySupplier(mapper as KeyValueMapper<unknown, unknown, unknown>),
      { keySerde: null, repartitionRequired: true },
    );
  }

  /** Looks at each record on its way. */
  peek(action: ForeachAction<K, V>, options?: Named): KStream<K, V> {
    return this.#add('KSTREAM-PEEK', options, peekSupplier(action as ForeachAction<unknown, unknown>));
  }

  /** Ends the stream in an action. */
  foreach(action: ForeachAction<K, V>, options?: Named): void {
    this.#add('KSTREAM-FOREACH', options, foreachSupplier(action as ForeachAction<unknown, unknown>));
  }

  /** Ends the stream in lines, `[label]: key, value`, handed to what writes them: `print(console.log)`. */
  print(write: (line: string) => void, options: Printed<K, V> = {}): void {
    const { graph, node: parent } = this[HANDLE];
    const node = graph.nodeName('KSTREAM-PRINTER', options.name);
    const format = options.format?.bind(options) as KeyValueMapper<unknown, unknown, string> | undefined;
    graph.addProcessor(node, printSupplier(write, options.label ?? node, format), [parent]);
  }

  /** Begins to part the stream; the name is the prefix of the branches'. */
  split(options?: Named): BranchedKStream<K, V> {
    return new BranchedKStream(this, options?.name);
  }

  /** Brings two streams together, in the order in which their records are processed. Serdes stay where both have the same. */
  merge<KO, VO>(other: KStream<KO, VO>, options?: Named): KStream<K | KO, V | VO> {
    requiredOperand('merge', other, KStream);
    const [a, b] = [this[HANDLE], other[HANDLE]];
    sameGraph('merge', a.graph, b.graph);
    const node = a.graph.nodeName('KSTREAM-MERGE', options?.name);
    a.graph.addProcessor(node, passThroughSupplier(), [...new Set([a.node, b.node])]);
    return new KStream({
      graph: a.graph,
      node,
      keySerde: a.keySerde === b.keySerde ? a.keySerde : null,
      valueSerde: a.valueSerde === b.valueSerde ? a.valueSerde : null,
      topics: [...new Set([...a.topics, ...b.topics])],
      repartitionRequired: a.repartitionRequired || b.repartitionRequired,
    });
  }

  #process<KR, VR>(
    prefix: string,
    make: (node: string) => AnyProcessorSupplier,
    options: ProcessOptions | undefined,
    changed: Partial<StreamHandle>,
  ): KStream<KR, VR> {
    const handle = this[HANDLE];
    const node = handle.graph.nodeName(prefix, options?.name);
    handle.graph.addProcessor(node, make(node), [handle.node], () => options?.stores ?? []);
    return new KStream({ ...handle, node, valueSerde: null, ...changed });
  }

  /** Runs a processor of the Processor API. As it may change keys, what keeps state behind it repartitions. */
  process<KR, VR>(supplier: ProcessorSupplier<K, V, KR, VR>, options?: ProcessOptions): KStream<KR, VR> {
    requiredSupplier('process', supplier);
    return this.#process('KSTREAM-PROCESSOR', () => supplier as unknown as AnyProcessorSupplier, options, {
      keySerde: null,
      repartitionRequired: true,
    });
  }

  /** Runs a processor that cannot change keys. */
  processValues<VR>(supplier: FixedKeyProcessorSupplier<K, V, VR>, options?: ProcessOptions): KStream<K, VR> {
    requiredSupplier('processValues', supplier);
    return this.#process('KSTREAM-PROCESSVALUES', (node) => fixedKeySupplier(node, supplier), options, {});
  }

  /**
   * Sends the stream through a topic of the application's own, partitioned by the key as it is now. Records without a key are dropped, as in
   * Kafka Streams, unless a left or outer join of streams comes behind, which they still concern.
   */
  repartition(options: Repartitioned<K, V>): KStream<K, V> {
    const handle = this[HANDLE];
    const name = handle.graph.requiredName('repartition', options);
    const { partitions } = options;
    const partitioner = partitionerOf(`repartition ${name}`, options);
    if (partitions !== undefined && !(Number.isSafeInteger(partitions) && partitions >= 1))
      refuse(`repartition ${name}: ${partitions} partitions; the least is 1`);
    const label = `repartition ${name}`;
    return new KStream(
      repartitioned(handle, {
        name,
        keySerde: requiredSerde(label, 'key', options.keySerde as AnySerde | undefined, handle.keySerde),
        valueSerde: requiredSerde(
          label,
          'value',
          options.valueSerde as AnySerde | undefined,
          handle.valueSerde,
        ),
        partitions,
        partitioner,
      }),
    );
  }

  /** Groups by the key as it is. */
  groupByKey(options: Grouped<K, V> = {}): KGroupedStream<NonNullable<K>, V> {
    const { keySerde, valueSerde } = this[HANDLE];
    return new KGroupedStream({
      stream: this[HANDLE],
      name: options.name,
      keySerde: (options.keySerde as AnySerde | undefined) ?? keySerde,
      valueSerde: (options.valueSerde as AnySerde | undefined) ?? valueSerde,
    });
  }

  /** Groups by a new key: what is made of the groups goes through a repartition topic. */
  groupBy<KR>(
    mapper: KeyValueMapper<K, V, KR>,
    options: Grouped<KR, V> = {},
  ): KGroupedStream<NonNullable<KR>, V> {
    requiredFunction('groupBy', 'mapper', SIGNATURES.keyMapper, mapper);
    return this.selectKey(mapper).groupByKey(options);
  }

  /** Writes the stream to a topic, or each record to the one that the extractor names. */
  to(topic: string | TopicNameExtractor<K, V>, options: Produced<K, V> = {}): void {
    if (typeof topic !== 'string' && typeof topic !== 'function')
      refuse('to needs a topic; pass its name, or a function (key, value, context) => name');
    const handle = this[HANDLE];
    const { graph } = handle;
    const label = `to ${typeof topic === 'string' ? topic : (options.name ?? 'a topic chosen for each record')}`;
    const node = graph.nodeName('KSTREAM-SINK', options.name);
    const keySerde = requiredSerde(label, 'key', options.keySerde as AnySerde | undefined, handle.keySerde);
    const valueSerde = requiredSerde(
      label,
      'value',
      options.valueSerde as AnySerde | undefined,
      handle.valueSerde,
    );
    const partitioner = partitionerOf(label, options);
    const sink = { keySerde, valueSerde, ...(partitioner === undefined ? {} : { partitioner }) };
    const target = topic as string | TopicNameExtractor<unknown, unknown>;
    graph.connect(node, [handle.node]);
    graph.add((topology) => topology.addSink(node, target, sink, graph.nodeAt(handle.node)));
  }

  /** Reads the stream as updates of a table: null deletes a key. */
  toTable(
    options: TableMaterialized<NonNullable<K>, NonNullable<V>>,
  ): KTable<NonNullable<K>, NonNullable<V>> {
    const handle = this[HANDLE];
    const name = handle.graph.requiredName('toTable', options);
    const label = `toTable ${name}`;
    const keySerde = requiredSerde(label, 'key', options.keySerde as AnySerde | undefined, handle.keySerde);
    const valueSerde = requiredSerde(
      label,
      'value',
      options.valueSerde as AnySerde | undefined,
      handle.valueSerde,
    );
    const stream = handle.repartitionRequired
      ? repartitionedFor(handle, { name, keySerde, valueSerde })
      : handle;
    return new KTable(
      tableFromStream(
        'toTable',
        { ...stream, keySerde, valueSerde },
        options as TableMaterialized<unknown, unknown>,
      ),
    );
  }

  /**
   * Joins each record with what a table, or a global table, holds under its key at that moment; records that find nothing go. A table must
   * be partitioned as the stream is; of a global table each record names its key. Another stream is joined within windows: every record with
   * each of the other of the same key and a time near its own.
   */
  join<VO, VR>(
    other: KStream<K | null, VO>,
    joiner: ValueJoiner<NonNullable<K>, NonNullable<V>, NonNullable<VO>, VR>,
    windows: JoinWindows,
    options: StreamJoined<K, V, VO>,
  ): KStream<NonNullable<K>, VR>;
  join<VT, VR>(
    table: KTable<NonNullable<K>, VT>,
    joiner: ValueJoiner<NonNullable<K>, NonNullable<V>, VT, VR>,
    options?: Joined<K, V>,
  ): KStream<NonNullable<K>, VR>;
  join<KT, VT, VR>(
    table: GlobalKTable<KT, VT>,
    keySelector: KeyValueMapper<K, NonNullable<V>, KT | null>,
    joiner: ValueJoiner<K, NonNullable<V>, VT, VR>,
    options?: Named,
  ): KStream<K, VR>;
  join(...args: readonly unknown[]): unknown {
    return this.#joinAny(args, 'inner');
  }

  /** As join, but records that find nothing are joined with null: with a stream when their window closes. */
  leftJoin<VO, VR>(
    other: KStream<K | null, VO>,
    joiner: ValueJoiner<K, NonNullable<V>, NonNullable<VO> | null, VR>,
    windows: JoinWindows,
    options: StreamJoined<K, V, VO>,
  ): KStream<K, VR>;
  leftJoin<VT, VR>(
    table: KTable<NonNullable<K>, VT>,
    joiner: ValueJoiner<K, NonNullable<V>, VT | null, VR>,
    options?: Joined<K, V>,
  ): KStream<K, VR>;
  leftJoin<KT, VT, VR>(
    table: GlobalKTable<KT, VT>,
    keySelector: KeyValueMapper<K, NonNullable<V>, KT | null>,
    joiner: ValueJoiner<K, NonNullable<V>, VT | null, VR>,
    options?: Named,
  ): KStream<K, VR>;
  leftJoin(...args: readonly unknown[]): unknown {
    return this.#joinAny(args, 'left');
  }

  /**
   * As join, but records of either stream that find none of the other are joined with null, when their window closes. Of a record without
   * a key it is told at once.
   */
  outerJoin<KO extends K | null, VO, VR>(
    other: KStream<KO, VO>,
    joiner: ValueJoiner<K | KO, NonNullable<V> | null, NonNullable<VO> | null, VR>,
    windows: JoinWindows,
    options: StreamJoined<K, V, VO>,
  ): KStream<K | KO, VR>;
  outerJoin(...args: readonly unknown[]): unknown {
    return this.#joinAny(args, 'outer');
  }

  /** Which join it is, the class of the operand tells. */
  #joinAny(args: readonly unknown[], kind: JoinKind): KStream<unknown, unknown> {
    const handle = this[HANDLE];
    const [operand, first, second, third] = args;
    const left = kind === 'left';
    if (operand instanceof KStream) {
      const other = operand[HANDLE] as StreamHandle;
      const options = third as StreamJoined<unknown, unknown, unknown> | undefined;
      return new KStream(
        joinStreams(handle, other, kind, first as AnyJoiner, second as JoinWindows, options),
      );
    }
    if (kind === 'outer') refuse('outerJoin joins a stream with a KStream');
    if (operand instanceof GlobalKTable) {
      const keyOf = first as StreamTableJoinSettings['keyOf'];
      const table = operand[HANDLE] as GlobalTableHandle<unknown, unknown>;
      return new KStream(
        joinGlobalTable(handle, table, keyOf, second as AnyJoiner, third as Named | undefined, left),
      );
    }
    if (!(operand instanceof KTable)) refuse('a stream is joined with a KStream, a KTable or a GlobalKTable');
    const options = (second as Joined<unknown, unknown> | undefined) ?? {};
    return new KStream(joinTable(handle, operand[HANDLE], first as AnyJoiner, options, left));
  }
}
