/** Builds the topology of a case with our DSL, node by node; Declaration.java of infra/kafka-streams-oracle does the same with Kafka Streams'. */
import {
  EmitStrategy,
  type GlobalKTable,
  JoinWindows,
  type KGroupedStream,
  type KGroupedTable,
  type KStream,
  type KTable,
  type Materialized,
  type Serde,
  Serdes,
  SessionWindows,
  SlidingWindows,
  StreamsBuilder,
  Suppressed,
  sessionWindowedSerde,
  TimeWindows,
  type Topology,
  timeWindowedSerde,
  type Windowed,
} from '../../streams/index.ts';
import * as functions from './functions.ts';
import { fixedKeyNumbering, processorSupplier } from './processors.ts';
import type { NodeSpec, Shape, ValueType, WindowsSpec } from './spec.ts';

type Key = NonNullable<unknown>;
type AnySerde = Serde<Key>;
type Stream = KStream<unknown, unknown>;
type Table = KTable<Key, Key>;
type Made =
  | { readonly kind: 'stream'; readonly stream: Stream }
  | { readonly kind: 'branches'; readonly streams: readonly Stream[] }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'global'; readonly table: GlobalKTable<Key, Key> }
  | { readonly kind: 'grouped'; readonly grouped: KGroupedStream<Key, unknown> }
  | { readonly kind: 'groupedTable'; readonly grouped: KGroupedTable<Key, Key> }
  | { readonly kind: 'sink' };

export function serdeOf(type: ValueType): AnySerde {
  return (type === 'number' ? Serdes.longNumber : Serdes.string) as unknown as AnySerde;
}

function keySerdeOf({ windowMs }: Shape): AnySerde {
  if (windowMs === undefined) return serdeOf('text');
  if (windowMs === 'session') return sessionWindowedSerde(Serdes.string) as unknown as AnySerde;
  return timeWindowedSerde(Serdes.string, windowMs) as unknown as AnySerde;
}

function functionOf<F>(library: Readonly<globalThis.Record<string, F>>, name: string | undefined): F {
  const found = name === undefined ? undefined : library[name];
  if (found === undefined) throw new Error(`no function ${name}`);
  return found;
}

function named({ name }: NodeSpec): { readonly name: string } | undefined {
  return name === undefined ? undefined : { name };
}

const mapperOf = (name: string | undefined) =>
  functionOf({ ...functions.TO_TEXT, ...functions.TO_NUMBER }, name);

class Declaration {
  readonly #builder = new StreamsBuilder();
  readonly #made: Made[] = [];

  build(nodes: readonly NodeSpec[]): Topology {
    for (const node of nodes) this.#made.push(this.#declare(node));
    return this.#builder.build();
  }

