/** What the state asks of the log: to read changelogs, from where it says, committed records only. */
import type { TopicPartition } from '../../../record.ts';

export interface ChangelogRecord {
  readonly key: Buffer | null;
  /** Null deletes the key. */
  readonly value: Buffer | null;
}

/** Records of one partition, in order. */
export interface ChangelogRecords extends TopicPartition {
  readonly records: readonly ChangelogRecord[];
  /** Everything committed before this offset was handed over. It moves without records, too: markers of transactions have offsets. */
  readonly nextOffset: number;
}

/** A changelog partition as it is now. */
export interface ChangelogBounds {
  /** Tells a topic from one of the same name that was made after it was deleted. */
  readonly topicId: string;
  /** First offset still held. */
  readonly earliest: number;
  /** The offset after the last record, be it committed or of a transaction that is still open. */
  readonly end: number;
}

export interface ChangelogReader {
  /** In the order asked for; null where there is no such topic or partition. @throws LogError */
  bounds(partitions: readonly TopicPartition[]): Promise<readonly (ChangelogBounds | null)[]>;
  /** Reads the partition from the offset on. */
  follow(partition: TopicPartition, offset: number): void;
  unfollow(partition: TopicPartition): void;
  /**
   * The next records of all that is followed: a few thousand at most, none where none came for a while. One call at a time.
   * @throws LogError; whatever was handed over before stays valid, and the next call goes on behind it
   */
  read(): Promise<readonly ChangelogRecords[]>;
  /** The end of a followed partition as far as it was heard of with what was read, or null. Asks nobody. */
  heardEnd(partition: TopicPartition): number | null;
  close(): Promise<void>;
}
