import type { Cancellable, Punctuator } from '../processor.ts';

class Schedule implements Cancellable {
  readonly intervalMs: number;
  readonly callback: Punctuator;
  readonly node: string;
  /** Place among the schedules of the task. */
  readonly order: number;
  nextMs: number;
  cancelled = false;

  constructor(intervalMs: number, nextMs: number, callback: Punctuator, node: string, order: number) {
    this.intervalMs = intervalMs;
    this.nextMs = nextMs;
    this.callback = callback;
    this.node = node;
    this.order = order;
  }

  cancel(): void {
    this.cancelled = true;
  }
}

/** The punctuations of a task on one clock, the earliest first. */
export class PunctuationQueue {
  #schedules: Schedule[] = [];
  #made = 0;
  /** When the next one is due; Infinity where there is none. */
  nextMs = Number.POSITIVE_INFINITY;

  schedule(intervalMs: number, firstMs: number, callback: Punctuator, node: string): Cancellable {
    const schedule = new Schedule(intervalMs, firstMs, callback, node, this.#made);
    this.#made += 1;
    this.#schedules.push(schedule);
    this.#order();
    return schedule;
  }

  #order(): void {
    this.#schedules = this.#schedules.filter((schedule) => !schedule.cancelled);
    // Those due at the same time fire in the order in which they were made, so that a restart changes nothing.
    this.#schedules.sort((a, b) => a.nextMs - b.nextMs || a.order - b.order);
    this.nextMs = this.#schedules[0]?.nextMs ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Fires what is due at `nowMs`, each schedule once: intervals that were missed are skipped, as in Kafka Streams.
   * @returns how many fired
   */
  fire(nowMs: number, call: (node: string, callback: Punctuator) => void): number {
    let fired = 0;
    while (this.nextMs <= nowMs) {
      const schedule = this.#schedules[0]!;
      if (!schedule.cancelled) {
        const missed = Math.floor((nowMs - schedule.nextMs) / schedule.intervalMs);
        schedule.nextMs += (missed + 1) * schedule.intervalMs;
        call(schedule.node, schedule.callback);
        fired += 1;
      }
      this.#order();
    }
    return fired;
  }
}
