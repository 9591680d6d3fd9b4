import { rowRecordKeyOf, rowTailOf, rowTimeOf } from './segmentedRowKey.ts';
import { NOTES_KEY, windowRecordKeyOf, windowStartOf } from './windowKey.ts';

/**
 * How the rows of a store lie in its bytes. plain: by key. window: by segment, key and window start. range: by segment, key, window start and a
 * number. session: by segment, key, end and start. versioned: the newest versions by key, then past ones as sessions.
 */
export type RowLayout = 'plain' | 'window' | 'range' | 'session' | 'versioned';

/** What the key of a row tells. */
export interface RowPlace {
  readonly recordKey: Buffer;
  /** Of a window, a session or a past version: when it starts and, where the key tells it, ends; milliseconds. */
  readonly startMs: number | null;
  readonly endMs: number | null;
}

const VERSION_LATEST = 0;

/** Reads the key of a row; null for a row that is no entry but what the store notes beside them. */
export function rowPlaceOf(layout: RowLayout, key: Buffer): RowPlace | null {
  if (layout === 'plain') return { recordKey: key, startMs: null, endMs: null };
  if (layout === 'versioned') {
    const rest = key.subarray(1);
    if (key[0] === VERSION_LATEST) return { recordKey: rest, startMs: null, endMs: null };
    return rowPlaceOf('session', rest);
  }
  if (key.equals(NOTES_KEY)) return null;
  if (layout === 'window')
    return { recordKey: windowRecordKeyOf(key), startMs: windowStartOf(key), endMs: null };
  const [timeMs, tail] = [rowTimeOf(key), rowTailOf(key)];
  return layout === 'range'
    ? { recordKey: rowRecordKeyOf(key), startMs: timeMs, endMs: null }
    : { recordKey: rowRecordKeyOf(key), startMs: tail, endMs: timeMs };
}
