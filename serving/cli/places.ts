import { InvalidArgumentError } from 'commander';
import type { Place } from '../ops/place.ts';

/** Milliseconds since the epoch of a time as ISO 8601; NaN for what is none. A date alone is its midnight, UTC. */
export function timeOf(text: string): number {
  return /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
}

/** A place in a topic as an argument. */
export function placeArgument(text: string): Place {
  if (text === 'beginning' || text === 'end') return text;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const timeMs = timeOf(text);
  if (Number.isNaN(timeMs))
    throw new InvalidArgumentError(
      "'beginning', 'end', an offset or a time (2013-10-07T14:30:00Z) is expected",
    );
  return { timeMs };
}
