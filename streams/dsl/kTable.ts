import { Stores } from '../../stores/index.ts';
import { bytesSerde } from '../../stores/serdes.ts';
import type { KeyValue, Windowed } from '../../stores/store.ts';
import type { KeyValueMapper, Predicate, ValueJoiner } from './functions.ts';
import { joinByForeignKey } from './internal/foreignKeyJoins.ts';
import { refuse } from './internal/graph.ts';
import { type AnySerde, HANDLE, requiredSerde, type TableHandle } from './internal/handles.ts';
import { joinTables } from './internal/joins.ts';
import { requiredFunction, requiredOperand, requiredSupplier, SIGNATURES } from './internal/required.ts';
import { heldBackSerde } from './internal/suppressionBuffer.ts';
import { addTableStore } from './internal/tables.ts';
import { transformTable, transformTableValues } from './internal/transforms.ts';
import { KGroupedTable } from './kGroupedTable.ts';
import { KStream } from './kStream.ts';
import type {
  ForeignKeyJoined,
  Grouped,
  Named,
  TableOperatorOptions,
  TransformValuesOptions,
} from './options.ts';
import { passThroughSupplier } from './processors/stateless.ts';
import { SuppressProcessor, SuppressTableModel } from './processors/suppress.ts';
import { TableRepartitionMapProcessor } from './processors/tableAggregate.ts';
import type { JoinKind } from './processors/tableJoin.ts';
import type { SuppressedUntilTimeLimit, SuppressedUntilWindowCloses } from './suppressed.ts';
import type { ValueTransformerSupplier } from './valueTransformer.ts';

type AnyOptions = TableOperatorOptions<unknown, unknown>;
type AnyTransformOptions = TransformValuesOptions<unknown, unknown>;
type AnyJoiner = ValueJoiner<unknown, unknown, unknown, unknown>;

/**
 * A table that its updates change by key, as Kafka Streams' KTable. Keys and values are never null: a key without value is not in the
 * table, and functions are not called for it. What a table computes is kept in a store where it was named to be or where another operator
 * reads it.
 */
export class KTable<K, V> {
  readonly [HANDLE]: TableHandle;

  /** Made by a StreamsBuilder and by operators. */
  constructor(handle: TableHandle) {
    this[HANDLE] = handle;
  }

  /** The name to query it by, or null where it keeps nothing. */
  get queryableStoreName(): string | null {
    return this[HANDLE].model.storeName;
  }

