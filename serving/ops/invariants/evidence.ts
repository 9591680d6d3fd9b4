import type { BytesStore, StoreLocation } from '../../../stores/store.ts';
import type { CommittedPosition } from '../../../streams/log/embedded/index.ts';
import type { LogAdmin, LogReader } from '../../../streams/log/log.ts';

/** How far an application is behind the end of a partition. */
export interface ApplicationLag {
  readonly applicationId: string;
  readonly topic: string;
  readonly partition: number;
  readonly lag: number;
}

/**
 * What is looked at where there is no commit over several partitions: ends that were taken one after the other, outputs before inputs. What is
 * before `first` had its outcome committed before the last ends were taken; later causes may be on their way still.
 */
export interface LogCut {
  /** Stores, positions and ends are of one moment, and nothing of the trading flow was on its way. */
  readonly settled: boolean;
  /** Whether the outcome of a record may lie beyond the cut. */
  mayBeOnItsWay(record: {
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
  }): boolean;
  /** Records of this time and younger ones are surely not removed by retention; null where none are ever removed. */
  keptFromMs(topic: string): number | null;
  /** What applications had not worked off within the time they were given, of what there was at the beginning. */
  readonly lag: readonly ApplicationLag[];
  /** Positions that are beyond the end of what they are in, and by how much. */
  readonly beyond: readonly ApplicationLag[];
  /** Applications of which no process seems to run: none of their positions has moved in that time. */
  readonly idle: ReadonlySet<string>;
}

/** What a verification reads: the embedded log itself, or a cut through a deployment on Kafka. Records come in the order of appending, or of time. */
export interface VerifiedLog {
  readonly kind: 'embedded' | 'kafka';
  readonly admin: Pick<LogAdmin, 'listTopics' | 'describeTopic'>;
  readonly reader: LogReader;
  readonly state: { list(): readonly StoreLocation[]; openCommitted(place: StoreLocation): BytesStore };
  /** Left out by the embedded log, whose commits are cuts by themselves. */
  readonly cut?: LogCut;
  earliest(topic: string, partition: number): number;
  committedEnd(topic: string, partition: number): number;
  positions(applicationId: string): readonly Omit<CommittedPosition, 'partitionTimeMs'>[];
}
