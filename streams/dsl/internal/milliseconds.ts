import { shown } from '../../../stores/storeArguments.ts';
import { refuse } from './graph.ts';

/** @throws StreamsError STREAMS_TOPOLOGY naming the windows where a span of time is none */
export function checkMilliseconds(windows: string, what: string, valueMs: number, leastMs: number): void {
  if (!Number.isSafeInteger(valueMs) || valueMs < leastMs)
    refuse(`${windows}: ${what} of ${shown(valueMs)} ms; it is a whole number of at least ${leastMs}`);
}
