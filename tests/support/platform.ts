import { CLOCK_HEADER, type TopicDefinition, type TopicValue } from '../../schemas/topic.ts';
import type { Platform } from '../../serving/platform.ts';
import type { AppendedRecord } from '../../streams/log/embedded/index.ts';
import type { LogRecord } from '../../streams/log/log.ts';

/** A record of a topic, decoded, with its place in the log. */
export interface Decoded<T extends TopicDefinition> {
  readonly value: TopicValue<T>;
  readonly timestamp: number;
  readonly partition: number;
  readonly offset: number;
  readonly sequence: number;
}

/** Gathers a topic from now on, in the order of the log; clock records are left out. Retention cannot take away what it gathered. */
export function gather<T extends TopicDefinition>(
  platform: Pick<Platform, 'engine' | 'serdes'>,
  topic: T,
): { readonly records: () => Decoded<T>[]; readonly close: () => void } {
  const found: LogRecord[] = [];
  const tail = platform.engine.tail([topic.name], (records) => void found.push(...records));
  return {
    records: () => decodeAll(platform, topic, found),
    close: () => tail.close(),
  };
}

/** All that a topic holds now, in the order of the log. */
export function readTopic<T extends TopicDefinition>(
  platform: Pick<Platform, 'engine' | 'serdes'>,
  topic: T,
): Decoded<T>[] {
  const found: LogRecord[] = [];
  for (let partition = 0; partition < topic.partitions.embedded; partition += 1)
    found.push(...platform.engine.readSync(topic.name, partition, 0, Number.MAX_SAFE_INTEGER));
  return decodeAll(platform, topic, found);
}

function decodeAll<T extends TopicDefinition>(
  { serdes }: Pick<Platform, 'serdes'>,
  topic: T,
  records: readonly LogRecord[],
): Decoded<T>[] {
  return (records as readonly AppendedRecord[])
    .filter(({ value, headers }) => value !== null && !headers.some(({ key }) => key === CLOCK_HEADER))
    .map(({ value, timestamp, partition, offset, sequence }) => ({
      value: serdes.value(topic).deserialize(topic.name, value!) as TopicValue<T>,
      timestamp,
      partition,
      offset,
      sequence,
    }))
    .sort((a, b) => a.sequence - b.sequence);
}
