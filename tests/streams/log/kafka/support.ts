import type { StateBackend } from '../../../../stores/store.ts';
import type { KafkaLogOptions } from '../../../../streams/log/kafka/kafkaLog.ts';
import { KafkaLog } from '../../../../streams/log/kafka/kafkaLog.ts';
import type { KafkaUnderTest } from '../../../support/kafka.ts';

/** For tests of the log alone: they open no store. */
const NO_STATE: StateBackend = {
  open: () => {
    throw new Error('these tests open no store');
  },
  openCommitted: () => {
    throw new Error('these tests open no store');
  },
};

/** A log on the brokers of a test file, under a client id of its own. */
export function openKafkaLog(
  kafka: KafkaUnderTest,
  options: Partial<KafkaLogOptions<StateBackend>> = {},
): Promise<KafkaLog<StateBackend>> {
  return KafkaLog.open({
    brokers: kafka.brokers,
    clientId: kafka.unique('client'),
    openState: async () => NO_STATE,
    ...options,
  });
}
