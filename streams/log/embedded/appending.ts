import { NO_HEADERS } from '../../record.ts';
import type { Send } from '../sendQueue.ts';
import type { AppendedRecord, CycleParticipant } from './cycle.ts';
import type { OpenCycle } from './partition.ts';
import type { TopicRegistry } from './topics.ts';

/** Records between two looks at the clock. */
const CLOCK_EVERY = 32;

/**
 * Appends records of a send to the open cycle until the deadline, of performance.now(), and has each processed before the next.
 * True when all of them are appended.
 * @throws LogError LOG_UNKNOWN_TOPIC, LOG_RECORD_TOO_LARGE, LOG_INVALID_RECORD, and what the participant throws
 */
export function appendSome(
  send: Send,
  { topics, open }: { readonly topics: TopicRegistry; readonly open: OpenCycle },
  participant: CycleParticipant | null,
  deadlineMs: number,
): boolean {
  const { records, partitions, acks } = send;
  let untilClock = CLOCK_EVERY;
  while (send.appended < records.length) {
    const index = send.appended;
    const record = records[index]!;
    const partition = topics.partition(record.topic, partitions[index]!);
    const headers = record.headers ?? NO_HEADERS;
    const sequence = open.nextSequence;
    const offset = partition.append(record.timestamp, record.key, record.value, headers);
    acks.push({ topic: record.topic, partition: partition.partition, offset });
    send.appended++;
    if (participant !== null) {
      const appended: AppendedRecord = {
        topic: record.topic,
        partition: partition.partition,
        offset,
        sequence,
        timestamp: record.timestamp,
        key: record.key,
        value: record.value,
        headers,
      };
      participant.onAppended([appended]);
    }
    if (--untilClock === 0) {
      if (performance.now() >= deadlineMs) break;
      untilClock = CLOCK_EVERY;
    }
  }
  return send.appended === records.length;
}
