import type { EmbeddedCycles } from '../log/embedded/cycle.ts';
import type { LogEngine } from '../log/log.ts';
import type { ApplicationPlan } from './application.ts';
import type { ApplicationRunner, Lag, RunnerApplication, RuntimeState } from './applicationRunner.ts';
import { CycleRunner } from './cycleRunner.ts';

const TIMER_MAX_MS = 60_000;
/** How soon the log is woken where stores wait to be written down. */
const UNWRITTEN_MS = 50;

export interface EmbeddedRunnerOptions {
  readonly engine: LogEngine & EmbeddedCycles;
  readonly wallClock: () => number;
  readonly partitionsOf: (topic: string) => number;
  readonly onFailure: (applicationId: string, cause: unknown) => void;
}

/** Runs applications on the embedded log of this process. All of them take part in the same commits. */
export class EmbeddedRunner implements ApplicationRunner {
  readonly #options: EmbeddedRunnerOptions;
  readonly #cycles: CycleRunner;
  #timer: NodeJS.Timeout | null = null;
  #unwrittenTimer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(plans: readonly ApplicationPlan[], options: EmbeddedRunnerOptions) {
    const { engine, wallClock, partitionsOf, onFailure } = options;
    this.#options = options;
    this.#cycles = new CycleRunner(plans, {
      log: engine,
      state: engine.state,
      wallClock,
      partitionsOf,
      onFailure,
      onUnwritten: () => this.#wakeLater(),
    });
  }

  start(): void {
    const { engine } = this.#options;
    this.#cycles.open();
    engine.attach(this.#cycles);
    engine.wake();
    this.#armTimer();
  }

  #wakeLater(): void {
    if (this.#isClosed) return;
    this.#unwrittenTimer ??= setTimeout(() => {
      this.#unwrittenTimer = null;
      this.#options.engine.wake();
    }, UNWRITTEN_MS).unref();
  }

  /** Wakes the log when the next wall-clock punctuation is due. */
  #armTimer(): void {
    const { engine, wallClock } = this.#options;
    const next = this.#cycles.nextWallClockMs;
    const delayMs = Math.min(TIMER_MAX_MS, Math.max(1, next - wallClock()));
    this.#timer = setTimeout(
      () => {
        if (this.#cycles.nextWallClockMs <= wallClock()) engine.wake();
        this.#armTimer();
      },
      Number.isFinite(next) ? delayMs : TIMER_MAX_MS,
    );
    this.#timer.unref();
  }

  settled(): null {
    return null;
  }

  get caughtUp(): boolean {
    return this.#cycles.caughtUp;
  }

  get state(): RuntimeState {
    return this.#cycles.applications().some(({ failure }) => failure !== null) ? 'error' : 'running';
  }

  get commits(): number {
    return this.#cycles.commits;
  }

  applications(): readonly RunnerApplication[] {
    return this.#cycles.applications().map(({ plan, tasks, failure }) => ({
      plan,
      tasks,
      failure,
      state: failure === null ? 'running' : 'error',
      restoring: [],
    }));
  }

  lag(): readonly Lag[] {
    const { engine } = this.#options;
    return this.#cycles.bindings.map(({ applicationId, topic, partition, committedPosition }) => {
      const end = engine.committedEnd(topic, partition);
      const position = Math.max(0, committedPosition);
      return { applicationId, topic, partition, position, end, lag: Math.max(0, end - position) };
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of [this.#timer, this.#unwrittenTimer]) if (timer !== null) clearTimeout(timer);
    this.#options.engine.detach(this.#cycles);
    this.#cycles.close();
  }
}
