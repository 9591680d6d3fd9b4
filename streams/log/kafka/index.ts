export { loadRdKafka, rdKafkaMissing } from './client.ts';
export type { KafkaClients, KafkaHealth } from './connection.ts';
export { fromKafkaJs, fromRdKafka, mayHeal, rdkafkaCode } from './errors.ts';
export { KafkaLog, type KafkaLogOptions } from './kafkaLog.ts';
export type { KafkaSecurity } from './options.ts';
export { RDKAFKA_CODES, rdkafkaCall } from './rdkafka.ts';
