import type { TopicPartition } from '../../record.ts';
import type { KafkaConnection } from './connection.ts';

/**
 * Deletes what lies before the offsets in the partitions of one topic. It is tried once: what was not deleted is the next time.
 * @throws LogError LOG_UNAUTHORIZED, LOG_UNREACHABLE, LOG_UNKNOWN_TOPIC, LOG_IO
 */
export async function deleteRecordsOnKafka(
  connection: KafkaConnection,
  topic: string,
  before: readonly (Pick<TopicPartition, 'partition'> & { readonly offset: number })[],
): Promise<void> {
  await connection.call(
    `deleting what was read of '${topic}'`,
    async (admin) => {
      // It has the client look up who leads the partitions; the deletion goes by what is known of that.
      const bounds = new Map(
        (await admin.fetchTopicOffsets(topic)).map(({ partition, low }) => [partition, Number(low)]),
      );
      const partitions = before
        .filter(({ partition, offset }) => offset > (bounds.get(partition) ?? Number.POSITIVE_INFINITY))
        .map(({ partition, offset }) => ({ partition, offset: String(offset) }));
      if (partitions.length > 0) await admin.deleteTopicRecords({ topic, partitions });
    },
    0,
  );
}
