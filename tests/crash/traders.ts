/**
 * Customers who send orders at random and keep books of their own: what they sent, what was acknowledged, what they were told. They
 * outlive the process they talk to; after its end they send again part of what was not acknowledged, and resume their updates where
 * they stopped.
 */
import { Random } from '../../connectors/sources/simulator/random.ts';
import type { OrderCommand, OrderUpdate } from '../../schemas/generated/types.ts';
import type { AccountId, ClientOrderId, CommandId, OrderId, Ticker } from '../../schemas/ids.ts';
import type { CashMicros, PriceTicks, QuantityMicros } from '../../schemas/units.ts';
import { EMPTY_COMMAND } from '../../topologies/orders/emptyCommand.ts';
import { numberedUuid } from '../support/commands.ts';

export interface SentCommand {
  readonly command: OrderCommand;
  /** How often it was sent. */
  attempts: number;
  /** `partition@offset` of each answer. */
  readonly acknowledged: string[];
}

/** An update as a client saw it. */
export interface Followed {
  readonly partition: number;
  readonly offset: number;
  readonly update: OrderUpdate;
}

/** Random numbers from a seed, as a test draws them. */
export class SeededRandom extends Random {
  /** An integer from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(0, values.length - 1)]!;
  }
}

const ACCOUNTS = 8;
const OPENING_CASH_MICROS = 1_000_000_000_000;
const SHARE_MICROS = 1_000_000;
/** An account with so many open orders rather cancels one. */
const OPEN_MANY = 4;
/** Orders of an account that a cancel or a replacement may name, whatever has become of them. */
const RECENT_MAX = 6;
type Draft = Pick<OrderCommand, 'accountId' | 'commandId'> & typeof EMPTY_COMMAND;

export class Traders {
  readonly sent = new Map<string, SentCommand>();
  readonly followed = new Map<string, Followed[]>();
  readonly accountIds: readonly AccountId[];
  /** Reference prices in ticks, by symbol. */
  prices: ReadonlyMap<string, number> = new Map();
  readonly #random: SeededRandom;
  /** Limit orders that rest as far as the client was told: limit in ticks by order, by account. */
  readonly #open = new Map<string, Map<string, number>>();
  readonly #recent = new Map<string, (readonly [orderId: string, limitTicks: number])[]>();
  #commands = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.accountIds = Array.from({ length: ACCOUNTS }, (_, index) => numberedUuid(1, index) as AccountId);
    for (const accountId of this.accountIds) {
      this.followed.set(accountId, []);
      this.#recent.set(accountId, []);
      this.#open.set(accountId, new Map());
    }
  }

