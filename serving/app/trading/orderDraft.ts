import {
  cashOf,
  MICRO_DECIMALS,
  PRICE_DECIMALS,
  parseUnits,
  quantityFor,
  unitsText,
} from '../market/decimal.ts';
import { formatCash, formatQuantity } from '../market/format.ts';
import type { Quote } from '../market/quoteBoard.ts';

export const TIMES_IN_FORCE = ['day', 'gtc', 'ioc', 'fok'] as const;
export type TimeInForce = (typeof TIMES_IN_FORCE)[number];
export type OrderSide = 'buy' | 'sell';
export type OrderType = 'market' | 'limit';
export type AmountMode = 'shares' | 'dollars';

/** The order ticket as it is filled in: texts as they were typed. */
export interface OrderDraft {
  readonly symbol: string;
  readonly side: OrderSide;
  readonly type: OrderType;
  readonly mode: AmountMode;
  readonly amount: string;
  readonly limitPrice: string;
  readonly timeInForce: TimeInForce;
}

/** What the ticket knows of market and account; null where it does not. */
export interface TradingFacts {
  readonly quote: Quote | null;
  readonly buyingPowerMicros: number | null;
  /** Shares that can be sold. */
  readonly availableMicros: number | null;
  readonly fractionable: boolean;
}

export type DraftField = 'amount' | 'limitPrice' | 'timeInForce';

export interface DraftProblem {
  readonly field: DraftField;
  readonly message: string;
}

/** The body of POST /v2/orders, without the client order id. */
export type OrderRequest = Readonly<Record<string, string>>;

export interface CheckedDraft {
  /** Why the order cannot be sent; empty where it can. */
  readonly problems: readonly DraftProblem[];
  /** What the server will probably refuse it for; it has the last word. */
  readonly warning: string | null;
  /** Price the estimate is made with. */
  readonly priceTicks: number | null;
  readonly quantityMicros: number | null;
  /** Estimated cost of a buy or proceeds of a sell. */
  readonly cashMicros: number | null;
  readonly request: OrderRequest | null;
}

const MICROS_PER_SHARE = 1_000_000;
const PRICE_MAX_TICKS = 10_000_000_000;
const QUANTITY_MAX_MICROS = 100_000_000_000_000;
const NOTIONAL_MAX_MICROS = 1_000_000_000_000_000;
const TICKS_PER_DOLLAR = 10_000;
const TICKS_PER_CENT = 100;

function checkLimitPrice(text: string): { readonly ticks: number | null; readonly message: string | null } {
  if (text.trim() === '') return { ticks: null, message: 'Enter a limit price' };
  const ticks = parseUnits(text, PRICE_DECIMALS);
  if (ticks === null) return { ticks, message: 'A price in dollars, such as 187.25' };
  if (ticks <= 0) return { ticks: null, message: 'The price must be above zero' };
  if (ticks > PRICE_MAX_TICKS) return { ticks: null, message: 'The price must be at most $1,000,000' };
  if (ticks >= TICKS_PER_DOLLAR && ticks % TICKS_PER_CENT !== 0)
    return { ticks: null, message: 'Prices from $1 up move in whole cents' };
  return { ticks, message: null };
}

function checkAmount(
  draft: OrderDraft,
  fractionable: boolean,
): { readonly micros: number | null; readonly message: string | null } {
  const dollars = draft.mode === 'dollars';
  if (draft.amount.trim() === '')
    return { micros: null, message: dollars ? 'Enter an amount in dollars' : 'Enter a number of shares' };
  const micros = parseUnits(draft.amount, MICRO_DECIMALS);
  const refuse = (message: string) => ({ micros: null, message });
  if (micros === null) return refuse(dollars ? 'An amount such as 1500' : 'A number of shares such as 10');
  if (micros <= 0)
    return refuse(dollars ? 'The amount must be above zero' : 'Sell and buy above zero shares');
  if (dollars) {
    if (draft.type === 'limit') return refuse('Orders in dollars are market orders');
    if (!fractionable) return refuse(`${draft.symbol} trades in whole shares only`);
    return micros > NOTIONAL_MAX_MICROS
      ? refuse('At most $1,000,000,000 an order')
      : { micros, message: null };
  }
  if (micros > QUANTITY_MAX_MICROS) return refuse('At most 100,000,000 shares an order');
  if (micros % MICROS_PER_SHARE !== 0) {
    if (!fractionable) return refuse(`${draft.symbol} trades in whole shares only`);
    if (draft.timeInForce !== 'day') return refuse('Fractions of shares need time in force Day');
  }
  return { micros, message: null };
}

