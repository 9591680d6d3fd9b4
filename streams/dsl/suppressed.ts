import { StreamsError } from '../errors.ts';

/** How much a suppression holds back at most. Left out: without bounds. */
export interface SuppressionBuffer {
  readonly maxRecords?: number;
  /** Encoded keys and values together. Kafka Streams counts some bytes a record more, for what Java adds to them. */
  readonly maxBytes?: number;
}

/** What to do when it is full: stop the application, or let the oldest go before its time. */
export type WhenFull = 'fail' | 'emit-early';

interface SuppressionOptions<Full extends WhenFull> {
  /** Names the operator and its store. */
  readonly name: string;
  readonly buffer?: SuppressionBuffer & { readonly whenFull?: Full };
}

interface Suppression {
  readonly name: string;
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly whenFull: WhenFull;
}

/** Holds the updates of a window back until it is closed, and then tells of the last. */
export interface SuppressedUntilWindowCloses extends Suppression {
  readonly until: 'window-closes';
}

/** Tells of a key at most once in a span of stream time. */
export interface SuppressedUntilTimeLimit extends Suppression {
  readonly until: 'time-limit';
  readonly timeLimitMs: number;
}

function suppression({ name, buffer }: SuppressionOptions<WhenFull>, whenFull: WhenFull): Suppression {
  const { maxRecords = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } = buffer ?? {};
  if (!(maxRecords >= 1) || !(maxBytes >= 1)) {
    throw new StreamsError(
      'STREAMS_TOPOLOGY',
      `suppress ${name}: a buffer of ${maxRecords} records and ${maxBytes} bytes holds nothing; leave a bound out or make it at least 1`,
    );
  }
  return { name, maxRecords, maxBytes, whenFull: buffer?.whenFull ?? whenFull };
}

/** What `KTable.suppress` holds back, and until when. @throws StreamsError STREAMS_TOPOLOGY for bounds or times that make no sense */
export const Suppressed = {
  /** A final result must not leave early: where the buffer has bounds, overflowing them stops the application. */
  untilWindowCloses: (options: SuppressionOptions<'fail'>): SuppressedUntilWindowCloses => ({
    ...suppression(options, 'fail'),
    until: 'window-closes',
  }),
  /** Where the buffer has bounds, what overflows leaves early unless told otherwise. */
  untilTimeLimit: (timeLimitMs: number, options: SuppressionOptions<WhenFull>): SuppressedUntilTimeLimit => {
    if (!(timeLimitMs >= 0)) {
      throw new StreamsError(
        'STREAMS_TOPOLOGY',
        `suppress ${options.name}: a time limit of ${timeLimitMs} ms; the least is 0`,
      );
    }
    return { ...suppression(options, 'emit-early'), until: 'time-limit', timeLimitMs };
  },
} as const;
