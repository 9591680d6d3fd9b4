import type { CommittedPosition, CycleParticipant } from '../../../log/embedded/cycle.ts';
import type { BackgroundBatch, LogWriteBatch } from '../../../log/embedded/logDatabase.ts';
import { EmbeddedState } from '../../../log/embedded/state.ts';
import { LogError } from '../../../log/errors.ts';
import { NO_HEADERS } from '../../../record.ts';
import { type LogMark, MemoryLog } from '../../memoryLog.ts';
import type { OutcomeRecord } from '../outcome.ts';
import type { SimulatedRecord } from '../workload.ts';
import type { SimulatedDatabase, SimulatedWrite } from './database.ts';

/** What a commit makes visible. */
interface CommitContents {
  readonly mark: LogMark;
  readonly positions: readonly CommittedPosition[];
  /** Inputs of the workload that are in the log with it. */
  readonly inputs: number;
}

interface Flight {
  readonly contents: CommitContents;
  /** Null where it has ended. */
  readonly write: SimulatedWrite | null;
}

/** A point of a commit at which the process may end, or the write may fail. */
export type CommitPoint =
  | 'before-flush'
  | 'before-write'
  | 'after-write'
  | 'before-landing'
  | 'after-landing';

/** The process ends here. */
export class SimulatedCrash extends Error {}

/**
 * The log of a simulated process and of its heirs: what is committed outlives a crash. It takes a participant and the state stores of production
 * through commits in the order of `CommitCycle`; with the write in the background the next cycle begins before it has landed.
 */
export class SimulatedEmbeddedLog extends MemoryLog {
  readonly database: SimulatedDatabase;
  state: EmbeddedState;
  participant: CycleParticipant | null = null;
  /** Called at each point of a commit; may throw. */
  at: (point: CommitPoint) => void = () => undefined;
  /** Inputs of the workload in the open cycle and before. */
  inputs = 0;
  committedInputs = 0;
  #flight: Flight | null = null;

  constructor(database: SimulatedDatabase, partitionsOf: (topic: string) => number) {
    super(partitionsOf);
    this.database = database;
    this.state = new EmbeddedState(database);
  }

  override attach(participant: CycleParticipant): void {
    this.participant = participant;
  }

  /** Takes the next input of the workload into the open cycle and has it processed. */
  send({ topic, key, value, timestamp, headers = NO_HEADERS }: SimulatedRecord, partition: number): void {
    const appended = this.append(topic, partition, timestamp, key, value, headers);
    this.inputs += 1;
    this.participant?.onAppended([appended]);
  }

  /** @param inBackground whether the write may still be under way when this returns */
  commitCycle(inBackground: boolean): void {
    this.land();
    const background = inBackground ? this.database.backgroundBatch() : null;
    const batch: LogWriteBatch = background ?? this.database.batch();
    const positions: CommittedPosition[] = [];
    this.at('before-flush');
    this.participant?.beforeCommit({
      takeState: () => this.state.drainInto(batch, background),
      putPosition: (position) => void positions.push(position),
    });
    this.state.drainInto(batch, background);
    const contents = { mark: this.mark(), positions, inputs: this.inputs };
    this.at('before-write');
    this.#write(contents, batch, background);
    this.state.handOver(background);
    if (background === null) this.land();
  }

  #write(contents: CommitContents, batch: LogWriteBatch, background: BackgroundBatch | null): void {
    let write: SimulatedWrite | null = null;
    if (background === null) this.database.write(batch);
    else write = this.database.writeInBackground(background);
    this.#flight = { contents, write };
    if (background === null) this.at('after-write');
  }

  /** Brings the commit in flight to its end, as its write has ended. */
  land(): void {
    if (this.#flight === null) return;
    this.at('before-landing');
    this.#becomeDurable();
    this.state.committed();
    this.participant?.afterCommit();
    this.at('after-landing');
  }

  #becomeDurable(): void {
    if (this.#flight === null) return;
    const { contents, write } = this.#flight;
    this.#flight = null;
    write?.finish();
    this.commit(contents.mark);
    for (const position of contents.positions) this.putPosition(position);
    this.committedInputs = contents.inputs;
  }

  #truncate(): void {
    this.rollback();
    this.inputs = this.committedInputs;
  }

  /** A participant failed: the open cycle has not happened, whatever the one before it came to has. */
  rollbackCycle(cause: unknown): void {
    this.land();
    this.#truncate();
    this.state.discard();
    this.participant?.onRollback(cause);
  }

  /** Ends the commit in flight as the disk has it: what was under way may be lost. */
  #settle(lost: boolean): void {
    const write = this.#flight?.write ?? null;
    if (lost && write !== null && !write.shown) this.#flight = null;
    this.#becomeDurable();
  }

  /** A write failed and the database was opened again. Where it was written all the same, that shows now. */
  failWrite(cause: unknown, lost: boolean): void {
    this.#settle(lost);
    this.#truncate();
    this.state.discard();
    this.state.reload();
    this.participant?.onRollback(cause);
  }

  /** The process ends and another one opens the log. A commit that was written, if not told of, is there. */
  crash(lost: boolean): void {
    this.#settle(lost);
    this.#truncate();
    this.participant = null;
    this.state = new EmbeddedState(this.database);
  }

  /** Everything committed, by topic and partition. */
  contents(): ReadonlyMap<string, readonly (readonly OutcomeRecord[])[]> {
    return new Map(
      this.topics().map((topic) => [
        topic,
        Array.from({ length: this.partitions(topic) }, (_, partition) =>
          this.readSync(topic, partition, 0, Number.MAX_SAFE_INTEGER),
        ),
      ]),
    );
  }
}

export function failedDisk(): LogError {
  return new LogError('LOG_IO', 'the simulated disk failed');
}
