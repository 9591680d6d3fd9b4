import { Stores } from '../../../stores/index.ts';
import { bytesSerde } from '../../../stores/serdes.ts';
import { checkPartitioner } from '../../graph/checks.ts';
import type { StreamPartitioner } from '../../graph/nodes.ts';
import type { KeyValueMapper, ValueJoiner } from '../functions.ts';
import type { ForeignKeyJoined } from '../options.ts';
import {
  type ForeignKeyJoinSettings,
  ForeignTableJoinProcessor,
  SubscriptionReceiveProcessor,
  SubscriptionResolveProcessor,
  SubscriptionSendProcessor,
} from '../processors/foreignKeyJoin.ts';
import type { AnyProcessorSupplier } from '../processors/stateless.ts';
import {
  type Subscription,
  type SubscriptionAnswer,
  subscriptionAnswerSerde,
  subscriptionSerde,
} from './foreignKeyMessages.ts';
import type { DslGraph } from './graph.ts';
import {
  type AnySerde,
  copartition,
  requiredSerde,
  type StreamHandle,
  sameGraph,
  type TableHandle,
} from './handles.ts';
import { requiredFunction, SIGNATURES } from './required.ts';
import type { AnyMaterialized } from './stores.ts';
import { tableFromStream } from './tables.ts';

type AnyOptions = ForeignKeyJoined<unknown, unknown, unknown, unknown, unknown>;

interface Hop {
  readonly topic: string;
  readonly keySerde: AnySerde;
  readonly valueSerde: AnySerde;
  readonly parents: readonly string[];
  readonly partitioner: StreamPartitioner<unknown, unknown> | undefined;
}

/** A partitioner of messages about keys, by what is given for the keys. */
function byKey(
  operator: string,
  what: 'partitioner' | 'foreignPartitioner',
  partitioner: ((...args: Parameters<StreamPartitioner<unknown, null>>) => number | null) | undefined,
): StreamPartitioner<unknown, unknown> | undefined {
  checkPartitioner(operator, partitioner, what);
  return partitioner && ((topic, key, _value, partitions) => partitioner(topic, key, null, partitions));
}

/** Sends what the parents forward through a topic of the application's own. @returns the node that reads it */
function throughTopic(graph: DslGraph, hop: Hop): string {
  const { topic, keySerde, valueSerde, parents, partitioner } = hop;
  const sink = graph.nodeName('KTABLE-SINK', `${topic}-sink`);
  const source = graph.nodeName('KTABLE-SOURCE', `${topic}-source`);
  graph.add((topology) => {
    topology.addInternalTopic(topic);
    topology.addSink(
      sink,
      topic,
      {
        keySerde,
        valueSerde,
        ...(partitioner === undefined ? {} : { partitioner }),
      },
      ...parents,
    );
    topology.addSource(source, topic, { keySerde, valueSerde });
  });
  return source;
}

function addNode(
  graph: DslGraph,
  name: string,
  supplier: AnyProcessorSupplier,
  parent: string,
  storesOf: () => readonly string[],
): string {
  const node = graph.nodeName('KTABLE-FK-JOIN', name);
  graph.addProcessor(node, supplier, [parent], storesOf);
  return node;
}

function settingsOf(
  left: TableHandle,
  right: TableHandle,
  isLeft: boolean,
  foreignKeyOf: KeyValueMapper<unknown, unknown, unknown>,
  joiner: ValueJoiner<unknown, unknown, unknown, unknown>,
  options: AnyOptions | undefined,
): ForeignKeyJoinSettings & { readonly foreignValueSerde: AnySerde } {
  const operator = isLeft ? 'leftJoin' : 'join';
  sameGraph(operator, left.graph, right.graph);
  requiredFunction(operator, 'foreign key', '(key, value) => foreignKey', foreignKeyOf);
  requiredFunction(operator, 'joiner', SIGNATURES.joiner, joiner);
  const name = left.graph.requiredName(operator, options);
  const label = `${operator} ${name} by foreign key`;
  const serdeOf = (what: string, kind: 'key' | 'value', given: unknown, known: AnySerde | null): AnySerde =>
    requiredSerde(`${label}: ${what}`, kind, given as AnySerde | undefined, known);
  // Of the row that was there its foreign key must be known, so that it can be left.
  left.model.enableSendingOldValues(true, label);
  right.model.enableSendingOldValues(true, label);
  return {
    name,
    left: isLeft,
    foreignKeyOf,
    joiner,
    storeName: `${name}-subscription-store`,
    primaryKeySerde: serdeOf('its table', 'key', options?.keySerde, left.keySerde),
    primaryValueSerde: serdeOf('its table', 'value', options?.valueSerde, left.valueSerde),
    foreignKeySerde: serdeOf('the other table', 'key', options?.foreignKeySerde, right.keySerde),
    foreignValueSerde: serdeOf('the other table', 'value', options?.foreignValueSerde, right.valueSerde),
    primary: left.model.valueGetterSupplier(label),
    foreign: right.model.valueGetterSupplier(label),
  };
}

