import type { PortfolioPosition, TradeEvent } from '../../schemas/generated/types.ts';
import type { AccountId, Ticker } from '../../schemas/ids.ts';
import type { CashMicros, PriceTicks, QuantityMicros } from '../../schemas/units.ts';
import { add, multiplyDivide, subtract, tradeCash } from '../domain/money.ts';

const NO_CASH = 0 as CashMicros;
const NO_SHARES = 0 as QuantityMicros;

/** A position that has never traded. */
export function emptyPosition(accountId: AccountId, symbol: Ticker): PortfolioPosition {
  return {
    accountId,
    symbol,
    quantityMicros: NO_SHARES,
    costMicros: NO_CASH,
    realizedProfitMicros: NO_CASH,
    markPriceTicks: null,
    unrealizedProfitMicros: null,
    boughtQuantityMicros: NO_SHARES,
    soldQuantityMicros: NO_SHARES,
    tradeCount: 0,
    updatedAtMs: 0,
  };
}

/** What a signed quantity is worth at a price. */
export function marketValue(quantityMicros: QuantityMicros, priceTicks: PriceTicks): CashMicros {
  return quantityMicros < 0
    ? ((0 - tradeCash(priceTicks, -quantityMicros as QuantityMicros)) as CashMicros)
    : tradeCash(priceTicks, quantityMicros);
}

/**
 * The position after an execution, by the average cost method: an execution that adds to the position adds its cash to the cost; one
 * that lessens it takes out cost in proportion, and the difference to its cash is realised. One that goes through zero first closes the
 * position, then opens the other with the rest of its cash, so that no micro is lost: cost = realised profit - cash received so far, always.
 * @param markPriceTicks price to value the rest at, or null where there is none
 */
export function applyTrade(
  position: PortfolioPosition,
  trade: TradeEvent,
  markPriceTicks: PriceTicks | null,
  timestampMs: number,
): PortfolioPosition {
  const buy = trade.side === 'BUY';
  const change = buy ? trade.quantityMicros : -trade.quantityMicros;
  const cash = buy ? trade.cashMicros : -trade.cashMicros;
  const held = position.quantityMicros;
  const quantityMicros = add(held, change as QuantityMicros);
  let cost: number;
  let realised = 0;
  if (held === 0 || held < 0 === change < 0) {
    cost = add(position.costMicros, cash as CashMicros);
  } else if (Math.abs(change) <= Math.abs(held)) {
    const costOut = multiplyDivide(position.costMicros, Math.abs(change), Math.abs(held));
    cost = position.costMicros - costOut;
    realised = -cash - costOut;
  } else {
    const closingCash = multiplyDivide(cash, Math.abs(held), Math.abs(change));
    cost = cash - closingCash;
    realised = -closingCash - position.costMicros;
  }
  const costMicros = (cost + 0) as CashMicros;
  return {
    accountId: position.accountId,
    symbol: position.symbol,
    quantityMicros,
    costMicros,
    realizedProfitMicros: add(position.realizedProfitMicros, realised as CashMicros),
    markPriceTicks,
    unrealizedProfitMicros:
      markPriceTicks === null ? null : unrealizedProfit(quantityMicros, costMicros, markPriceTicks),
    boughtQuantityMicros: buy
      ? add(position.boughtQuantityMicros, trade.quantityMicros)
      : position.boughtQuantityMicros,
    soldQuantityMicros: buy
      ? position.soldQuantityMicros
      : add(position.soldQuantityMicros, trade.quantityMicros),
    tradeCount: position.tradeCount + 1,
    updatedAtMs: timestampMs,
  };
}

/** Value at a price less cost; for a short position both are negative. */
export function unrealizedProfit(
  quantityMicros: QuantityMicros,
  costMicros: CashMicros,
  priceTicks: PriceTicks,
): CashMicros {
  return subtract(marketValue(quantityMicros, priceTicks), costMicros);
}
