import { checkOneOf } from '../graph/checks.ts';

/** When a windowed aggregation tells of its windows. */
export type EmitStrategy = 'on-window-update' | 'on-window-close';

/** The strategies by the names Kafka Streams gives them. */
export const EmitStrategy = {
  /** Of every update, at once; the default. */
  onWindowUpdate: (): EmitStrategy => 'on-window-update',
  /**
   * Of each window once, when stream time is past its end and grace: with the next record of the partition that the aggregation takes. There
   * is no record cache then. Kafka Streams looks for closed windows at most once a second of its wall clock and loses those that a leap of
   * time put beyond the retention; here every record looks, and none is lost.
   */
  onWindowClose: (): EmitStrategy => 'on-window-close',
} as const;

/** @throws StreamsError STREAMS_TOPOLOGY for what is no strategy */
export function checkEmitStrategy(given: unknown): void {
  checkOneOf(
    'emitStrategy',
    'strategy',
    ['on-window-update', 'on-window-close'] satisfies EmitStrategy[],
    given,
  );
}
