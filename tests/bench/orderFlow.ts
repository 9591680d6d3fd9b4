import type { OrderCommand } from '../../schemas/generated/types.ts';
import type { AccountId } from '../../schemas/ids.ts';
import { topicRecord } from '../../schemas/topicRecord.ts';
import type { ServedPlatform } from '../../serving/platform.ts';
import type { ProducerRecord } from '../../streams/log/log.ts';
import { ORDER_COMMANDS } from '../../topologies/orders/topics.ts';
import { assetRecord } from '../support/assets.ts';
import { limitOrder, numberedUuid, openAccount } from '../support/commands.ts';

/** Securities that the orders are spread over. */
export const SYMBOLS = ['AAPL', 'MSFT', 'NVDA', 'AMZN', 'GOOGL', 'META', 'TSLA', 'IBM'];
const ACCOUNTS = 1_000;
const PRICE_TICKS = 1_000_000;
/** Orders far from the market: numbers that no others have, prices they are spread over, and how many go together. */
const RESTING_NUMBER = 500_000_000;
const RESTING_PRICES = 1_000;
const RESTING_BATCH = 500;

const account = (index: number): AccountId => numberedUuid(1, index) as AccountId;
const SELLER = numberedUuid(9, 0) as AccountId;

/** Orders by which `open` gives the accounts their shares. */
export const OPENING_PURCHASES = ACCOUNTS * SYMBOLS.length;

/** What the flow needs of a platform. */
type Floor = Pick<ServedPlatform, 'serdes' | 'clock' | 'producer'>;

/** Makes the orders of a thousand accounts, half of them crossing, and sends them. */
export class OrderFlow {
  readonly #platform: Floor;
  #orders = 0;

  constructor(platform: Floor) {
    this.#platform = platform;
  }

  record(command: OrderCommand): ProducerRecord {
    const { serdes, clock } = this.#platform;
    return topicRecord(serdes, ORDER_COMMANDS, command.accountId, command, clock.nowMs());
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

  /** Adds so many orders far from the market, which stay in the books. */
  async rest(count: number): Promise<void> {
    for (let sent = 0; sent < count; ) {
      const most = Math.min(count, sent + RESTING_BATCH);
      const commands: OrderCommand[] = [];
      for (; sent < most; sent += 1) {
        const symbol = SYMBOLS[sent % SYMBOLS.length]!;
        const price = PRICE_TICKS / 2 - (sent % RESTING_PRICES) * 100;
        commands.push(limitOrder(RESTING_NUMBER + sent, account(sent % ACCOUNTS), symbol, 'BUY', 1, price));
      }
      await this.#sendCommands(commands);
    }
  }

  /** Waits for room in the log's queue; resolves when the outcome of all of them is committed. */
  async send(records: readonly ProducerRecord[]): Promise<void> {
    await this.#platform.producer.ready();
    await this.#platform.producer.send(records);
  }

  /** Lists the securities and gives every account cash and shares of each of them, bought from a house account. */
  async open(): Promise<void> {
    const { serdes, clock } = this.#platform;
    await this.send(SYMBOLS.map((symbol) => assetRecord(serdes, symbol, 'NASDAQ', clock.nowMs())));
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