/**
 * Adds the join of a table with another one by a key that its rows name. Rows subscribe with the other table, over a topic by foreign key;
 * the answers come back over one by primary key.
 */
export function joinByForeignKey(
  left: TableHandle,
  right: TableHandle,
  isLeft: boolean,
  foreignKeyOf: KeyValueMapper<unknown, unknown, unknown>,
  joiner: ValueJoiner<unknown, unknown, unknown, unknown>,
  options: AnyOptions | undefined,
): TableHandle {
  const { graph } = left;
  const settings = settingsOf(left, right, isLeft, foreignKeyOf, joiner, options);
  const { name, storeName, primaryKeySerde, foreignKeySerde, primary, foreign } = settings;
  const operator = isLeft ? 'leftJoin' : 'join';
  const label = `${operator} ${name}`;
  const subscriptions = subscriptionSerde(primaryKeySerde);
  const registration = `${name}-subscription-registration-topic`;
  const response = `${name}-subscription-response-topic`;
  const store = Stores.keyValueStore<Buffer, Subscription>({
    name: storeName,
    keySerde: bytesSerde,
    valueSerde: subscriptions,
  });
  graph.claimStore(store);

  const send = addNode(
    graph,
    `${name}-subscription-registration-processor`,
    { get: () => new SubscriptionSendProcessor(settings) },
    left.node,
    () => [],
  );
  const subscribed = throughTopic(graph, {
    topic: registration,
    keySerde: foreignKeySerde,
    valueSerde: subscriptions as AnySerde,
    parents: [send],
    partitioner: byKey(label, 'foreignPartitioner', options?.foreignPartitioner),
  });
  const receive = addNode(
    graph,
    `${name}-subscription-receive`,
    { get: () => new SubscriptionReceiveProcessor(settings) },
    subscribed,
    () => foreign.storeNames(),
  );
  const changed = addNode(
    graph,
    `${name}-foreign-join-subscription`,
    { get: () => new ForeignTableJoinProcessor(settings) },
    right.node,
    () => [],
  );
  graph.add((topology) => topology.addStateStore(store, receive, changed));
  copartition(graph, right.topics, [registration]);

  const answered = throughTopic(graph, {
    topic: response,
    keySerde: primaryKeySerde,
    valueSerde: subscriptionAnswerSerde(settings.foreignValueSerde) as AnySerde,
    parents: [receive, changed],
    // Without a partitioner an answer goes back to the partition that asked.
    partitioner:
      byKey(label, 'partitioner', options?.partitioner) ??
      ((_topic, _key, value) => (value as SubscriptionAnswer).primaryPartition),
  });
  const resolve = addNode(
    graph,
    `${name}-subscription-response-resolver`,
    { get: () => new SubscriptionResolveProcessor(settings) },
    answered,
    () => primary.storeNames(),
  );
  copartition(graph, left.topics, [response]);
  const result: StreamHandle = {
    graph,
    node: resolve,
    keySerde: primaryKeySerde,
    valueSerde: null,
    topics: [...left.topics, response],
    repartitionRequired: false,
  };
  const materialized = (options?.materialized as AnyMaterialized | undefined) ?? null;
  const table = tableFromStream(operator, result, materialized, label);
  return { ...table, graceMs: left.graceMs };
}
