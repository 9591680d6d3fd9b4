import { Chance } from './chance.ts';
import type { FaultKind, SimulationOptions } from './workload.ts';

/** Draws the faults of a run. What is left out is drawn all the same, so that the rest stays where it was for as long as it can. */
export class Faults {
  readonly schedule: string[] = [];
  readonly byKind = new Map<FaultKind, number>();
  count = 0;
  /** Once it is off, nothing goes wrong any more. */
  off = false;
  readonly #chance: Chance;
  readonly #without: ReadonlySet<FaultKind>;
  readonly #max: number;

  constructor({ seed, without = [], faultsMax = Number.POSITIVE_INFINITY }: SimulationOptions) {
    this.#chance = new Chance(seed, 'faults');
    this.#without = new Set(without);
    this.#max = faultsMax;
  }

  /** Whether it goes wrong here; then it is noted. @param where for a person to read */
  strikes(kind: FaultKind, probability: number, where: string): boolean {
    const drawn = this.#chance.happens(probability);
    if (!drawn || this.off || this.#without.has(kind) || this.count >= this.#max) return false;
    this.count += 1;
    this.byKind.set(kind, (this.byKind.get(kind) ?? 0) + 1);
    this.note(`${kind}: ${where}`);
    return true;
  }

  note(text: string): void {
    this.schedule.push(text);
  }
}
