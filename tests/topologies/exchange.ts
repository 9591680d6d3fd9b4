/** The orders, matching and portfolio topologies in one test driver, spoken to in dollars and whole shares. */
import type {
  AccountState,
  AccountUpdate,
  Asset,
  BookState,
  Order,
  OrderCommand,
  OrderUpdate,
  PortfolioPosition,
  PositionState,
  QuoteUpdate,
  RestingOrder,
  SchemaName,
  SchemaTypes,
  TradeEvent,
} from '../../schemas/generated/types.ts';
import type { AccountId, OrderId, Ticker } from '../../schemas/ids.ts';
import { CLOCK_HEADER, type TopicDefinition } from '../../schemas/topic.ts';
import type { PriceTicks } from '../../schemas/units.ts';
import {
  type Headers,
  NO_HEADERS,
  type ReadOnlyKeyValueStore,
  type TestOutputTopic,
  TopologyTestDriver,
} from '../../streams/index.ts';
import { REFERENCE_ASSETS } from '../../topologies/assets/topics.ts';
import type { SessionMode } from '../../topologies/domain/calendar.ts';
import { parseCash, parsePrice, parseQuantity } from '../../topologies/domain/decimal.ts';
import { HOUSE_COMMANDS } from '../../topologies/market-maker/topics.ts';
import { MARKET_DEPTH, ORDER_EVENTS } from '../../topologies/matching/topics.ts';
import { buildMatchingTopology } from '../../topologies/matching/topology.ts';
import {
  ACCOUNT_UPDATES,
  ORDER_COMMANDS,
  ORDER_UPDATES,
  TRADE_EVENTS,
} from '../../topologies/orders/topics.ts';
import { buildOrdersTopology } from '../../topologies/orders/topology.ts';
import { PORTFOLIO_UPDATES } from '../../topologies/portfolio/topics.ts';
import { buildPortfolioTopology } from '../../topologies/portfolio/topology.ts';
import { MARKET_QUOTES, MARKET_TRADES, QUOTE_UPDATES } from '../../topologies/quotes/topics.ts';
import { TOPICS } from '../../topologies/topics.ts';
import { SERDES } from './serdes.ts';

/** A Monday, ten in the morning in New York. */
export const START_MS = Date.parse('2013-10-07T14:00:00Z');

type Text = string | null;

/** A command as a person would say it; amounts are decimal text. */
export interface Ask {
  readonly kind?: OrderCommand['kind'];
  readonly account?: string;
  readonly command?: string;
  readonly order?: Text;
  readonly replacement?: string;
  readonly clientOrderId?: Text;
  readonly symbol?: Text;
  readonly side?: OrderCommand['side'];
  readonly type?: OrderCommand['orderType'];
  readonly timeInForce?: OrderCommand['timeInForce'];
  readonly quantity?: Text;
  readonly notional?: Text;
  readonly limit?: Text;
  readonly amount?: Text;
  readonly accountType?: OrderCommand['accountType'];
  readonly extendedHours?: boolean;
}

export interface ExchangeOptions {
  readonly session?: SessionMode;
  /** Partitions of every topic but the reference data; 1 unless told otherwise. */
  readonly partitions?: number;
  /** Input records a commit; 1 unless told otherwise. */
  readonly commitEvery?: number;
}

export class Exchange {
  readonly driver: TopologyTestDriver;
  readonly #partitions: number;
  readonly #commitEvery: number;
  readonly #outputs = new Map<string, TestOutputTopic<string, unknown>>();
  /** Inputs since the last commit: what producers send again after a crash, as nobody acknowledged it. */
  #unacknowledged: (() => void)[] = [];
  nowMs = START_MS;
  #commands = 0;

  constructor({ session = 'us-equities', partitions = 1, commitEvery = 1 }: ExchangeOptions = {}) {
    this.#partitions = partitions;
    this.#commitEvery = commitEvery;
    this.driver = new TopologyTestDriver(
      [
        { applicationId: 'orders', topology: buildOrdersTopology(SERDES, { session }) },
        { applicationId: 'matching', topology: buildMatchingTopology(SERDES, {}) },
        { applicationId: 'portfolio', topology: buildPortfolioTopology(SERDES, {}) },
      ],
      {
        partitions: Object.fromEntries(
          TOPICS.filter(({ name }) => name !== REFERENCE_ASSETS.name).map(({ name }) => [name, partitions]),
        ),
        commitEvery,
      },
    );
    this.asset({});
    this.asset({ symbol: 'BRK.A', fractionable: false });
    this.asset({ symbol: 'GONE', tradable: false });
    this.quote('199.50', '199.60');
  }

