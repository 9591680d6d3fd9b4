/**
 * How the stream runtime takes part in the commits of the embedded log. The log runs a cycle: it takes the records producers
 * have queued, appends them to the open (uncommitted) end of their partitions, lets the participant process them and
 * everything they lead to, and then writes appends, positions and store changes in one synced batch.
 * A cycle may span several turns of the event loop; nothing of it is visible to readers before its commit. While a large batch is written
 * on another thread, the next cycle is processed already.
 */
import type { Headers } from '../../record.ts';
import type { CommittedPosition } from '../state/positions.ts';

export type { CommittedPosition };

/** A record at the open or committed end of a partition. */
export interface AppendedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Place among all records of the log, in the order of appending. Ties of timestamps are broken by it. */
  readonly sequence: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
}

/** The open end of one partition. Look it up once and keep it. */
export interface PartitionAppender {
  readonly topic: string;
  readonly partition: number;
  /** Offset the next append gets. */
  readonly nextOffset: number;
  /**
   * Appends to the open cycle and returns the offset. The bytes are copied before it returns, so buffers may be reused.
   * @throws LogError LOG_RECORD_TOO_LARGE
   */
  append(timestamp: number, key: Buffer | null, value: Buffer | null, headers: Headers): number;
}

/** Takes what a commit holds besides records: state and positions. */
export interface CommitWriter {
  /**
   * Nothing is processed any more before the commit: what is put into the stores from here on goes right into its batch. Called once, after all
   * that a flush may lead to is done.
   */
  takeState(): void;
  putPosition(position: CommittedPosition): void;
}

/** Processes records within the cycles of the log, so that what it makes of them commits with them. */
export interface CycleParticipant {
  /**
   * Records from producers, just appended, in order of their sequence. Process each with all it leads to (records the
   * participant appends meanwhile included) before the next. The log calls this for every single record, before it appends
   * the next one: a topic that both producers and topologies write then holds its records in the order in which they were
   * processed, whatever the slicing of sends and commits.
   * @throws to roll the cycle back; the log then calls `onRollback` and runs the same producer records through a new cycle.
   */
  onAppended(records: readonly AppendedRecord[]): void;
  /**
   * Works on committed records not yet processed (after a start, or of an application that was added), until done or until
   * `deadlineMs` of performance.now(). Also fires due wall-clock punctuations. Returns whether there is more to do at once.
   */
  work(deadlineMs: number): boolean;
  /** Just before the batch is written: flush the typed stores and give the positions. */
  beforeCommit(writer: CommitWriter): void;
  /**
   * The batch that `beforeCommit` filled last is durable. Records of the next cycle may have been handed over meanwhile, but there was no other
   * `beforeCommit`.
   */
  afterCommit(): void;
  /** One more commit follows and no other: what was not written down must be in it. Returns whether there is such. */
  beforeDetach?(): boolean;
  /** Nothing since the last `afterCommit` has happened: drop what is held in memory and start again from the stores and positions. */
  onRollback(cause: unknown): void;
}

/** What the runtime needs of the embedded log beyond LogEngine. */
export interface EmbeddedCycles {
  /** At most one participant. Its wishes are asked for in every cycle from now on. */
  attach(participant: CycleParticipant): void;
  detach(participant: CycleParticipant): void;
  /** @throws LogError LOG_UNKNOWN_TOPIC */
  appender(topic: string, partition: number): PartitionAppender;
  /** Committed records from `offset`, synchronously, as many as fit a read-ahead of about `maxRecords`. */
  readSync(topic: string, partition: number, offset: number, maxRecords: number): readonly AppendedRecord[];
  /** Offset after the last committed record. */
  committedEnd(topic: string, partition: number): number;
  /** First offset still held. */
  earliest(topic: string, partition: number): number;
  positions(applicationId: string): readonly CommittedPosition[];
  /** Asks for a cycle though no producer sent anything: there is backlog, or a punctuation is due. */
  wake(): void;
}
