import type { Asset, Candle, MarketTrade, QuoteUpdate } from '../../../schemas/generated/types.ts';
import { MICROS_PER_SHARE, TICKS_PER_DOLLAR } from '../../../schemas/units.ts';
import { multiplyDivide } from '../../../topologies/domain/money.ts';

/** Decimals of a volume-weighted price. */
const VWAP_UNITS = 1_000_000;
/** Conditions a trade can have on the tape. */
const CONDITIONS_MAX = 4;

/** The division of two integers gives the double nearest to the decimal number, so JSON shows that number. */
function dollars(ticks: number | null): number {
  return (ticks ?? 0) / TICKS_PER_DOLLAR;
}

function shares(micros: number | null): number {
  return (micros ?? 0) / MICROS_PER_SHARE;
}

/** RFC 3339 in UTC, without a fraction where there is none. */
export function marketTime(timestampMs: number): string {
  return new Date(timestampMs).toISOString().replace('.000Z', 'Z');
}

/** The tape a listing reports to: A for the New York Stock Exchange, C for Nasdaq, B for the others. */
export function tapeOf(asset: Pick<Asset, 'exchange'> | null): string {
  if (asset?.exchange === 'NASDAQ') return 'C';
  return asset?.exchange === 'NYSE' ? 'A' : 'B';
}

/** A bar; `t` is its start. */
export function barJson(candle: Candle) {
  const { volumeMicros, notionalTicks } = candle;
  // notional / volume, in ticks a share, with six decimals of a dollar.
  const vwap =
    volumeMicros === 0
      ? candle.closeTicks * (VWAP_UNITS / TICKS_PER_DOLLAR)
      : multiplyDivide(notionalTicks, MICROS_PER_SHARE * (VWAP_UNITS / TICKS_PER_DOLLAR), volumeMicros);
  return {
    t: marketTime(candle.startMs),
    o: dollars(candle.openTicks),
    h: dollars(candle.highTicks),
    l: dollars(candle.lowTicks),
    c: dollars(candle.closeTicks),
    v: shares(volumeMicros),
    n: candle.tradeCount,
    vw: vwap / VWAP_UNITS,
  };
}

/** The consolidated quote; a side that nobody quotes has price and size 0. Null where there never was a quote. */
export function quoteJson(quote: QuoteUpdate, tape: string) {
  if (quote.quotedAtMs === null) return null;
  return {
    t: marketTime(quote.quotedAtMs),
    ax: quote.askExchange ?? ' ',
    ap: dollars(quote.askPriceTicks),
    as: shares(quote.askSizeMicros),
    bx: quote.bidExchange ?? ' ',
    bp: dollars(quote.bidPriceTicks),
    bs: shares(quote.bidSizeMicros),
    c: [],
    z: tape,
  };
}

/** Sale conditions of the tape are single characters; some feeds give a number of flags instead, which is left in one piece. */
function conditionsOf(text: string): readonly string[] {
  if (text === '') return [];
  return text.length <= CONDITIONS_MAX ? [...text] : [text];
}

/** The last trade as the quotes know it. Null where there was none. */
export function lastTradeJson(quote: QuoteUpdate, tape: string) {
  if (quote.lastTradeAtMs === null || quote.lastPriceTicks === null) return null;
  return {
    t: marketTime(quote.lastTradeAtMs),
    x: quote.lastExchange ?? ' ',
    p: dollars(quote.lastPriceTicks),
    s: shares(quote.lastSizeMicros),
    c: conditionsOf(quote.lastConditions ?? ''),
    // Quotes of an earlier version did not keep the number.
    ...(quote.lastTradeNumber === null ? {} : { i: quote.lastTradeNumber }),
    z: tape,
  };
}

/** A trade of the tape. */
export function tradeJson(trade: MarketTrade, timestampMs: number, tape: string) {
  return {
    t: marketTime(timestampMs),
    x: trade.exchange,
    p: dollars(trade.priceTicks),
    s: shares(trade.sizeMicros),
    c: conditionsOf(trade.conditions),
    i: trade.tradeNumber,
    z: tape,
  };
}
