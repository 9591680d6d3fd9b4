import type { SchemaName, SchemaTypes } from '../../schemas/generated/types.ts';
import type { TopicDefinition } from '../../schemas/topic.ts';
import type { LogRecord, TailSubscription } from '../../streams/log/log.ts';
import type { ServingContext } from '../context.ts';

/**
 * Hears of a topic's committed records as values. Records of keys that nobody wants are not decoded; one that cannot be decoded is logged and left out.
 */
export function tailValues<S extends SchemaName>(
  context: Pick<ServingContext, 'engine' | 'serdes' | 'logger'>,
  topic: TopicDefinition<S>,
  wants: (key: string) => boolean,
  onValue: (value: SchemaTypes[S], key: string, record: LogRecord) => void,
): TailSubscription {
  const serde = context.serdes.value(topic);
  return context.engine.tail([topic.name], (records) => {
    for (const record of records) {
      if (record.key === null || record.value === null) continue;
      const key = record.key.toString('utf8');
      if (!wants(key)) continue;
      let value: SchemaTypes[S];
      try {
        value = serde.deserialize(topic.name, record.value);
      } catch (cause) {
        context.logger.error('a record could not be decoded for the live streams', {
          topic: topic.name,
          partition: record.partition,
          offset: record.offset,
          cause,
        });
        continue;
      }
      onValue(value, key, record);
    }
  });
}
