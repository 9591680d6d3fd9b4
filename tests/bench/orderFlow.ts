import type { Asset, OrderCommand } from '../../schemas/generated/types.ts';
import type { AccountId, Ticker } from '../../schemas/ids.ts';
import { deriveUuid } from '../../schemas/uuid.ts';
import type { Platform } from '../../serving/platform.ts';
import type { ProducerRecord } from '../../streams/log/log.ts';
import { REFERENCE_ASSETS } from '../../topologies/assets/topics.ts';
import { ORDER_COMMANDS } from '../../topologies/orders/topics.ts';
import { limitOrder, numberedUuid, openAccount } from '../support/commands.ts';

/** Securities that the orders are spread over. */
export const SYMBOLS = ['AAPL', 'MSFT', 'NVDA', 'AMZN', 'GOOGL', 'META', 'TSLA', 'IBM'];
const ACCOUNTS = 1_000;
const PRICE_TICKS = 1_000_000;

const account = (index: number): AccountId => numberedUuid(1, index) as AccountId;
const SELLER = numberedUuid(9, 0) as AccountId;

/** Makes the orders of a thousand accounts, half of them crossing, and sends them. */
export class OrderFlow {
  readonly #platform: Platform;
  #orders = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  record(command: OrderCommand): ProducerRecord {
    const { serdes, clock } = this.#platform;
    return {
      topic: ORDER_COMMANDS.name,
      key: serdes.key.serialize(ORDER_COMMANDS.name, command.accountId),
      value: serdes.value(ORDER_COMMANDS).serialize(ORDER_COMMANDS.name, command),
      timestamp: clock.nowMs(),
    };
  }

  /** Orders in pairs: one rests, the next (of another account, on the other side) crosses it. */
  next(): OrderCommand {
    const index = this.#orders;
    this.#orders += 1;
    const pair = index >> 1;
    const symbol = SYMBOLS[pair % SYMBOLS.length]!;
    const price = PRICE_TICKS + ((pair * 7) % 40) * 100;
    const maker = index % 2 === 0;
    const side = maker === (((pair >> 3) & 1) === 0) ? 'BUY' : 'SELL';
    return limitOrder(
      index + 1_000_000,
      account((index * 37) % ACCOUNTS),
      symbol,
      side,
      1 + (pair % 5),
      price,
    );
  }

  /** Waits for room in the log's queue; resolves when the outcome of all of them is committed. */
  async send(records: readonly ProducerRecord[]): Promise<void> {
    await this.#platform.producer.ready();
    await this.#platform.producer.send(records);
  }

  /** Lists the securities and gives every account cash and shares of each of them, bought from a house account. */
  async open(): Promise<void> {
    await openAssets(this.#platform);
    await this.#sendCommands([openAccount(SELLER, 0, 'HOUSE')]);
    let index = 0;
    for (const symbol of SYMBOLS) {
      await this.#sendCommands([limitOrder(index++, SELLER, symbol, 'SELL', ACCOUNTS * 5_000, PRICE_TICKS)]);
    }
    for (let each = 0; each < ACCOUNTS; each += 1) {
      const commands = [openAccount(account(each), 50_000_000)];
      for (const symbol of SYMBOLS)
        commands.push(limitOrder(index++, account(each), symbol, 'BUY', 5_000, PRICE_TICKS));
      await this.#sendCommands(commands);
    }
  }

  async #sendCommands(commands: readonly OrderCommand[]): Promise<void> {
    await this.send(commands.map((command) => this.record(command)));
  }
}

async function openAssets(platform: Platform): Promise<void> {
  const serde = platform.serdes.value(REFERENCE_ASSETS);
  await platform.producer.send(
    SYMBOLS.map((symbol) => {
      const asset: Asset = {
        symbol: symbol as Ticker,
        assetId: deriveUuid(`asset:${symbol}`),
        name: symbol,
        exchange: 'NASDAQ',
        tradable: true,
        fractionable: true,
        previousCloseTicks: null,
      };
      return {
        topic: REFERENCE_ASSETS.name,
        key: platform.serdes.key.serialize(REFERENCE_ASSETS.name, symbol),
        value: serde.serialize(REFERENCE_ASSETS.name, asset),
        timestamp: platform.clock.nowMs(),
      };
    }),
  );
}
