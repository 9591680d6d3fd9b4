export { loadRdKafka, rdKafkaMissing } from './client.ts';
export { fromKafkaJs, fromRdKafka, mayHeal, rdkafkaCode } from './errors.ts';
export { RDKAFKA_CODES, rdkafkaCall } from './rdkafka.ts';