  /** Commands that were sent and not acknowledged when the process ended; about half of them are sent again. */
  unacknowledged(): readonly OrderCommand[] {
    return [...this.sent.values()]
      .filter(({ acknowledged, attempts }) => acknowledged.length === 0 && attempts < 3)
      .filter(({ command }) => command.kind === 'OPEN_ACCOUNT' || this.#random.next() < 0.5)
      .map(({ command }) => command);
  }

  openings(): readonly OrderCommand[] {
    return this.accountIds.map((accountId) => ({
      ...EMPTY_COMMAND,
      kind: 'OPEN_ACCOUNT',
      commandId: this.#newId(3) as CommandId,
      accountId,
      accountType: 'CUSTOMER',
      amountMicros: OPENING_CASH_MICROS as CashMicros,
    }));
  }

  /** A note that a command goes out. */
  sending(command: OrderCommand): void {
    const known = this.sent.get(command.commandId);
    if (known === undefined) this.sent.set(command.commandId, { command, attempts: 1, acknowledged: [] });
    else known.attempts += 1;
  }

  acknowledge(commandId: string, place: string): void {
    this.sent.get(commandId)!.acknowledged.push(place);
  }

  /** What a client is told: the next of its account, or the stream is broken. */
  follow(followed: Followed): void {
    const { accountId, accountSequence } = followed.update;
    const seen = this.followed.get(accountId);
    if (seen === undefined) return;
    if (accountSequence !== seen.length + 1)
      throw new Error(`${accountId} was told ${accountSequence} after ${seen.length}`);
    seen.push(followed);
    const { event, order } = followed.update;
    if (order === null || event.endsWith('REJECTED')) return;
    const open = this.#open.get(accountId)!;
    if (event === 'NEW' && order.limitPriceTicks !== null) open.set(order.orderId, order.limitPriceTicks);
    else if (event !== 'NEW' && event !== 'PARTIAL_FILL') open.delete(order.orderId);
  }

  /** By partition of the updates, the offset that a client of the partition goes on from. */
  resumeFrom(): ReadonlyMap<number, number> {
    const next = new Map<number, number>();
    for (const seen of this.followed.values()) {
      const last = seen.at(-1);
      if (last !== undefined)
        next.set(last.partition, Math.max(next.get(last.partition) ?? 0, last.offset + 1));
    }
    return next;
  }

  next(): OrderCommand {
    const accountId = this.#random.pick(this.accountIds);
    const draw = this.#random.next();
    const base = { ...EMPTY_COMMAND, accountId, commandId: this.#newId(3) as CommandId };
    if (draw < 0.04) {
      const amountMicros = this.#random.integer(1, 3_000_000_000) as CashMicros;
      return { ...base, kind: draw < 0.02 ? 'DEPOSIT' : 'WITHDRAW', amountMicros };
    }
    const open = [...this.#open.get(accountId)!];
    const named = this.#random.next() < 0.85 ? open : this.#recent.get(accountId)!;
    if (named.length > 0 && (draw < 0.15 || (draw < 0.6 && open.length >= OPEN_MANY)))
      return { ...base, kind: 'CANCEL', orderId: this.#random.pick(named)[0] as OrderId };
    if (named.length > 0 && draw < 0.25) return this.#replace(base, this.#random.pick(named));
    return this.#submit(base);
  }

  #replace(base: Draft, [orderId, limitTicks]: readonly [string, number]): OrderCommand {
    const replacementOrderId = this.#newId(2);
    this.#remember(base.accountId, replacementOrderId, limitTicks);
    return {
      ...base,
      kind: 'REPLACE',
      orderId: orderId as OrderId,
      replacementOrderId: replacementOrderId as OrderId,
      quantityMicros: (this.#random.integer(1, 20) * SHARE_MICROS) as QuantityMicros,
      limitPriceTicks: (this.#random.next() < 0.5 ? limitTicks : limitTicks + 100) as PriceTicks,
    };
  }

  #submit(base: Draft): OrderCommand {
    const random = this.#random;
    const orderId = this.#newId(2);
    const symbol = random.pick([...this.prices.keys()]);
    const market = random.next() < 0.35;
    const timeInForce = random.pick(['DAY', 'DAY', 'GTC', 'IOC', 'FOK'] as const);
    const byAmount = market && timeInForce === 'DAY' && random.next() < 0.3;
    const fractional = timeInForce === 'DAY' && random.next() < 0.3;
    const quantityMicros = fractional
      ? random.integer(1, 5 * SHARE_MICROS)
      : random.integer(1, 20) * SHARE_MICROS;
    const away = 1 + (random.next() - 0.5) / 100;
    const limitTicks = Math.max(100, Math.round((this.prices.get(symbol)! * away) / 100) * 100);
    if (!market && (timeInForce === 'DAY' || timeInForce === 'GTC'))
      this.#remember(base.accountId, orderId, limitTicks);
    return {
      ...base,
      kind: 'SUBMIT',
      orderId: orderId as OrderId,
      clientOrderId: `c-${orderId}` as ClientOrderId,
      symbol: symbol as Ticker,
      side: random.pick(['BUY', 'SELL'] as const),
      orderType: market ? 'MARKET' : 'LIMIT',
      timeInForce,
      quantityMicros: byAmount ? null : (quantityMicros as QuantityMicros),
      notionalMicros: byAmount ? (random.integer(1_000_000, 2_000_000_000) as CashMicros) : null,
      limitPriceTicks: market ? null : (limitTicks as PriceTicks),
    };
  }

  #remember(accountId: string, orderId: string, limitTicks: number): void {
    const recent = this.#recent.get(accountId)!;
    recent.push([orderId, limitTicks]);
    if (recent.length > RECENT_MAX) recent.shift();
  }

  #newId(kind: number): string {
    this.#commands += 1;
    return numberedUuid(kind, this.#commands);
  }
}