function warningOf(
  draft: OrderDraft,
  facts: TradingFacts,
  quantityMicros: number | null,
  cashMicros: number | null,
): string | null {
  const { buyingPowerMicros, availableMicros } = facts;
  if (draft.side === 'buy') {
    return cashMicros !== null && buyingPowerMicros !== null && cashMicros > buyingPowerMicros
      ? `More than your buying power of ${formatCash(buyingPowerMicros)}`
      : null;
  }
  if (quantityMicros === null || availableMicros === null || quantityMicros <= availableMicros) return null;
  return availableMicros <= 0
    ? `You hold no ${draft.symbol} to sell`
    : `More than the ${formatQuantity(availableMicros)} shares you can sell`;
}

/** Checks a draft, estimates what it costs and makes the request of it. */
export function checkDraft(draft: OrderDraft, facts: TradingFacts): CheckedDraft {
  const problems: DraftProblem[] = [];
  const amount = checkAmount(draft, facts.fractionable);
  if (amount.message !== null) problems.push({ field: 'amount', message: amount.message });
  const limit = draft.type === 'limit' ? checkLimitPrice(draft.limitPrice) : { ticks: null, message: null };
  if (limit.message !== null) problems.push({ field: 'limitPrice', message: limit.message });
  const dollars = draft.mode === 'dollars';
  if (dollars && draft.timeInForce !== 'day')
    problems.push({ field: 'timeInForce', message: 'Orders in dollars need time in force Day' });

  const quoted = draft.side === 'buy' ? facts.quote?.askTicks : facts.quote?.bidTicks;
  const priceTicks = (draft.type === 'limit' ? limit.ticks : quoted) ?? null;
  const known = amount.micros !== null && priceTicks !== null && priceTicks > 0;
  const quantityMicros = dollars ? (known ? quantityFor(amount.micros, priceTicks) : null) : amount.micros;
  const cashMicros = dollars ? amount.micros : known ? cashOf(priceTicks, amount.micros) : null;
  const warning = warningOf(draft, facts, quantityMicros, cashMicros);
  const request: Record<string, string> = {
    symbol: draft.symbol,
    side: draft.side,
    type: draft.type,
    time_in_force: draft.timeInForce,
  };
  if (amount.micros !== null)
    request[dollars ? 'notional' : 'qty'] = unitsText(amount.micros, MICRO_DECIMALS);
  if (limit.ticks !== null) request.limit_price = unitsText(limit.ticks, PRICE_DECIMALS);
  return {
    problems,
    warning,
    priceTicks,
    quantityMicros,
    cashMicros,
    request: problems.length === 0 ? request : null,
  };
}

/**
 * The shares that a part of what is available buys or sells, in micros: whole ones where the draft takes no fractions.
 * @param part between 0 and 1
 * @returns null where price, buying power or position is not known
 */
export function sharesForPart(draft: OrderDraft, facts: TradingFacts, part: number): number | null {
  let micros: number;
  if (draft.side === 'sell') {
    if (facts.availableMicros === null) return null;
    micros = Math.floor(Math.max(0, facts.availableMicros) * part);
  } else {
    const { priceTicks } = checkDraft(draft, facts);
    if (priceTicks === null || priceTicks <= 0 || facts.buyingPowerMicros === null) return null;
    // A market buy puts aside what it would cost 5 % above the ask, so that much of the cash is out of reach.
    const worstTicks = draft.type === 'market' ? Math.ceil((priceTicks * 105) / 100 / 100) * 100 : priceTicks;
    micros = quantityFor(Math.floor(Math.max(0, facts.buyingPowerMicros) * part), worstTicks);
  }
  const whole = draft.side === 'buy' || !facts.fractionable || draft.timeInForce !== 'day';
  return whole ? micros - (micros % MICROS_PER_SHARE) : micros;
}