  asset(fields: {
    readonly symbol?: string;
    readonly tradable?: boolean;
    readonly fractionable?: boolean;
  }): void {
    const symbol = (fields.symbol ?? 'IBM') as Ticker;
    const asset: Asset = {
      symbol,
      assetId: `asset-${symbol}`,
      name: symbol,
      exchange: 'NYSE',
      tradable: fields.tradable ?? true,
      fractionable: fields.fractionable ?? true,
      previousCloseTicks: null,
    };
    this.pipe(REFERENCE_ASSETS, symbol, asset);
  }

  /** Sets the consolidated quote of a symbol. */
  quote(bid: Text, ask: Text, symbol = 'IBM', last: Text = null): void {
    const price = (text: Text): PriceTicks | null => (text === null ? null : parsePrice(text));
    const update: QuoteUpdate = {
      symbol: symbol as Ticker,
      sequence: 1,
      bidPriceTicks: price(bid),
      bidSizeMicros: null,
      bidExchange: null,
      askPriceTicks: price(ask),
      askSizeMicros: null,
      askExchange: null,
      lastPriceTicks: price(last),
      lastSizeMicros: null,
      lastExchange: null,
      lastTradeAtMs: null,
      quotedAtMs: this.nowMs,
      lastTradeNumber: null,
      lastConditions: null,
    };
    this.pipe(QUOTE_UPDATES, symbol, update);
  }

  /** Sends a command and returns its text form's updates: those of this command, as they came out. */
  ask(fields: Ask): OrderUpdate[] {
    this.send(fields);
    return this.updates();
  }

  /** Sends a command; SUBMIT of a DAY limit order of account `alice` in IBM unless told otherwise. */
  send(fields: Ask): OrderCommand {
    const command = this.command(fields);
    this.pipe(command.accountType === 'HOUSE' ? HOUSE_COMMANDS : ORDER_COMMANDS, command.accountId, command);
    return command;
  }

  command(fields: Ask): OrderCommand {
    this.#commands += 1;
    const kind = fields.kind ?? 'SUBMIT';
    const submit = kind === 'SUBMIT';
    const or = <T>(value: T | null | undefined, otherwise: T): T | null =>
      value === undefined ? (submit ? otherwise : null) : value;
    const limit = fields.type === 'MARKET' ? (fields.limit ?? null) : or(fields.limit, '199.50');
    const quantity = fields.notional ? (fields.quantity ?? null) : or(fields.quantity, '10');
    return {
      kind,
      commandId: (fields.command ?? `command-${this.#commands}`) as OrderCommand['commandId'],
      accountId: (fields.account ?? 'alice') as AccountId,
      accountType: fields.accountType ?? null,
      amountMicros: fields.amount ? parseCash(fields.amount) : null,
      orderId: or(fields.order, `order-${this.#commands}`) as OrderId | null,
      replacementOrderId: (fields.replacement ?? null) as OrderId | null,
      clientOrderId: or(fields.clientOrderId, `client-${this.#commands}`) as OrderCommand['clientOrderId'],
      symbol: or(fields.symbol, 'IBM') as Ticker | null,
      side: or<'BUY' | 'SELL'>(fields.side, 'BUY'),
      orderType: or<'MARKET' | 'LIMIT'>(fields.type, 'LIMIT'),
      timeInForce: or<'DAY' | 'GTC' | 'IOC' | 'FOK'>(fields.timeInForce, 'DAY'),
      quantityMicros: quantity === null ? null : parseQuantity(quantity),
      notionalMicros: fields.notional ? parseCash(fields.notional) : null,
      limitPriceTicks: limit === null ? null : parsePrice(limit),
      extendedHours: fields.extendedHours ?? false,
    };
  }

  /** An account with cash, and shares bought from the house at 100 dollars (which the cash does not pay for). */
  open(account: string, dollars: string, shares = 0): void {
    this.send({ kind: 'OPEN_ACCOUNT', account, accountType: 'CUSTOMER', amount: dollars });
    if (shares > 0) {
      this.send({ kind: 'OPEN_ACCOUNT', account: 'house', accountType: 'HOUSE' });
      this.send({ kind: 'DEPOSIT', account, amount: String(shares * 100) });
      this.sendHouse({ side: 'SELL', limit: '100', quantity: String(shares) });
      this.send({ account, limit: '100', quantity: String(shares), timeInForce: 'IOC' });
    }
    this.discard();
  }

  /** A command of the house account, as the market maker sends it. */
  sendHouse(fields: Ask): OrderCommand {
    const command = this.command({ account: 'house', timeInForce: 'GTC', ...fields });
    this.pipe(HOUSE_COMMANDS, command.accountId, command);
    return command;
  }

