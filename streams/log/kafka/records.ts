import { NO_HEADERS } from '../../record.ts';
import { LogError } from '../errors.ts';
import type { LogRecord, ProducerRecord } from '../log.ts';
import { fromRdKafkaHeaders } from './headers.ts';
import type { RdKafkaMessage } from './rdkafka.ts';

const TIMESTAMP_MAX = 8.64e15;

export function toLogRecord(message: RdKafkaMessage): LogRecord {
  return {
    topic: message.topic,
    partition: message.partition,
    offset: message.offset,
    timestamp: message.timestamp,
    key: message.key ?? null,
    value: message.value,
    headers: message.headers === undefined ? NO_HEADERS : fromRdKafkaHeaders(message.headers),
  };
}

/** No bytes, at an address: node-rdkafka takes an empty buffer without one for null. */
const EMPTY = Buffer.alloc(1).subarray(0, 0);

/** A key or value as node-rdkafka takes it. */
export function toRdKafkaBytes(bytes: Buffer | null): Buffer | null {
  return bytes !== null && bytes.length === 0 ? EMPTY : bytes;
}

/**
 * A time as librdkafka takes it. It has no way to say the first moment of 1970 or none: 0 means now to it. So those become one
 * millisecond after.
 */
export function toRdKafkaTimestamp(timestamp: number): number {
  return Math.max(timestamp, 1);
}

/**
 * Bytes of a record in the queue and in a batch, roughly from above.
 * @throws LogError LOG_INVALID_RECORD, LOG_RECORD_TOO_LARGE
 */
export function checkedSize(record: ProducerRecord, recordBytesMax: number): number {
  const { topic, key, value, headers = NO_HEADERS, timestamp } = record;
  if (!Number.isSafeInteger(timestamp) || timestamp < -1 || timestamp > TIMESTAMP_MAX) {
    throw new LogError('LOG_INVALID_RECORD', `${timestamp} is no timestamp (topic ${topic})`);
  }
  let size = (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers) size += header.key.length + (header.value?.length ?? 0) + 8;
  if (size > recordBytesMax) {
    throw new LogError(
      'LOG_RECORD_TOO_LARGE',
      `a record of ${size} bytes for topic '${topic}' is larger than the ${recordBytesMax} bytes allowed`,
    );
  }
  return size + 64;
}
