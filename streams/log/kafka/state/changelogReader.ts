/** What the state asks of the log: to read changelogs, from where it says, committed records only. */
import type { TopicPartition } from '../../../record.ts';

/** Takes a change; a value of null deletes the key. The buffers are views of larger ones: copy what is to be kept. */
export type OnChangelogRecord = (key: Buffer, value: Buffer | null) => void;

/** Records of one partition, in order. */
export interface ChangelogRecords extends TopicPartition {
  /** Everything committed before this offset is handed over with it. It moves without records, too: markers of transactions have offsets. */
  readonly nextOffset: number;
  /** Hands over the records; call it once. There is no object for a record, which would cost more than all the rest. @throws LogError */
  each(onRecord: OnChangelogRecord): void;
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

/** Reads changelog topics, to bring stores back. */
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
