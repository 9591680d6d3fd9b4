import type { TopicPartition } from '../../record.ts';
import { LogError } from '../errors.ts';
import type { KafkaConnection } from './connection.ts';
import { connectConsumer, disconnected } from './consumers.ts';
import { fromRdKafka, mayHeal } from './errors.ts';
import { type RdKafkaConsumer, type RdKafkaMessage, rdkafkaCall } from './rdkafka.ts';

/** How long one call waits in a thread for the first record. */
const CONSUME_TIMEOUT_MS = 20;
/** Records taken from the client at once. */
const CONSUME_MAX = 5000;
/** How long fetched records of a partition are kept for a read that goes on. */
const KEPT_MS = 2000;

/** One consumer that reads one partition at a time. A read that goes on where the last one ended finds its records fetched already. */
export class ReadSession {
  private readonly connection: KafkaConnection;
  private readonly name: string;
  private consumer: Promise<RdKafkaConsumer> | null = null;
  private at: (TopicPartition & { offset: number }) | null = null;
  private ended = false;
  private keptTimer: NodeJS.Timeout | null = null;

  constructor(connection: KafkaConnection, name: string) {
    this.connection = connection;
    this.name = name;
  }

  /** Whether the next record that comes out of this session is the one asked for. */
  standsAt({ topic, partition }: TopicPartition, offset: number): boolean {
    return this.at?.topic === topic && this.at.partition === partition && this.at.offset === offset;
  }

  /**
   * Records from `offset` on, up to `maxRecords` or to the offset `end`, which must have been a committed end.
   * @throws LogError LOG_UNREACHABLE where nothing comes until the deadline (of performance.now())
   */
  async read(
    partition: TopicPartition,
    offset: number,
    end: number,
    maxRecords: number,
    deadline: number,
  ): Promise<RdKafkaMessage[]> {
    if (this.keptTimer !== null) clearTimeout(this.keptTimer);
    const consumer = await this.connected();
    if (!this.standsAt(partition, offset)) this.moveTo(consumer, partition, offset);
    const at = this.at!;
    const records: RdKafkaMessage[] = [];
    while (records.length < maxRecords && at.offset < end && !this.ended) {
      const messages = await this.consume(consumer, Math.min(CONSUME_MAX, maxRecords - records.length));
      for (const message of messages) {
        // What was fetched for another partition before the move is not ours.
        if (message.topic !== at.topic || message.partition !== at.partition || message.offset < at.offset)
          continue;
        records.push(message);
        at.offset = message.offset + 1;
      }
      if (messages.length === 0 && performance.now() > deadline) {
        this.leave(consumer);
        throw new LogError(
          'LOG_UNREACHABLE',
          `reading '${at.topic}', partition ${at.partition}, from offset ${at.offset}: nothing comes; check that its leader runs`,
        );
      }
    }
    if (records.length < maxRecords || this.ended) this.leave(consumer);
    else this.keptTimer = setTimeout(() => this.leave(consumer), KEPT_MS).unref();
    return records;
  }

  async close(): Promise<void> {
    if (this.keptTimer !== null) clearTimeout(this.keptTimer);
    const consumer = await this.consumer?.catch(() => null);
    if (consumer !== null && consumer !== undefined) await disconnected(consumer);
  }

  private async consume(consumer: RdKafkaConsumer, count: number): Promise<RdKafkaMessage[]> {
    try {
      return await rdkafkaCall<RdKafkaMessage[]>((done) => consumer.consume(count, done));
    } catch (cause) {
      const error = fromRdKafka(cause, `reading '${this.at?.topic}'`);
      if (mayHeal(error)) return [];
      this.leave(consumer);
      throw error;
    }
  }

  private moveTo(consumer: RdKafkaConsumer, { topic, partition }: TopicPartition, offset: number): void {
    this.at = { topic, partition, offset };
    this.ended = false;
    consumer.assign([{ topic, partition, offset }]);
  }

  private leave(consumer: RdKafkaConsumer): void {
    this.at = null;
    if (consumer.isConnected()) consumer.unassign();
  }

  private connected(): Promise<RdKafkaConsumer> {
    this.consumer ??= this.connect().catch((cause: unknown) => {
      this.consumer = null;
      throw cause;
    });
    return this.consumer;
  }

  private async connect(): Promise<RdKafkaConsumer> {
    const consumer = await connectConsumer(this.connection, this.name, {
      // Control records have offsets too, and no record tells that they are the last.
      'enable.partition.eof': true,
      'fetch.wait.max.ms': 50,
      'fetch.message.max.bytes': 8 * 1024 * 1024,
    });
    consumer.setDefaultConsumeTimeout(CONSUME_TIMEOUT_MS);
    consumer.on('partition.eof', ({ topic, partition, offset }) => {
      if (this.at?.topic === topic && this.at.partition === partition && offset >= this.at.offset) {
        this.ended = true;
      }
    });
    return consumer;
  }
}
