import { partitionForKey } from '../../../log/partitioner.ts';
import { CycleRunner } from '../../../task/cycleRunner.ts';
import type { Chance } from '../chance.ts';
import type { Faults } from '../faults.ts';
import type { Outcome } from '../outcome.ts';
import { entriesOf } from '../storeEntries.ts';
import { SimulatedTopics } from '../topics.ts';
import type { SimulatedRecord, SimulatedWorkload } from '../workload.ts';
import { SimulatedDatabase } from './database.ts';
import { FailingState } from './failingState.ts';
import { type CommitPoint, failedDisk, SimulatedCrash, SimulatedEmbeddedLog } from './log.ts';

const CYCLE_RECORDS_MAX = 6;
const START_MS = 1_700_000_000_000;
const END_MS = 86_400_000;
const RESTARTS_MAX = 20;

/** How a run is disturbed; null for one that is not. */
export interface Disturbance {
  readonly chance: Chance;
  readonly faults: Faults;
}

/** Runs the applications of a workload on a simulated embedded log, from the first record to the last. */
export class EmbeddedRun {
  readonly #inputs: readonly SimulatedRecord[];
  /** The wall clock at each input, the same in every run of the workload. */
  readonly #times: readonly number[];
  readonly #disturbance: Disturbance | null;
  readonly #topics: SimulatedTopics;
  readonly #log: SimulatedEmbeddedLog;
  readonly #state: FailingState;
  #runner: CycleRunner | null = null;
  #wallClockMs = START_MS;
  readonly #initial: number;
  #failure: unknown = null;
  /** Restarts without a step between them. */
  #restarts = 0;
  steps = 0;

