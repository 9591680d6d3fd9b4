import { z } from 'zod';
import type { LogEngine } from '../../streams/log/log.ts';
import type { TopicPartition } from '../../streams/record.ts';

/** A place in a topic: an end of it, that offset in each partition, or the first record that is not older than a time. */
export type Place = 'beginning' | 'end' | number | { readonly timeMs: number };

export const place: z.ZodType<Place> = z.union([
  z.enum(['beginning', 'end']),
  z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  z.strictObject({ timeMs: z.number().int() }),
]);

/** The offset of a place in one partition, within what it holds. @throws LogError */
export async function placeOffset(
  engine: Pick<LogEngine, 'admin'>,
  partition: TopicPartition,
  at: Place,
  { earliest, latest }: { readonly earliest: number; readonly latest: number },
): Promise<number> {
  if (at === 'beginning') return earliest;
  if (at === 'end') return latest;
  const offset = typeof at === 'number' ? at : await engine.admin.offsetForTimestamp(partition, at.timeMs);
  return Math.min(latest, Math.max(earliest, offset));
}

/** A place as one word, for a query: `time:` before a time. */
export function placeText(at: Place | 'latest'): string {
  return typeof at === 'object' ? `time:${at.timeMs}` : String(at);
}

/** Reads what `placeText` wrote; undefined for what it cannot have written. */
export function placeOf(text: string): Place | 'latest' | undefined {
  if (text === 'beginning' || text === 'end' || text === 'latest') return text;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const time = /^time:(-?\d{1,15})$/.exec(text);
  return time === null ? undefined : { timeMs: Number(time[1]) };
}
