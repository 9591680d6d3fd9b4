import type { Asset, PortfolioPosition } from '../../schemas/generated/types.ts';
import type { AccountId, Ticker } from '../../schemas/ids.ts';
import type { CashMicros, PriceTicks, QuantityMicros } from '../../schemas/units.ts';
import { add, subtract } from '../../topologies/domain/money.ts';
import { marketValue } from '../../topologies/portfolio/applyTrade.ts';
import type { ServingContext } from '../context.ts';
import { AccountQueries } from './accounts.ts';
import { MarketQueries } from './market.ts';
import { type DayChange, NO_CHANGE, TradesOfDay } from './tradesOfDay.ts';

/** A position at the prices of now. */
export interface ValuedPosition {
  readonly position: PortfolioPosition;
  readonly asset: Asset | null;
  readonly heldMicros: QuantityMicros;
  /** Null where nothing was ever quoted or traded: the position then counts at its cost. */
  readonly priceTicks: PriceTicks | null;
  readonly previousCloseTicks: PriceTicks | null;
  readonly valueMicros: CashMicros;
  readonly profitMicros: CashMicros;
  /** Profit since the close of the day before. */
  readonly dayProfitMicros: CashMicros;
  /** What was held at that close is worth this at that close, with what was paid since. */
  readonly dayCostMicros: CashMicros;
}

/** What an account's positions come to. */
export interface AccountValue {
  readonly longMicros: CashMicros;
  readonly shortMicros: CashMicros;
  /** Profit since the close of the day before, also of positions that are closed by now. */
  readonly dayProfitMicros: CashMicros;
}

const ZERO = 0 as CashMicros;

/** Values the positions of accounts. */
export class Valuation {
  readonly #context: ServingContext;
  readonly #accounts: AccountQueries;
  readonly #market: MarketQueries;
  readonly #tradesOfDay: TradesOfDay;

  constructor(context: ServingContext) {
    this.#context = context;
    this.#accounts = new AccountQueries(context.stores);
    this.#market = new MarketQueries(context.stores);
    this.#tradesOfDay = new TradesOfDay(context);
  }

  async positions(accountId: AccountId): Promise<readonly ValuedPosition[]> {
    const changes = await this.#tradesOfDay.of(accountId);
    return this.#values(await this.#accounts.positions(accountId), changes);
  }

  async position(accountId: AccountId, symbol: Ticker): Promise<ValuedPosition | null> {
    const changes = await this.#tradesOfDay.of(accountId);
    const position = await this.#accounts.position(accountId, symbol);
    return position === null ? null : this.#value(position, changes.get(symbol) ?? NO_CHANGE);
  }

  async account(accountId: AccountId): Promise<AccountValue> {
    const changes = await this.#tradesOfDay.of(accountId);
    let [longMicros, shortMicros, dayProfitMicros] = [ZERO, ZERO, ZERO];
    const held = new Set<Ticker>();
    for (const valued of await this.#values(await this.#accounts.positions(accountId), changes)) {
      held.add(valued.position.symbol);
      if (valued.valueMicros >= 0) longMicros = add(longMicros, valued.valueMicros);
      else shortMicros = add(shortMicros, valued.valueMicros);
      dayProfitMicros = add(dayProfitMicros, valued.dayProfitMicros);
    }
    const closed = [...changes].filter(([symbol]) => !held.has(symbol));
    const costs = closed.map(async ([symbol, change]) => {
      const previousCloseTicks = await this.#previousClose(symbol, await this.#accounts.asset(symbol));
      return this.#dayCost(0 as QuantityMicros, change, previousCloseTicks, null);
    });
    for (const cost of await Promise.all(costs)) dayProfitMicros = subtract(dayProfitMicros, cost);
    return { longMicros, shortMicros, dayProfitMicros };
  }

  #previousClose(symbol: Ticker, asset: Asset | null): Promise<PriceTicks | null> {
    return this.#market.previousClose(symbol, asset, this.#context.clock.nowMs());
  }

  #values(
    positions: readonly PortfolioPosition[],
    changes: ReadonlyMap<Ticker, DayChange>,
  ): Promise<readonly ValuedPosition[]> {
    return Promise.all(
      positions.map((position) => this.#value(position, changes.get(position.symbol) ?? NO_CHANGE)),
    );
  }

  /** Value at the last close of what was held then, and what was paid since. */
  #dayCost(
    quantityMicros: QuantityMicros,
    change: DayChange,
    previousCloseTicks: PriceTicks | null,
    priceTicks: PriceTicks | null,
  ): CashMicros {
    const heldThen = subtract(quantityMicros, change.quantityMicros);
    const closeTicks = previousCloseTicks ?? priceTicks;
    const valueThen = heldThen === 0 || closeTicks === null ? ZERO : marketValue(heldThen, closeTicks);
    return add(valueThen, change.paidMicros);
  }

  async #value(position: PortfolioPosition, change: DayChange): Promise<ValuedPosition> {
    const { symbol, quantityMicros, costMicros, accountId } = position;
    const [price, asset, heldMicros] = await Promise.all([
      this.#market.price(symbol),
      this.#accounts.asset(symbol),
      this.#accounts.held(accountId, symbol),
    ]);
    const priceTicks = price ?? position.markPriceTicks;
    const valueMicros = priceTicks === null ? costMicros : marketValue(quantityMicros, priceTicks);
    const previousCloseTicks = await this.#previousClose(symbol, asset);
    const dayCostMicros = this.#dayCost(quantityMicros, change, previousCloseTicks, priceTicks);
    return {
      position,
      asset,
      heldMicros,
      priceTicks,
      previousCloseTicks,
      valueMicros,
      profitMicros: subtract(valueMicros, costMicros),
      dayProfitMicros: subtract(valueMicros, dayCostMicros),
      dayCostMicros,
    };
  }
}
