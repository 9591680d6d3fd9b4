import type { OrderCommand, OrderUpdate } from '../../schemas/generated/types.ts';
import type { AccountId, CommandId } from '../../schemas/ids.ts';
import { topicRecord } from '../../schemas/topicRecord.ts';
import type { LogRecord, RecordAck, TailSubscription } from '../../streams/log/log.ts';
import type { InputPosition } from '../../streams/query/interactiveQueries.ts';
import { USER_ACTIONS } from '../../topologies/audit/topics.ts';
import { ORDER_COMMANDS, ORDER_UPDATES } from '../../topologies/orders/topics.ts';
import type { ServingContext } from '../context.ts';
import { ServingError } from '../errors.ts';
import { type CommandOrigin, originHeaders } from './origin.ts';

/** Commands under way at once. */
const WAITING_MAX = 10_000;
/** The outcome is in the commit of the command or, on Kafka, a few commits later: waiting beyond that means that something is broken. */
const OUTCOME_TIMEOUT_MS = 10_000;

/** A command about an order. */
export type OrderedCommand = OrderCommand & { readonly kind: 'SUBMIT' | 'CANCEL' | 'REPLACE' };

const ACTIONS = { SUBMIT: 'order.submit', CANCEL: 'order.cancel', REPLACE: 'order.replace' } as const;

/** What became of a command. */
export interface Outcome {
  readonly update: OrderUpdate;
  /** A store that covers this knows of the command. */
  readonly position: InputPosition;
}

type Waiters = Map<CommandId, (update: OrderUpdate) => void>;

/**
 * Sends commands of users and tells their outcomes, which it hears of by following the order updates. A command and the record of what
 * its user did are appended together.
 */
export class CommandSender {
  readonly #context: Pick<ServingContext, 'producer' | 'serdes' | 'clock'>;
  readonly #timeoutMs: number;
  readonly #tail: TailSubscription;
  /** By account, so that updates nobody waits for (all of the house's) are not decoded. */
  readonly #waiting = new Map<string, Waiters>();
  #count = 0;

  constructor(
    context: Pick<ServingContext, 'engine' | 'producer' | 'serdes' | 'clock'>,
    timeoutMs = OUTCOME_TIMEOUT_MS,
  ) {
    this.#context = context;
    this.#timeoutMs = timeoutMs;
    this.#tail = context.engine.tail([ORDER_UPDATES.name], (records) => this.#hear(records));
  }

  /**
   * Resolves with the first update the command leads to, once it is committed: NEW or REJECTED, CANCELED or CANCEL_REJECTED, REPLACED or
   * REPLACE_REJECTED.
   * @throws ServingError SERVING_BUSY where too many commands are under way: nothing was sent
   * @throws ServingError SERVING_OUTCOME_TIMEOUT where the command is on the log and its outcome is not known
   * @throws LogError where the log does not take it
   */
  async send(command: OrderedCommand, origin: CommandOrigin): Promise<Outcome> {
    if (this.#count >= WAITING_MAX) {
      throw new ServingError('SERVING_BUSY', 'too many commands are under way; try again');
    }
    let outcome: OrderUpdate | null = null;
    let wake: (() => void) | null = null;
    this.#wait(command, (update) => {
      outcome ??= update;
      wake?.();
    });
    try {
      const [ack] = await this.#append(command, origin);
      // On the embedded log followers hear of a commit before its senders do, so mostly the outcome is there by now.
      if (outcome === null) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, this.#timeoutMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      if (outcome === null) {
        throw new ServingError(
          'SERVING_OUTCOME_TIMEOUT',
          `the request was taken but its outcome is not known yet; ask for order ${command.orderId} before sending it again`,
        );
      }
      const { topic, partition, offset } = ack!;
      return { update: outcome, position: { topic, partition, offset: offset + 1 } };
    } finally {
      this.#forget(command);
    }
  }

  close(): void {
    this.#tail.close();
  }

  #append(command: OrderedCommand, origin: CommandOrigin): Promise<readonly RecordAck[]> {
    const { serdes, producer, clock } = this.#context;
    const { accountId, commandId } = command;
    const headers = originHeaders(origin);
    const timestamp = clock.nowMs();
    const action = { accountId, action: ACTIONS[command.kind], commandId, target: command.orderId };
    return producer.send([
      topicRecord(serdes, ORDER_COMMANDS, accountId, command, timestamp, headers),
      topicRecord(serdes, USER_ACTIONS, accountId, action, timestamp, headers),
    ]);
  }

  #wait({ accountId, commandId }: OrderedCommand, hear: (update: OrderUpdate) => void): void {
    let waiters = this.#waiting.get(accountId);
    if (waiters === undefined) {
      waiters = new Map();
      this.#waiting.set(accountId, waiters);
    }
    waiters.set(commandId, hear);
    this.#count += 1;
  }

  #forget({ accountId, commandId }: { accountId: AccountId; commandId: CommandId }): void {
    const waiters = this.#waiting.get(accountId);
    if (waiters?.delete(commandId)) this.#count -= 1;
    if (waiters?.size === 0) this.#waiting.delete(accountId);
  }

  #hear(records: readonly LogRecord[]): void {
    if (this.#count === 0) return;
    const serde = this.#context.serdes.value(ORDER_UPDATES);
    for (const { key, value } of records) {
      if (key === null || value === null) continue;
      const waiters = this.#waiting.get(key.toString('utf8'));
      if (waiters === undefined) continue;
      const update = serde.deserialize(ORDER_UPDATES.name, value);
      if (update.commandId !== null) waiters.get(update.commandId)?.(update);
    }
  }
}