  /** A cancel in the name of whoever owns the order. */
  pipeCancel(account: string, order: string): void {
    const ask = { kind: 'CANCEL', account, order } as const;
    if (this.account(account).accountType === 'HOUSE') this.sendHouse(ask);
    else this.send(ask);
  }

  /** Moves the market's time with clock records on every partition, as a source does. */
  clock(toMs: number): void {
    this.nowMs = toMs;
    const headers = [{ key: CLOCK_HEADER, value: Buffer.from('test') }];
    for (let partition = 0; partition < this.#partitions; partition += 1) {
      this.#input(ORDER_COMMANDS, null, null, headers, partition);
    }
  }

  /** Kills the process in mind, starts it again, and sends again what was not acknowledged. */
  crash(): void {
    this.driver.crash();
    const again = this.#unacknowledged;
    this.#unacknowledged = [];
    for (const send of again) send();
  }

  /** Commits and drops the driver. */
  close(): void {
    this.driver.close();
  }

  updates(): OrderUpdate[] {
    return this.read(ORDER_UPDATES);
  }

  trades(): TradeEvent[] {
    return this.read(TRADE_EVENTS);
  }

  accountUpdates(): AccountUpdate[] {
    return this.read(ACCOUNT_UPDATES);
  }

  /** Drops all output so far. */
  discard(): void {
    for (const topic of [
      ORDER_UPDATES,
      TRADE_EVENTS,
      ACCOUNT_UPDATES,
      MARKET_TRADES,
      MARKET_QUOTES,
      MARKET_DEPTH,
      PORTFOLIO_UPDATES,
      ORDER_EVENTS,
    ]) {
      this.read(topic);
    }
  }

  /** What a topic has got since it was last read. */
  read<S extends SchemaName>(topic: TopicDefinition<S>): SchemaTypes[S][] {
    this.#commit();
    let output = this.#outputs.get(topic.name);
    if (!output) {
      output = this.driver.createOutputTopic<string, unknown>(topic.name, SERDES.key, SERDES.value(topic));
      this.#outputs.set(topic.name, output);
    }
    const values = output.readRecordsToList().map(({ value }) => value);
    return values.filter((value) => value !== null) as SchemaTypes[S][];
  }

  pipe<S extends SchemaName>(topic: TopicDefinition<S>, key: string, value: SchemaTypes[S]): void {
    this.#input(topic, key, value, NO_HEADERS);
  }

  #input<S extends SchemaName>(
    topic: TopicDefinition<S>,
    key: string | null,
    value: SchemaTypes[S] | null,
    headers: Headers,
    partition?: number,
  ): void {
    const timestampMs = this.nowMs;
    const send = (): void => {
      this.#unacknowledged.push(send);
      if (this.#unacknowledged.length >= this.#commitEvery) this.#unacknowledged = [];
      const input = this.driver.createInputTopic<string, SchemaTypes[S]>(
        topic.name,
        SERDES.key,
        SERDES.value(topic),
      );
      input.pipeInput(key, value, timestampMs, headers, partition);
    };
    send();
  }

  #commit(): void {
    this.#unacknowledged = [];
    this.driver.commit();
  }

  account(id: string): AccountState {
    return this.#get<AccountState>('accounts', id)!;
  }

  order(orderId: string, account = 'alice'): Order | null {
    return this.#get<Order>('orders', `${account}/${orderId}`);
  }

  position(account = 'alice', symbol = 'IBM'): PositionState | null {
    return this.#get<PositionState>('positions', `${account}/${symbol}`);
  }

  portfolio(account = 'alice', symbol = 'IBM'): PortfolioPosition | null {
    return this.#get<PortfolioPosition>('portfolio-positions', `${account}/${symbol}`);
  }

  /** All values of a store, partition by partition in the order of keys. */
  entries<N extends keyof StoreTypes>(store: N): StoreTypes[N][] {
    return this.#partitionsOf<StoreTypes[N]>(store).flatMap((part) =>
      [...part.all()].map(({ value }) => value),
    );
  }

  #get<V>(store: string, key: string): V | null {
    for (const part of this.#partitionsOf<V>(store)) {
      const value = part.get(key);
      if (value !== null) return value;
    }
    return null;
  }

  #partitionsOf<V>(store: string): ReadOnlyKeyValueStore<string, V>[] {
    return Array.from({ length: this.#partitions }, (_, partition) =>
      this.driver.getKeyValueStore<string, V>(store, partition),
    );
  }
}

interface StoreTypes {
  readonly accounts: AccountState;
  readonly orders: Order;
  readonly positions: PositionState;
  readonly 'portfolio-positions': PortfolioPosition;
  readonly 'resting-orders': RestingOrder;
  readonly books: BookState;
  readonly 'open-limits': string;
  readonly 'day-orders': string;
  readonly 'client-order-ids': string;
}