  constructor(
    workload: SimulatedWorkload,
    inputs: readonly SimulatedRecord[],
    clock: Chance,
    disturbance: Disturbance | null,
  ) {
    this.#inputs = inputs;
    let nowMs = START_MS;
    this.#times = inputs.map(() => {
      nowMs += clock.below((workload.wallClockStepMsMax ?? 50) + 1);
      return nowMs;
    });
    this.#disturbance = disturbance;
    this.#topics = new SimulatedTopics(workload);
    const writes = disturbance?.chance ?? clock;
    this.#log = new SimulatedEmbeddedLog(new SimulatedDatabase(writes), this.#topics.partitionsOf);
    this.#log.at = (point) => this.#reach(point);
    this.#state = new FailingState(
      () => this.#log.state,
      () => this.#touchStore(),
    );
    const first = inputs.findIndex(({ initial }) => initial !== true);
    this.#initial = first < 0 ? inputs.length : first;
  }

  #strikes(kind: Parameters<Faults['strikes']>[0], probability: number, where: string): boolean {
    return this.#disturbance?.faults.strikes(kind, probability, where) ?? false;
  }

  #reach(point: CommitPoint): void {
    if (this.#strikes('crash', 0.02, `at the commit, ${point}`)) throw new SimulatedCrash(point);
    if (point === 'before-flush' || point === 'after-landing') return;
    if (this.#strikes('failed-write', 0.01, `at the commit, ${point}`)) throw failedDisk();
  }

  #touchStore(): void {
    if (this.#strikes('failed-store', 0.0005, 'while a record is processed')) throw failedDisk();
  }

  #start(): void {
    const runner = new CycleRunner(this.#topics.plans, {
      log: this.#log,
      state: this.#state,
      wallClock: () => this.#wallClockMs,
      partitionsOf: this.#topics.partitionsOf,
      onFailure: (_applicationId, cause) => {
        this.#failure = cause;
      },
    });
    this.#runner = runner;
    runner.open();
    this.#log.attach(runner);
    this.#catchUp(runner);
  }

  /** What was there before is not mixed with what is written from now on, which would depend on when commits fall. */
  #catchUp(runner: CycleRunner): void {
    while (!runner.caughtUp && runner.work(Number.POSITIVE_INFINITY)) this.#log.commitCycle(false);
  }

  /** An application failed, as a store under it did: somebody starts it again. @throws what failed where that was no fault of the simulation */
  #restart(): void {
    const faults = this.#disturbance?.faults;
    if (this.#failure === null || faults === undefined || faults.count === 0) throw this.#failure;
    this.#failure = null;
    this.#runner?.close();
    this.#start();
  }

  /** Runs a step; what the simulation lets go wrong in it is survived. */
  #guard(step: () => void): void {
    this.steps += 1;
    try {
      step();
    } catch (cause) {
      this.#recover(cause);
    }
    if (this.#failure === null) {
      this.#restarts = 0;
      return;
    }
    this.#restarts += 1;
    if (this.#restarts > RESTARTS_MAX) throw this.#failure;
    this.#guard(() => this.#restart());
  }

  #recover(cause: unknown): void {
    if (this.#disturbance === null) throw cause;
    const lost = this.#disturbance.chance.happens(0.5);
    const disk = cause instanceof Error && 'code' in cause && cause.code === 'LOG_IO';
    if (cause instanceof SimulatedCrash) this.#crash(lost);
    else if (disk) this.#log.failWrite(cause, lost);
    else this.#rollback(cause);
  }

  /** Landing the commit before may fail in its turn. */
  #rollback(cause: unknown): void {
    try {
      this.#log.rollbackCycle(cause);
    } catch (again) {
      this.#recover(again);
      this.#crash(true);
    }
  }

  #crash(lost: boolean): void {
    this.#failure = null;
    this.#log.crash(lost);
    this.#runner = null;
    if (this.#log.committedInputs >= this.#initial) this.#start();
  }

  #partitionOf({ topic, partition, key }: SimulatedRecord): number {
    if (partition !== undefined) return partition;
    return key === null ? 0 : partitionForKey(key, this.#topics.partitionsOf(topic));
  }

  #cycle(): void {
    const chance = this.#disturbance?.chance;
    // After a start that was undone, too.
    if (this.#runner !== null) this.#catchUp(this.#runner);
    const count = chance?.between(0, CYCLE_RECORDS_MAX) ?? 1;
    const end = this.#runner === null ? this.#initial : this.#inputs.length;
    for (let sent = 0; sent < count && this.#log.inputs < end; sent += 1) {
      const at = this.#log.inputs;
      this.#wallClockMs = Math.max(this.#wallClockMs, this.#times[at]!);
      this.#log.send(this.#inputs[at]!, this.#partitionOf(this.#inputs[at]!));
      if (this.#strikes('crash', 0.005, `after input ${at}`)) throw new SimulatedCrash();
    }
    while (this.#runner?.work(chance?.happens(0.3) ? 0 : Number.POSITIVE_INFINITY) === true)
      this.#log.commitCycle(false);
    const inBackground = this.#strikes('background-commit', 0.4, `of input ${this.#log.inputs}`);
    if (chance === undefined || inBackground || chance.happens(0.7)) this.#log.commitCycle(inBackground);
  }

  /** @throws what an application failed with */
  run(): Outcome {
    while (this.#log.committedInputs < this.#initial) this.#guard(() => this.#cycle());
    while (this.#runner === null) this.#guard(() => this.#start());
    while (this.#log.committedInputs < this.#inputs.length) this.#guard(() => this.#cycle());
    if (this.#disturbance !== null) this.#disturbance.faults.off = true;
    this.#wallClockMs += END_MS;
    for (let settled = 0; settled < 2; settled += 1)
      this.#guard(() => {
        while (this.#runner!.work(Number.POSITIVE_INFINITY)) this.#log.commitCycle(false);
        this.#log.commitCycle(false);
      });
    const outcome = { topics: this.#log.contents(), stores: this.#stores() };
    this.#runner!.close();
    return outcome;
  }

  #stores(): ReadonlyMap<string, readonly string[]> {
    const stores = new Map<string, readonly string[]>();
    for (const location of this.#log.state.list({ copies: true })) {
      const { applicationId, storeName, partition } = location;
      const plan = this.#topics.plans.find((each) => each.applicationId === applicationId)!;
      const lines = entriesOf(plan.storeBuilder(storeName).builder, this.#log.state, location);
      if (lines.length > 0) stores.set(`${applicationId}/${storeName}/${partition}`, lines);
    }
    return stores;
  }
}
