/** Customers of a deployment who talk to the brokers themselves: they write commands and follow their updates with kafkajs. */
import type { Consumer, Kafka, Producer } from 'kafkajs';
import type { OrderCommand } from '../../schemas/generated/types.ts';
import type { Serdes } from '../../schemas/serdes.ts';
import { partitionForKey } from '../../streams/log/partitioner.ts';
import { ORDER_COMMANDS, ORDER_UPDATES } from '../../topologies/orders/topics.ts';
import { plain } from '../crash/evidence.ts';
import type { Traders } from '../crash/traders.ts';
import { until } from '../support/until.ts';

const SLICE_MS = 20;
/** How soon is tried again what was not taken. */
const AGAIN_MS = 200;
/** Commands whose outcome is an order update. */
const ABOUT_ORDERS = new Set<OrderCommand['kind']>(['SUBMIT', 'CANCEL', 'REPLACE']);

export class Clients {
  readonly #producer: Producer;
  readonly #consumer: Consumer;
  readonly #serdes: Serdes;
  readonly #traders: Traders;
  readonly #partitions: number;
  readonly #heardTo = new Map<number, number>();
  #failure: unknown = null;
  #underWay = 0;
  /** Milliseconds from a command's first sending to its first outcome, and when that came. */
  readonly outcomes: { readonly atMs: number; readonly tookMs: number }[] = [];
  readonly #sentAtMs = new Map<string, number>();

  private constructor(kafka: Kafka, serdes: Serdes, traders: Traders, partitions: number) {
    // Idempotent: what is sent again by the client is there once.
    this.#producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    this.#consumer = kafka.consumer({ groupId: `clients-${process.pid}`, maxWaitTimeInMs: 50 });
    this.#serdes = serdes;
    this.#traders = traders;
    this.#partitions = partitions;
  }

  static async connect(kafka: Kafka, serdes: Serdes, traders: Traders): Promise<Clients> {
    const admin = kafka.admin();
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [ORDER_COMMANDS.name] });
    await admin.disconnect();
    const clients = new Clients(kafka, serdes, traders, topics[0]!.partitions.length);
    await clients.#producer.connect();
    await clients.#consumer.connect();
    await clients.#consumer.subscribe({ topics: [ORDER_UPDATES.name], fromBeginning: true });
    await clients.#consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => clients.#hear(partition, message),
    });
    return clients;
  }

  #hear(
    partition: number,
    { offset, value }: { readonly offset: string; readonly value: Buffer | null },
  ): void {
    // After a change of the group kafkajs begins again where it began.
    if (Number(offset) < (this.#heardTo.get(partition) ?? 0)) return;
    this.#heardTo.set(partition, Number(offset) + 1);
    if (value === null || this.#failure !== null) return;
    const update = plain(this.#serdes.value(ORDER_UPDATES).deserialize(ORDER_UPDATES.name, value));
    const sentAtMs = update.commandId === null ? undefined : this.#sentAtMs.get(update.commandId);
    if (sentAtMs !== undefined) {
      this.#sentAtMs.delete(update.commandId!);
      const atMs = performance.now();
      this.outcomes.push({ atMs, tookMs: atMs - sentAtMs });
    }
    try {
      this.#traders.follow({ partition, offset: Number(offset), update });
    } catch (cause) {
      this.#failure = cause;
    }
  }

  /** Resolves when all of them are acknowledged, all replicas that count having them. */
  async send(commands: readonly OrderCommand[]): Promise<void> {
    const byPartition = new Map<number, OrderCommand[]>();
    for (const command of commands) {
      const partition = partitionForKey(Buffer.from(command.accountId), this.#partitions);
      const there = byPartition.get(partition) ?? [];
      byPartition.set(partition, there);
      there.push(command);
    }
    const nowMs = performance.now();
    for (const command of commands) {
      this.#traders.sending(command);
      if (ABOUT_ORDERS.has(command.kind)) this.#sentAtMs.set(command.commandId, nowMs);
    }
    this.#underWay += commands.length;
    while (byPartition.size > 0) await this.#sendTo(byPartition);
    this.#underWay -= commands.length;
  }

  /** Takes out the partitions that answered: kafkajs leaves those out, without a word, that have no leader at the moment. */
  async #sendTo(byPartition: Map<number, readonly OrderCommand[]>): Promise<void> {
    const serde = this.#serdes.value(ORDER_COMMANDS);
    const messages = [...byPartition].flatMap(([partition, each]) =>
      each.map((command) => ({
        partition,
        key: command.accountId,
        // Encoders share a buffer.
        value: Buffer.from(serde.serialize(ORDER_COMMANDS.name, command)),
        timestamp: String(Date.now()),
      })),
    );
    const answers = await this.#producer.send({ topic: ORDER_COMMANDS.name, acks: -1, messages });
    for (const { partition, baseOffset } of answers) {
      byPartition.get(partition)!.forEach(({ commandId }, index) => {
        this.#traders.acknowledge(commandId, `${partition}@${Number(baseOffset) + index}`);
      });
      byPartition.delete(partition);
    }
    if (byPartition.size > 0) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }

  /** Sends random commands at a rate for a time. @throws what a client saw that it should not have seen */
  async trade(commandsPerSecond: number, durationMs: number): Promise<void> {
    const startMs = performance.now();
    let sent = 0;
    for (let passedMs = 0; passedMs < durationMs; passedMs = performance.now() - startMs) {
      const due = Math.min(commandsPerSecond, Math.floor((passedMs / 1000) * commandsPerSecond) - sent);
      if (due > 0) await this.send(Array.from({ length: due }, () => this.#traders.next()));
      sent += Math.max(0, due);
      this.check();
      await new Promise((resolve) => setTimeout(resolve, SLICE_MS));
    }
  }

  check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /**
   * Waits until every order that was sent has its outcome.
   * @throws Error that names where those stand that have none, and how far the updates were read
   */
  async settled(timeoutMs: number): Promise<void> {
    const isSettled = (): boolean => {
      this.check();
      return this.#underWay === 0 && this.#sentAtMs.size === 0;
    };
    try {
      await until('an outcome of every command', isSettled, timeoutMs);
    } catch (cause) {
      const waiting = [...this.#sentAtMs.keys()].map((id) => this.#traders.sent.get(id)!.acknowledged.join());
      const heard = [...this.#heardTo].map(([partition, offset]) => `${partition}@${offset}`);
      throw new Error(
        `${this.#underWay} commands unanswered, ${waiting.length} without an outcome: ${waiting.slice(0, 20).join(' ')}; ` +
          `updates heard to ${heard.join(' ')}`,
        { cause },
      );
    }
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
    await this.#consumer.disconnect();
  }
}
