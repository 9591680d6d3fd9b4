import type { Headers } from '../../record.ts';
import type { SinkTarget, TaskOutput } from '../output.ts';
import type { TaskProducer } from './producer.ts';

/** Writes what tasks produce to the broker: nothing is handed over within the process. */
export class KafkaOutput implements TaskOutput {
  readonly #producer: () => TaskProducer;
  readonly #partitionsOf: (topic: string) => number;
  readonly #targets = new Map<string, SinkTarget>();

  constructor(producer: () => TaskProducer, partitionsOf: (topic: string) => number) {
    this.#producer = producer;
    this.#partitionsOf = partitionsOf;
  }

  target(topic: string): SinkTarget {
    let target = this.#targets.get(topic);
    if (target === undefined) {
      target = {
        partitions: this.#partitionsOf(topic),
        send: (partition, timestamp, keyBytes, valueBytes, headers) =>
          this.write(topic, partition, timestamp, keyBytes, valueBytes, headers),
      };
      this.#targets.set(topic, target);
    }
    return target;
  }

  /** @throws LogError LOG_RECORD_TOO_LARGE */
  write(
    topic: string,
    partition: number,
    timestamp: number,
    key: Buffer | null,
    value: Buffer | null,
    headers: Headers,
  ): void {
    this.#producer().produce(topic, partition, timestamp, key, value, headers);
  }
}
