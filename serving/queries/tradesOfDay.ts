import type { AccountId, Ticker } from '../../schemas/ids.ts';
import type { CashMicros, QuantityMicros } from '../../schemas/units.ts';
import { newYorkMidnight } from '../../topologies/domain/calendar.ts';
import { add, subtract } from '../../topologies/domain/money.ts';
import { TRADE_EVENTS } from '../../topologies/orders/topics.ts';
import type { ServingContext } from '../context.ts';
import { offsetBefore, partitionOf, scanForward } from './logScan.ts';

const ACCOUNTS_MAX = 1_000;

/** What an account's trades of a day in one symbol come to. */
export interface DayChange {
  /** Bought less sold. */
  readonly quantityMicros: QuantityMicros;
  /** Paid less received. */
  readonly paidMicros: CashMicros;
}

export const NO_CHANGE: DayChange = { quantityMicros: 0 as QuantityMicros, paidMicros: 0 as CashMicros };

interface Known {
  readonly sinceMs: number;
  nextOffset: number;
  readonly changes: Map<Ticker, DayChange>;
  /** The reading under way or done last; the next one waits for it. */
  reading: Promise<void>;
}

/**
 * What accounts traded since midnight in New York, where a daily candle begins. Read from the trade events when asked for and kept, so
 * that the next question reads only what came since.
 */
export class TradesOfDay {
  readonly #context: Pick<ServingContext, 'engine' | 'serdes' | 'clock'>;
  readonly #accounts = new Map<AccountId, Known>();

  constructor(context: Pick<ServingContext, 'engine' | 'serdes' | 'clock'>) {
    this.#context = context;
  }

  /** @throws LogError */
  async of(accountId: AccountId): Promise<ReadonlyMap<Ticker, DayChange>> {
    const sinceMs = newYorkMidnight(this.#context.clock.nowMs());
    const found = this.#accounts.get(accountId);
    const known =
      found?.sinceMs === sinceMs
        ? found
        : { sinceMs, nextOffset: -1, changes: new Map(), reading: Promise.resolve() };
    // The oldest in use goes first.
    this.#accounts.delete(accountId);
    if (this.#accounts.size >= ACCOUNTS_MAX) {
      this.#accounts.delete(this.#accounts.keys().next().value!);
    }
    this.#accounts.set(accountId, known);
    const after = known.reading.catch(() => undefined);
    known.reading = after.then(() => this.#read(accountId, known));
    await known.reading;
    return known.changes;
  }

  async #read(accountId: AccountId, known: Known): Promise<void> {
    const { engine, serdes } = this.#context;
    const key = serdes.key.serialize(TRADE_EVENTS.name, accountId);
    const partition = await partitionOf(engine, TRADE_EVENTS, key);
    if (known.nextOffset < 0) known.nextOffset = await offsetBefore(engine, partition, known.sinceMs);
    const serde = serdes.value(TRADE_EVENTS);
    const from = known.nextOffset;
    const { nextOffset } = await scanForward(
      engine,
      partition,
      key,
      from,
      Number.POSITIVE_INFINITY,
      ({ value, timestamp }) => {
        if (value === null || timestamp < known.sinceMs) return true;
        const trade = serde.deserialize(TRADE_EVENTS.name, value);
        const before = known.changes.get(trade.symbol) ?? NO_CHANGE;
        const change = trade.side === 'BUY' ? add : subtract;
        known.changes.set(trade.symbol, {
          quantityMicros: change(before.quantityMicros, trade.quantityMicros),
          paidMicros: change(before.paidMicros, trade.cashMicros),
        });
        return true;
      },
    );
    known.nextOffset = nextOffset;
  }
}
