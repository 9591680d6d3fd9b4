import { shown } from '../../stores/storeArguments.ts';
import { checkOneOf, refuse } from '../graph/checks.ts';
import { checkMilliseconds } from './internal/milliseconds.ts';

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

/** @param valid what may become of a full buffer; the first is what becomes of it unless told otherwise */
function suppression(
  options: SuppressionOptions<WhenFull> | undefined,
  valid: readonly [WhenFull, ...WhenFull[]],
): Suppression {
  const { name = '', buffer } = options ?? {};
  if (typeof name !== 'string' || name === '')
    refuse('suppress keeps state and needs a name, so that a changed topology finds it again; pass { name }');
  const place = `suppress ${name}`;
  const {
    maxRecords = Number.POSITIVE_INFINITY,
    maxBytes = Number.POSITIVE_INFINITY,
    whenFull = valid[0],
  } = buffer ?? {};
  if (![maxRecords, maxBytes].every((bound) => typeof bound === 'number' && bound >= 1))
    refuse(
      `${place}: a buffer of ${shown(maxRecords)} records and ${shown(maxBytes)} bytes holds nothing; leave a bound out or make it a number of at least 1`,
    );
  checkOneOf(place, 'whenFull', valid, whenFull);
  return { name, maxRecords, maxBytes, whenFull };
}

/** What `KTable.suppress` holds back, and until when. @throws StreamsError STREAMS_TOPOLOGY for bounds or times that make no sense */
export const Suppressed = {
  /** A final result must not leave early: where the buffer has bounds, overflowing them stops the application. */
  untilWindowCloses: (options: SuppressionOptions<'fail'>): SuppressedUntilWindowCloses => ({
    ...suppression(options, ['fail']),
    until: 'window-closes',
  }),
  /** Where the buffer has bounds, what overflows leaves early unless told otherwise. */
  untilTimeLimit: (timeLimitMs: number, options: SuppressionOptions<WhenFull>): SuppressedUntilTimeLimit => {
    const held = suppression(options, ['emit-early', 'fail']);
    checkMilliseconds(`suppress ${held.name}`, 'a time limit', timeLimitMs, 0);
    return { ...held, until: 'time-limit', timeLimitMs };
  },
} as const;
