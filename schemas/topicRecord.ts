import type { ProducerRecord } from '../streams/log/log.ts';
import type { Headers } from '../streams/record.ts';
import type { SchemaName, SchemaTypes } from './generated/types.ts';
import type { Serdes } from './serdes.ts';
import type { TopicDefinition } from './topic.ts';

/**
 * A value as a record of its topic, encoded, for a producer.
 * @param timestamp milliseconds since the epoch
 * @throws SchemaError SCHEMA_UNKNOWN, SCHEMA_MALFORMED where the value does not fit the topic's schema
 */
export function topicRecord<S extends SchemaName>(
  serdes: Serdes,
  topic: TopicDefinition<S>,
  key: string,
  value: SchemaTypes[S],
  timestamp: number,
  headers?: Headers,
): ProducerRecord {
  const record = {
    topic: topic.name,
    key: serdes.key.serialize(topic.name, key),
    value: serdes.value(topic).serialize(topic.name, value),
    timestamp,
  };
  return headers === undefined ? record : { ...record, headers };
}
