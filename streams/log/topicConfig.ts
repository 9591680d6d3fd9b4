/** What every engine asks of a topic before it makes one. */
import { LogError } from './errors.ts';
import type { TopicConfig } from './log.ts';

const PARTITIONS_MAX = 4096;
const NAME = /^[A-Za-z0-9._-]{1,249}$/;

export const TOPIC_NAME_RULE = '1 to 249 letters, digits, dots, underscores and hyphens';

/** Kafka's rule for topic names. */
export function isTopicName(name: string): boolean {
  return NAME.test(name) && name !== '.' && name !== '..';
}

/** @throws LogError LOG_INVALID_TOPIC */
function checkTopicName(name: string): void {
  if (!isTopicName(name))
    throw new LogError('LOG_INVALID_TOPIC', `'${name}' is no topic name: ${TOPIC_NAME_RULE}`);
}

/** @throws LogError LOG_INVALID_TOPIC */
export function checkTopicConfig(config: TopicConfig): void {
  checkTopicName(config.name);
  if (!Number.isInteger(config.partitions) || config.partitions < 1 || config.partitions > PARTITIONS_MAX) {
    throw new LogError(
      'LOG_INVALID_TOPIC',
      `topic '${config.name}': partitions must be 1 to ${PARTITIONS_MAX}, not ${config.partitions}`,
    );
  }
  if (config.retentionMs !== null && !(config.retentionMs > 0)) {
    throw new LogError('LOG_INVALID_TOPIC', `topic '${config.name}': retention must be above 0 ms`);
  }
}
