/** Inputs drawn for simulated applications: keys that meet again, times that wander and are late at times, deletions. */
import { Serdes, type SimulatedRecord, type SimulationChance } from '../../../streams/index.ts';

export const TEXTS = { keySerde: Serdes.string, valueSerde: Serdes.string };

export interface InputShape {
  readonly topics: readonly string[];
  readonly count: number;
  readonly keys: number;
  /** How many of a thousand values are deletions. */
  readonly deletions?: number;
  /** How many of a thousand keys are missing. */
  readonly missingKeys?: number;
  /** How many of a thousand records are late, and by how much at most. */
  readonly late?: number;
  readonly lateMsMax?: number;
  /** Between two records at most. */
  readonly stepMsMax?: number;
  value?(chance: SimulationChance, index: number): string;
}

const THOUSAND = 1_000;
const START_MS = 1_000_000;

export function drawInputs(chance: SimulationChance, shape: InputShape): SimulatedRecord[] {
  const { topics, count, keys, deletions = 0, missingKeys = 0, late = 0, lateMsMax = 0 } = shape;
  const { stepMsMax = 10, value = (_chance, index) => `v${index}` } = shape;
  let nowMs = START_MS;
  return Array.from({ length: count }, (_, index) => {
    nowMs += chance.below(stepMsMax + 1);
    const timestamp = chance.below(THOUSAND) < late ? nowMs - chance.below(lateMsMax + 1) : nowMs;
    const key = chance.below(THOUSAND) < missingKeys ? null : Buffer.from(`k${chance.below(keys)}`);
    const text = chance.below(THOUSAND) < deletions ? null : Buffer.from(value(chance, index));
    const headers = index % 5 === 0 ? [{ key: 'trace', value: Buffer.from([index % 256]) }] : [];
    return { topic: chance.pick(topics), key, value: text, timestamp, headers };
  });
}

/** A record of the latest time in every partition of topics, so that what waits for time to pass does so no longer. */
export function closing(topics: readonly string[], partitions: number, timestamp: number): SimulatedRecord[] {
  return topics.flatMap((topic) =>
    Array.from({ length: partitions }, (_, partition) => ({
      topic,
      partition,
      key: Buffer.from(`closing-${partition}`),
      value: Buffer.from('closing'),
      timestamp,
    })),
  );
}

export const CLOSING_MS = START_MS + 10_000_000;