  #input<Kind extends Made['kind']>(place: number | undefined, kind: Kind): Extract<Made, { kind: Kind }> {
    const made = place === undefined ? undefined : this.#made[place];
    if (made?.kind !== kind) throw new Error(`node ${place} is no ${kind}`);
    return made as Extract<Made, { kind: Kind }>;
  }

  #materialized(node: NodeSpec, keySerde = keySerdeOf(node.shape)): Materialized<Key, Key> {
    const valueSerde = serdeOf(node.shape.value);
    return {
      name: node.store!,
      keySerde,
      valueSerde,
      residence: 'memory',
      cachingEnabled: node.cached ?? false,
    };
  }

  /** Keeps the result where the node names a store. */
  #kept(node: NodeSpec): { readonly materialized?: Materialized<Key, Key> } {
    return node.store === undefined ? {} : { materialized: this.#materialized(node) };
  }

  #declare(node: NodeSpec): Made {
    const { op, topic, shape } = node;
    const consumed = { keySerde: serdeOf('text'), valueSerde: serdeOf(shape.value) };
    const kept = this.#kept(node).materialized;
    if (op === 'stream') return { kind: 'stream', stream: this.#builder.stream(topic!, consumed) as Stream };
    if (op === 'table') {
      const { historyMs } = node;
      const versioned = historyMs === undefined ? kept : { ...kept!, historyRetentionMs: historyMs };
      return { kind: 'table', table: this.#builder.table(topic!, consumed, versioned) };
    }
    if (op === 'globalTable')
      return { kind: 'global', table: this.#builder.globalTable(topic!, consumed, kept!) };
    if (op === 'count' || op === 'reduce' || op === 'aggregate')
      return { kind: 'table', table: this.#aggregation(node) };
    if (op === 'cogroup') return { kind: 'table', table: this.#cogroup(node) };
    if (op === 'foreignKeyJoin') return { kind: 'table', table: this.#foreignKeyJoin(node) };
    if (op.startsWith('table') || op.startsWith('suppress')) return this.#fromTable(node);
    if (op === 'toStream') return { kind: 'stream', stream: this.#toStream(node) };
    if (op === 'branch')
      return { kind: 'stream', stream: this.#input(node.of, 'branches').streams[node.branch!]! };
    return this.#fromStream(node, this.#input(node.of, 'stream').stream);
  }

  #toStream(node: NodeSpec): Stream {
    const { table } = this.#input(node.of, 'table');
    if (node.keyFn === undefined) return table.toStream(named(node)) as Stream;
    return table.toStream(functionOf(functions.KEYS, node.keyFn), named(node)) as Stream;
  }

  #fromStream(node: NodeSpec, stream: Stream): Made {
    const serdes = { keySerde: keySerdeOf(node.shape), valueSerde: serdeOf(node.shape.value) };
    const grouped = node.name === undefined ? serdes : { ...serdes, name: node.name };
    switch (node.op) {
      case 'split':
        return { kind: 'branches', streams: this.#split(node, stream) };
      case 'groupByKey':
        return { kind: 'grouped', grouped: stream.groupByKey(grouped) };
      case 'groupBy':
        return { kind: 'grouped', grouped: stream.groupBy(functionOf(functions.KEYS, node.fn), grouped) };
      case 'toTable':
        return { kind: 'table', table: stream.toTable(this.#materialized(node)) };
      case 'to':
        stream.to(node.topic!, serdes);
        return { kind: 'sink' };
      default:
        return { kind: 'stream', stream: this.#transformed(node, stream) };
    }
  }

  #transformed(node: NodeSpec, stream: Stream): Stream {
    const { fn } = node;
    switch (node.op) {
      case 'filter':
        return stream.filter(functionOf(functions.PREDICATES, fn));
      case 'filterNot':
        return stream.filterNot(functionOf(functions.PREDICATES, fn));
      case 'map': {
        const [keyOf, mapper] = [functionOf(functions.KEYS, node.keyFn), mapperOf(fn)];
        return stream.map((key, value) => ({ key: keyOf(key, value), value: mapper(key, value) }));
      }
      case 'mapValues': {
        const mapper = mapperOf(fn);
        return stream.mapValues((value, key) => mapper(key, value));
      }
      case 'flatMap':
        return stream.flatMap(functionOf(functions.EXPAND_KEYS, fn)) as Stream;
      case 'flatMapValues':
        return stream.flatMapValues(functionOf(functions.EXPAND, fn)) as Stream;
      case 'selectKey':
        return stream.selectKey(functionOf(functions.KEYS, fn));
      case 'merge':
        return stream.merge(this.#input(node.other, 'stream').stream);
      case 'repartition':
        return stream.repartition({
          name: node.name!,
          keySerde: keySerdeOf(node.shape),
          valueSerde: serdeOf(node.shape.value),
        });
      case 'process':
        return stream.process(processorSupplier(fn!, node.store));
      case 'processValues':
        return stream.processValues(fixedKeyNumbering(node.store!));
      case 'joinStream':
        return this.#joinStream(node, stream);
      case 'joinTable':
        return this.#joinTable(node, stream);
      case 'joinGlobal':
        return this.#joinGlobal(node, stream);
      default:
        throw new Error(`no operator ${node.op} of streams`);
    }
  }

  #split(node: NodeSpec, stream: Stream): readonly Stream[] {
    let branched = stream.split({ name: node.name! });
    node.branches!.forEach((predicate, index) => {
      branched = branched.branch(functionOf(functions.PREDICATES, predicate), { name: `-${index}` });
    });
    const count = node.branches!.length;
    const all =
      node.hasDefault === true ? branched.defaultBranch({ name: `-${count}` }) : branched.noDefaultBranch();
    return [...all.values()];
  }

  #aggregation(node: NodeSpec): Table {
    const { grouped } = this.#input(node.of, 'grouped');
    const { op, windows, shape, fn } = node;
    const kept = {
      ...this.#materialized(node, windows === undefined ? keySerdeOf(shape) : serdeOf('text')),
      ...(node.retentionMs === undefined ? {} : { retentionMs: node.retentionMs }),
    };
    if (windows !== undefined && 'gapMs' in windows) return this.#sessions(node, grouped, kept);
    const target =
      windows === undefined ? grouped : grouped.windowedBy(windowsOf(windows)).emitStrategy(emitOf(node));
    if (op === 'count') return target.count(kept as unknown as Materialized<Key, number>) as unknown as Table;
    if (op === 'reduce') return target.reduce(reducerOf(fn), kept) as unknown as Table;
    return target.aggregate(() => initialOf(shape.value), aggregatorOf(fn), kept) as unknown as Table;
  }

  #sessions(node: NodeSpec, grouped: KGroupedStream<Key, unknown>, kept: Materialized<Key, Key>): Table {
    const { gapMs, graceMs } = node.windows as Extract<WindowsSpec, { gapMs: number }>;
    const target = grouped
      .windowedBy(SessionWindows.ofInactivityGapAndGrace(gapMs, graceMs))
      .emitStrategy(emitOf(node));
    if (node.op === 'count')
      return target.count(kept as unknown as Materialized<Key, number>) as unknown as Table;
    if (node.op === 'reduce')
      return target.reduce(reducerOf(node.fn), kept as Materialized<Key, Key>) as unknown as Table;
    const merge = reducerOf(node.merge);
    const merger = (_key: unknown, one: Key, two: Key): Key => merge(one, two);
    return target.aggregate(
      () => initialOf(node.shape.value),
      aggregatorOf(node.fn),
      merger,
      kept,
    ) as unknown as Table;
  }

  #cogroup(node: NodeSpec): Table {
    const [one, two] = [this.#input(node.of, 'grouped').grouped, this.#input(node.other, 'grouped').grouped];
    const cogrouped = one.cogroup(aggregatorOf(node.fn)).cogroup(two, aggregatorOf(node.otherFn));
    const initializer = (): Key => initialOf(node.shape.value);
    const { windows, retentionMs } = node;
    if (windows === undefined) return cogrouped.aggregate(initializer, this.#materialized(node));
    const kept = { ...this.#materialized(node, serdeOf('text')), retentionMs: retentionMs! };
    if (!('gapMs' in windows))
      return cogrouped.windowedBy(windowsOf(windows)).aggregate(initializer, kept) as unknown as Table;
    const sessions = SessionWindows.ofInactivityGapAndGrace(windows.gapMs, windows.graceMs);
    const merge = reducerOf(node.merge);
    return cogrouped
      .windowedBy(sessions)
      .aggregate(initializer, (_key, one, two) => merge(one, two), kept) as unknown as Table;
  }

  #foreignKeyJoin(node: NodeSpec): Table {
    const { table: left } = this.#input(node.of, 'table');
    const { table: right } = this.#input(node.other, 'table');
    const keyOf = functionOf(functions.KEYS, node.keyFn) as (key: unknown, value: unknown) => Key | null;
    const joiner = functionOf(functions.JOINERS, node.fn);
    const options = { name: node.name!, ...this.#kept(node) };
    return node.kind === 'left'
      ? left.leftJoin(right, keyOf, joiner, options)
      : left.join(right, keyOf, joiner, options);
  }

  #joinStream(node: NodeSpec, left: Stream): Stream {
    const { stream: right } = this.#input(node.other, 'stream');
    const { beforeMs, afterMs, graceMs } = node.joinWindows!;
    const windows = JoinWindows.ofTimeDifferenceAndGrace(50, graceMs).before(beforeMs).after(afterMs);
    const joiner = functionOf(functions.JOINERS, node.fn);
    const options = {
      name: node.name!,
      keySerde: keySerdeOf(node.shape),
      leftValueSerde: serdeOf(node.leftValue!),
      rightValueSerde: serdeOf(node.rightValue!),
      residence: 'memory' as const,
    };
    if (node.kind === 'inner') return left.join(right, joiner, windows, options) as Stream;
    return (
      node.kind === 'left'
        ? left.leftJoin(right, joiner, windows, options)
        : left.outerJoin(right, joiner, windows, options)
    ) as Stream;
  }

  #joinTable(node: NodeSpec, stream: Stream): Stream {
    const { table } = this.#input(node.other, 'table');
    const joiner = functionOf(functions.JOINERS, node.fn);
    const left = stream as KStream<Key, Key>;
    const options = {
      keySerde: keySerdeOf(node.shape),
      valueSerde: serdeOf(node.leftValue!),
      name: node.name!,
      ...(node.joinGraceMs === undefined ? {} : { gracePeriodMs: node.joinGraceMs }),
    };
    return (
      node.kind === 'left' ? left.leftJoin(table, joiner, options) : left.join(table, joiner, options)
    ) as Stream;
  }

  #joinGlobal(node: NodeSpec, stream: Stream): Stream {
    const { table } = this.#input(node.other, 'global');
    const keyOf = functionOf(functions.KEYS, node.keyFn) as (key: unknown, value: unknown) => Key | null;
    const joiner = functionOf(functions.JOINERS, node.fn);
    return node.kind === 'left' ? stream.leftJoin(table, keyOf, joiner) : stream.join(table, keyOf, joiner);
  }

  #fromTable(node: NodeSpec): Made {
    if (node.op === 'tableCount' || node.op === 'tableReduce' || node.op === 'tableAggregate')
      return { kind: 'table', table: this.#tableAggregation(node) };
    const { table } = this.#input(node.of, 'table');
    const { fn, shape } = node;
    if (node.op === 'tableGroupBy') {
      const keyOf = functionOf(functions.KEYS, fn);
      const options = { keySerde: keySerdeOf(shape), valueSerde: serdeOf(shape.value) };
      const grouped = table.groupBy(
        (key, value) => ({ key: keyOf(key, value) as Key, value }),
        node.name === undefined ? options : { ...options, name: node.name },
      );
      return { kind: 'groupedTable', grouped };
    }
    return { kind: 'table', table: this.#transformedTable(node, table) };
  }

  #transformedTable(node: NodeSpec, table: Table): Table {
    const { fn } = node;
    const kept = this.#kept(node);
    switch (node.op) {
      case 'tableFilter':
        return table.filter(functionOf(functions.PREDICATES, fn), kept);
      case 'tableFilterNot':
        return table.filterNot(functionOf(functions.PREDICATES, fn), kept);
      case 'tableMapValues': {
        const mapper = mapperOf(fn);
        return table.mapValues((value, key) => mapper(key, value), kept);
      }
      case 'tableTransformValues': {
        const mapper = mapperOf(fn);
        return table.transformValues({ get: () => ({ transform: mapper }) }, kept) as Table;
      }
      case 'tableJoin': {
        const { table: other } = this.#input(node.other, 'table');
        const joiner = functionOf(functions.JOINERS, fn);
        if (node.kind === 'inner') return table.join(other, joiner, kept);
        return node.kind === 'left'
          ? table.leftJoin(other, joiner, kept)
          : table.outerJoin(other, joiner, kept);
      }
      case 'suppressClosed':
        return (table as unknown as KTable<Windowed<Key>, Key>).suppress(
          Suppressed.untilWindowCloses({ name: node.name! }),
        ) as unknown as Table;
      case 'suppressTime': {
        const buffer = node.maxRecords === undefined ? {} : { buffer: { maxRecords: node.maxRecords } };
        return table.suppress(Suppressed.untilTimeLimit(node.limitMs!, { name: node.name!, ...buffer }));
      }
      default:
        throw new Error(`no operator ${node.op} of tables`);
    }
  }

  #tableAggregation(node: NodeSpec): Table {
    const { grouped } = this.#input(node.of, 'groupedTable');
    const { op, fn, subtract, shape } = node;
    const kept = this.#materialized(node);
    if (op === 'tableCount')
      return grouped.count(kept as unknown as Materialized<Key, number>) as unknown as Table;
    if (op === 'tableReduce') {
      const reducer = (name: string | undefined) =>
        functionOf(functions.REDUCERS, name) as (aggregate: Key, value: Key) => Key;
      return grouped.reduce(reducer(fn), reducer(subtract), kept);
    }
    const aggregator = (name: string | undefined) =>
      functionOf(functions.AGGREGATORS, name) as (key: Key, value: Key, aggregate: Key) => Key;
    return grouped.aggregate(() => initialOf(shape.value), aggregator(fn), aggregator(subtract), kept);
  }
}

function reducerOf(name: string | undefined): (aggregate: unknown, value: unknown) => Key {
  return functionOf(functions.REDUCERS, name) as (aggregate: unknown, value: unknown) => Key;
}

function aggregatorOf(name: string | undefined): (key: unknown, value: unknown, aggregate: Key) => Key {
  return functionOf(functions.AGGREGATORS, name) as (key: unknown, value: unknown, aggregate: Key) => Key;
}

function emitOf({ onClose }: NodeSpec): EmitStrategy {
  return onClose === true ? EmitStrategy.onWindowClose() : EmitStrategy.onWindowUpdate();
}

function windowsOf(windows: Exclude<WindowsSpec, { readonly gapMs: number }>): TimeWindows | SlidingWindows {
  if ('differenceMs' in windows)
    return SlidingWindows.ofTimeDifferenceAndGrace(windows.differenceMs, windows.graceMs);
  return TimeWindows.ofSizeAndGrace(windows.sizeMs, windows.graceMs).advanceBy(windows.advanceMs);
}

function initialOf(type: ValueType): Key {
  return type === 'number' ? 0 : '';
}

/** @throws StreamsError STREAMS_TOPOLOGY where our DSL refuses the topology */
export function declare(nodes: readonly NodeSpec[]): Topology {
  return new Declaration().build(nodes);
}
