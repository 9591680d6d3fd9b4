import type { TopicPartition } from '../../record.ts';
import type { LogAdmin, TopicConfig, TopicDescription } from '../log.ts';
import type { BatchReader } from './batchReader.ts';
import type { CommitCycle } from './commitCycle.ts';
import type { CommittedPosition } from './cycle.ts';
import type { TopicRegistry } from './topics.ts';

/** Records looked at between two turns of the event loop. */
const READ_CHUNK = 1000;

export interface AdminParts {
  readonly topics: TopicRegistry;
  readonly batches: BatchReader;
  readonly cycle: CommitCycle;
  readonly positions: (applicationId: string) => readonly CommittedPosition[];
}

/** What an operator may ask of an embedded log. Changes wait until no cycle is open. */
export class EmbeddedAdmin implements LogAdmin {
  private readonly parts: AdminParts;

  constructor(parts: AdminParts) {
    this.parts = parts;
  }

  createTopics(configs: readonly TopicConfig[]): Promise<void> {
    const { cycle, topics } = this.parts;
    return cycle.whenNoCycleIsOpen(() => topics.create(configs));
  }

  async listTopics(): Promise<readonly string[]> {
    return this.parts.topics.list();
  }

  async describeTopic(name: string): Promise<TopicDescription> {
    return this.parts.topics.describe(name);
  }

  deleteTopic(name: string): Promise<void> {
    const { cycle, topics, batches } = this.parts;
    return cycle.whenNoCycleIsOpen(() => {
      for (const partition of topics.topic(name).partitions) batches.forget(partition);
      topics.delete(name);
    });
  }

  async offsetForTimestamp({ topic, partition }: TopicPartition, timestampMs: number): Promise<number> {
    const { topics, batches } = this.parts;
    const found = topics.partition(topic, partition);
    for (let next = found.earliest; ; ) {
      const records = batches.read(found, next, READ_CHUNK);
      const first = records.find((record) => record.timestamp >= timestampMs);
      if (first !== undefined) return first.offset;
      if (records.length === 0) return found.committedEnd;
      next = records[records.length - 1]!.offset + 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async committedPositions(
    applicationId: string,
  ): Promise<readonly (TopicPartition & { readonly offset: number })[]> {
    return this.parts
      .positions(applicationId)
      .map(({ topic, partition, offset }) => ({ topic, partition, offset }));
  }
}
