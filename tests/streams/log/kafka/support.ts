import { KafkaLog, type KafkaLogOptions } from '../../../../streams/log/kafka/kafkaLog.ts';
import type { KafkaUnderTest } from '../../../support/kafka.ts';

/** A log on the brokers of a test file, under a client id of its own and without stores unless told otherwise. */
export function openKafkaLog(
  kafka: KafkaUnderTest,
  options: Partial<KafkaLogOptions> = {},
): Promise<KafkaLog> {
  return KafkaLog.open({ brokers: kafka.brokers, clientId: kafka.unique('client'), ...options });
}
