export * from '../stores/index.ts';
export { StreamsError, type StreamsErrorCode } from './errors.ts';
export * from './graph/describe.ts';
export type {
  SinkOptions,
  SourceOptions,
  StreamPartitioner,
  TimestampExtractor,
  TopicNameExtractor,
} from './graph/nodes.ts';
export { Topology } from './graph/topology.ts';
export type * from './processor.ts';
export type * from './record.ts';
export { NO_HEADERS } from './record.ts';
