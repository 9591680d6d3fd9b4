export { BranchedKStream } from './branchedKStream.ts';
export {
  CogroupedKStream,
  SessionWindowedCogroupedKStream,
  TimeWindowedCogroupedKStream,
} from './cogroupedKStream.ts';
export { EmitStrategy } from './emitStrategy.ts';
export type * from './functions.ts';
export { GlobalKTable } from './globalKTable.ts';
export { JoinWindows } from './joinWindows.ts';
export { KGroupedStream } from './kGroupedStream.ts';
export { KGroupedTable } from './kGroupedTable.ts';
export { KStream, type ProcessOptions } from './kStream.ts';
export { KTable } from './kTable.ts';
export type * from './options.ts';
export { SessionWindowedKStream } from './sessionWindowedKStream.ts';
export { SessionWindows } from './sessionWindows.ts';
export { SlidingWindows } from './slidingWindows.ts';
export { StreamsBuilder, type StreamsBuilderOptions } from './streamsBuilder.ts';
export {
  Suppressed,
  type SuppressedUntilTimeLimit,
  type SuppressedUntilWindowCloses,
  type SuppressionBuffer,
  type WhenFull,
} from './suppressed.ts';
export { TimeWindowedKStream } from './timeWindowedKStream.ts';
export { TimeWindows } from './timeWindows.ts';
export { UnlimitedWindows } from './unlimitedWindows.ts';
export type * from './valueTransformer.ts';
export { sessionWindowedSerde, timeWindowedSerde } from './windowedSerde.ts';