  #filter<VR>(
    predicate: Predicate<K, V>,
    wanted: boolean,
    options: TableOperatorOptions<K, V>,
  ): KTable<K, VR> {
    requiredFunction(wanted ? 'filter' : 'filterNot', 'predicate', SIGNATURES.predicate, predicate);
    const test = predicate as Predicate<unknown, unknown>;
    const transform = (key: unknown, value: unknown): unknown => (test(key, value) === wanted ? value : null);
    return new KTable(transformTable(this[HANDLE], 'filter', transform, options as AnyOptions, true));
  }

  /** Keeps the keys whose value passes; one that no longer does is deleted downstream, if it was there. */
  filter<VR extends V>(
    predicate: (key: K, value: V) => value is VR,
    options?: TableOperatorOptions<K, VR>,
  ): KTable<K, VR>;
  filter(predicate: Predicate<K, V>, options?: TableOperatorOptions<K, V>): KTable<K, V>;
  filter(predicate: Predicate<K, V>, options: TableOperatorOptions<K, V> = {}): KTable<K, V> {
    return this.#filter(predicate, true, options);
  }

  /** Keeps the keys whose value does not pass. */
  filterNot(predicate: Predicate<K, V>, options: TableOperatorOptions<K, V> = {}): KTable<K, V> {
    return this.#filter(predicate, false, options);
  }

  /** Computes each value anew; null leaves the key out of the result. */
  mapValues<VR>(
    mapper: (value: V, key: K) => VR | null,
    options: TableOperatorOptions<K, NonNullable<VR>> = {},
  ): KTable<K, NonNullable<VR>> {
    requiredFunction('mapValues', 'mapper', '(value, key) => newValue', mapper);
    const map = mapper as (value: unknown, key: unknown) => unknown;
    const transform = (key: unknown, value: unknown): unknown => map(value, key);
    return new KTable(transformTable(this[HANDLE], 'mapValues', transform, options as AnyOptions, false));
  }

  /**
   * Computes each value anew by a transformer that sees the key, the time of the task and the stores named or brought along. A deletion comes
   * to it as null, unlike to mapValues. Where the result keeps nothing, old values, and rows that joins read, are computed anew, each reader
   * by a transformer of its own: then it must give the same for the same key and value. With `materialized` each update is computed once.
   */
  transformValues<VR>(
    supplier: ValueTransformerSupplier<K, V, VR>,
    options: TransformValuesOptions<K, NonNullable<VR>> = {},
  ): KTable<K, NonNullable<VR>> {
    requiredSupplier('transformValues', supplier);
    const untyped = supplier as unknown as ValueTransformerSupplier<unknown, unknown, unknown>;
    return new KTable(transformTableValues(this[HANDLE], untyped, options as AnyTransformOptions));
  }

  /**
   * The updates as a stream; a deletion is a record with the value null. Without a name it is no node and costs nothing; with one it is, and
   * what is declared behind it gets its updates before what is declared of the table after it, as in Kafka Streams.
   * @param mapper makes a new key of each update, as selectKey behind it does; a deletion comes to it with the value null
   */
  toStream<KR>(mapper: KeyValueMapper<K, V | null, KR>, options?: Named): KStream<KR, V | null>;
  toStream(options?: Named): KStream<K, V | null>;
  toStream(first?: Named | KeyValueMapper<K, V | null, unknown>, second?: Named): unknown {
    return typeof first === 'function'
      ? this.#updates(second).selectKey(first as KeyValueMapper<K, V | null, unknown>)
      : this.#updates(first);
  }

  #updates(options: Named | undefined): KStream<K, V | null> {
    const { graph, node, keySerde, valueSerde, topics } = this[HANDLE];
    const stream = { graph, node, keySerde, valueSerde, topics, repartitionRequired: false };
    if (options?.name === undefined) return new KStream(stream);
    const name = graph.nodeName('KTABLE-TOSTREAM', options.name);
    graph.addProcessor(name, passThroughSupplier(), [node]);
    return new KStream({ ...stream, node: name });
  }

  /** Groups the rows by a new key, so that they can be added up there and taken away when they change. The key's serde is needed. */
  groupBy<KR, VR>(
    selector: KeyValueMapper<K, V, KeyValue<KR, VR>>,
    options: Grouped<KR, VR> = {},
  ): KGroupedTable<NonNullable<KR>, NonNullable<VR>> {
    requiredFunction('groupBy', 'selector', '(key, value) => ({ key, value })', selector);
    const { graph, node: parent, model, topics } = this[HANDLE];
    const node = graph.nodeName('KTABLE-SELECT');
    const keySerde = requiredSerde(
      `groupBy ${options.name ?? node} of a table`,
      'key',
      options.keySerde as AnySerde | undefined,
    );
    model.enableSendingOldValues(true, `groupBy ${options.name ?? node}`);
    const select = selector as KeyValueMapper<unknown, unknown, KeyValue<unknown, unknown>>;
    graph.addProcessor(node, { get: () => new TableRepartitionMapProcessor(select, keySerde) }, [parent]);
    return new KGroupedTable({
      stream: { graph, node, keySerde, valueSerde: null, topics, repartitionRequired: true },
      name: options.name,
      keySerde,
      valueSerde: (options.valueSerde as AnySerde | undefined) ?? null,
    });
  }

  /** By key, or where two functions are given, or options behind them, by foreign key. */
  #join<KR, VR>(kind: JoinKind, args: readonly unknown[]): KTable<KR, VR> {
    const [other, first, second, third] = args as readonly [KTable<unknown, unknown>, ...unknown[]];
    const handle = this[HANDLE];
    requiredOperand(kind === 'inner' ? 'join' : `${kind}Join`, other, KTable);
    if (typeof second === 'function' || third !== undefined) {
      const foreignKeyOf = first as KeyValueMapper<unknown, unknown, unknown>;
      const options = third as ForeignKeyJoined<unknown, unknown, unknown, unknown, unknown> | undefined;
      const left = kind === 'left';
      return new KTable(
        joinByForeignKey(handle, other[HANDLE], left, foreignKeyOf, second as AnyJoiner, options),
      );
    }
    const options = (second as AnyOptions | undefined) ?? {};
    return new KTable(joinTables(handle, other[HANDLE], kind, first as AnyJoiner, options));
  }

  /**
   * Rows of both tables under one key; the result has the later time of both. With a foreign key that each row names, or null, it is joined
   * with the other table's row of that key, and again when either changes.
   */
  join<VO, VR>(
    other: KTable<K, VO>,
    joiner: ValueJoiner<K, V, VO, VR | null>,
    options?: TableOperatorOptions<K, NonNullable<VR>>,
  ): KTable<K, NonNullable<VR>>;
  join<KO, VO, VR>(
    other: KTable<KO, VO>,
    foreignKeyOf: KeyValueMapper<K, V, KO | null>,
    joiner: ValueJoiner<K, V, VO, VR | null>,
    options: ForeignKeyJoined<K, V, KO, VO, NonNullable<VR>>,
  ): KTable<K, NonNullable<VR>>;
  join(...args: readonly unknown[]): unknown {
    return this.#join('inner', args);
  }

  /** As join, but rows that are only in this table, or name no foreign key, are joined with null. */
  leftJoin<VO, VR>(
    other: KTable<K, VO>,
    joiner: ValueJoiner<K, V, VO | null, VR | null>,
    options?: TableOperatorOptions<K, NonNullable<VR>>,
  ): KTable<K, NonNullable<VR>>;
  leftJoin<KO, VO, VR>(
    other: KTable<KO, VO>,
    foreignKeyOf: KeyValueMapper<K, V, KO | null>,
    joiner: ValueJoiner<K, V, VO | null, VR | null>,
    options: ForeignKeyJoined<K, V, KO, VO, NonNullable<VR>>,
  ): KTable<K, NonNullable<VR>>;
  leftJoin(...args: readonly unknown[]): unknown {
    return this.#join('left', args);
  }

  /** As join by key, but rows that are only in one table are joined with null; never null with null. */
  outerJoin<VO, VR>(
    other: KTable<K, VO>,
    joiner: ValueJoiner<K, V | null, VO | null, VR | null>,
    options?: TableOperatorOptions<K, NonNullable<VR>>,
  ): KTable<K, NonNullable<VR>> {
    return this.#join('outer', [other, joiner, options]);
  }

  /** Holds updates back; see Suppressed. Only windows close, so only a windowed table can wait for that. */
  suppress(suppressed: SuppressedUntilTimeLimit): KTable<K, V>;
  suppress<KW>(
    this: KTable<Windowed<KW>, V>,
    suppressed: SuppressedUntilWindowCloses,
  ): KTable<Windowed<KW>, V>;
  suppress(suppressed: SuppressedUntilTimeLimit | SuppressedUntilWindowCloses): unknown {
    const handle = this[HANDLE];
    const { graph } = handle;
    const name = graph.requiredName('suppress', suppressed);
    if (handle.model.historyRetentionMs !== null)
      refuse(
        `suppress ${name} stands on a table that keeps versions, which may take a late row after a newer one was told of; suppress a table without historyRetentionMs`,
      );
    const delayMs = suppressed.until === 'time-limit' ? suppressed.timeLimitMs : handle.graceMs;
    if (delayMs === null)
      refuse(`suppress ${name} waits for windows to close, but the table has none; use untilTimeLimit`);
    const keySerde = requiredSerde(`suppress ${name}`, 'key', handle.keySerde);
    const valueSerde = requiredSerde(`suppress ${name}`, 'value', handle.valueSerde);
    const builder = Stores.keyValueStore({
      name,
      keySerde: bytesSerde,
      valueSerde: heldBackSerde(valueSerde),
      residence: 'memory',
    });
    graph.claimStore(builder);
    const node = graph.nodeName('KTABLE-SUPPRESS', name);
    const settings = { suppressed, delayMs, keySerde, valueSerde };
    graph.addProcessor(node, { get: () => new SuppressProcessor(settings) }, [handle.node]);
    addTableStore(graph, node, () => builder);
    return new KTable<K, V>({ ...handle, node, model: new SuppressTableModel(handle.model, name, keySerde) });
  }
}
