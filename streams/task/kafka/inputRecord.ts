import { fromRdKafkaHeaders } from '../../log/kafka/headers.ts';
import type { RdKafkaMessage } from '../../log/kafka/rdkafka.ts';
import type { InputRecord } from '../output.ts';

/** @param topic the same text as the message's, kept once, so that its hash is not made anew for each record */
export function inputRecord(message: RdKafkaMessage, topic: string): InputRecord {
  return {
    topic,
    partition: message.partition,
    offset: message.offset,
    timestamp: message.timestamp,
    key: message.key ?? null,
    value: message.value,
    headers: fromRdKafkaHeaders(message.headers),
  };
}
