import type { OrderCommand, OrderUpdate } from '../../schemas/generated/types.ts';
import type { AccountId, ClientOrderId, CommandId, OrderId, Ticker } from '../../schemas/ids.ts';
import type { QuantityMicros } from '../../schemas/units.ts';
import { EMPTY_COMMAND } from '../../topologies/orders/emptyCommand.ts';
import { numberedUuid } from '../support/commands.ts';
import type { Clients } from './clients.ts';
import { SYMBOLS } from './deployment.ts';

/** How often an order goes to each symbol: so exact is what is measured. */
const EVERY_MS = 100;
const ONE_SHARE = 1_000_000;
/** Ids that nobody else makes. */
const KIND = 7;

/** Buys and sells a share of every symbol again and again, and tells when each of them trades. */
export class Prober {
  readonly #clients: Clients;
  readonly #accountId: AccountId;
  /** By order: its symbol, and when it was sent, by performance.now(). */
  readonly #sent = new Map<string, { readonly symbol: string; readonly atMs: number }>();
  /** By symbol: when the newest order that was filled had been sent, and when its fill was heard of. */
  readonly #filled = new Map<string, { readonly sentAtMs: number; readonly heardAtMs: number }>();
  #orders = 0;
  #running: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(clients: Clients, accountId: AccountId) {
    this.#clients = clients;
    this.#accountId = accountId;
    clients.onUpdate = (update) => this.#hear(update);
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const sends = new Set<Promise<void>>();
    while (!this.#ended) {
      const orders = SYMBOLS.map((symbol) => this.#order(symbol));
      const send = this.#clients.send(orders).finally(() => sends.delete(send));
      sends.add(send);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
    await Promise.all(sends);
  }

  #order(symbol: string): OrderCommand {
    this.#orders += 1;
    const orderId = numberedUuid(KIND, this.#orders) as OrderId;
    this.#sent.set(orderId, { symbol, atMs: performance.now() });
    return {
      ...EMPTY_COMMAND,
      kind: 'SUBMIT',
      commandId: numberedUuid(KIND + 1, this.#orders) as CommandId,
      accountId: this.#accountId,
      orderId,
      clientOrderId: `p-${orderId}` as ClientOrderId,
      symbol: symbol as Ticker,
      // What was bought can be sold: no order is refused for want of a position.
      side: Math.ceil(this.#orders / SYMBOLS.length) % 3 === 0 ? 'SELL' : 'BUY',
      orderType: 'MARKET',
      timeInForce: 'IOC',
      quantityMicros: ONE_SHARE as QuantityMicros,
    };
  }

  #hear({ event, order, orderId }: OrderUpdate): void {
    const id = order?.orderId ?? orderId;
    const sent = id === null ? undefined : this.#sent.get(id);
    if (sent === undefined || (event !== 'FILL' && event !== 'PARTIAL_FILL')) return;
    const { symbol, atMs: sentAtMs } = sent;
    if (sentAtMs <= (this.#filled.get(symbol)?.sentAtMs ?? 0)) return;
    this.#filled.set(symbol, { sentAtMs, heardAtMs: performance.now() });
  }

  /** Whether every symbol has filled an order that was sent after a moment. */
  allTrade(sinceMs: number): boolean {
    return SYMBOLS.every((symbol) => (this.#filled.get(symbol)?.sentAtMs ?? 0) > sinceMs);
  }

  /** When that was so, by performance.now(). */
  lastHeardMs(): number {
    return Math.max(...SYMBOLS.map((symbol) => this.#filled.get(symbol)?.heardAtMs ?? 0));
  }
}
