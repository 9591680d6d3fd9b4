export * from '../stores/index.ts';
export * from './dsl/index.ts';
export { StreamsError, type StreamsErrorCode } from './errors.ts';
export * from './graph/describe.ts';
export type {
  SinkOptions,
  SourceOptions,
  StreamPartitioner,
  TimestampExtractor,
  TopicNameExtractor,
} from './graph/nodes.ts';
export { drawTopologies, type TitledTopology } from './graph/picture/svg.ts';
export { Topology } from './graph/topology.ts';
export type * from './processor.ts';
export type * from './query/interactiveQueries.ts';
export { LocalQueries } from './query/localQueries.ts';
export type { QueryableSessionStore } from './query/queryableSessionStore.ts';
export {
  type QueryableKeyValueStore,
  QueryableStores,
  type QueryableWindowStore,
} from './query/queryableStores.ts';
export type { QueryableVersionedStore } from './query/queryableVersionedStore.ts';
export type * from './record.ts';
export { NO_HEADERS } from './record.ts';
export {
  type Lag,
  type RuntimeState,
  type StateChange,
  StreamsRuntime,
  type StreamsRuntimeOptions,
  type TaskRestore,
} from './runtime.ts';
export type { ApplicationDefinition, ProcessingGuarantee } from './task/application.ts';
export * from './task/handlers.ts';
export type { StreamsMetric } from './task/metrics.ts';
export * from './testing/simulation/index.ts';
export { TestInputTopic, TestOutputTopic, type TestRecord } from './testing/testTopics.ts';
export { type TestDriverOptions, TopologyTestDriver } from './testing/topologyTestDriver.ts';
