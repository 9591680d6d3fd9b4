import type { MarketQuote, MarketTrade } from '../../../schemas/generated/types.ts';
import type { Ticker } from '../../../schemas/ids.ts';
import { MICROS_PER_SHARE, type PriceTicks, type QuantityMicros } from '../../../schemas/units.ts';
import type { SymbolDay } from './folder.ts';
import { type Row, readRows } from './rows.ts';

/** A quote or trade with its time in milliseconds since midnight in New York. */
export type LeanEvent =
  | { readonly atMs: number; readonly quote: MarketQuote; readonly trade: null }
  | { readonly atMs: number; readonly quote: null; readonly trade: MarketTrade };

/** A bar becomes four events, a quarter of its length apart: open, high and low, close. */
const BAR_PARTS = 4;
const MINUTE_MS = 60_000;
/** Bars name no venue. */
const BAR_VENUE = 'Q';
/**
 * Reports of an exchange's official closing and opening price (bits 24 and 26 of Lean's TradeConditionFlags). They repeat the price and
 * size of an auction's print and are no trades: the plans of the consolidated tape count them for no volume and no price.
 */
const OFFICIAL_PRICE = (2 ** 24) | (2 ** 26);
const HEXADECIMAL = /^[0-9a-f]{1,8}$/i;

/** Sizes are whole shares as a rule. */
const micros = (shares: number): QuantityMicros => Math.round(shares * MICROS_PER_SHARE) as QuantityMicros;

/** Prices in Lean's files are in 1/10,000 dollar already. */
const ticks = (row: Row, field: number): PriceTicks => Math.round(row.number(field)) as PriceTicks;

function isTrade(conditions: string): boolean {
  return !HEXADECIMAL.test(conditions) || (Number.parseInt(conditions, 16) & OFFICIAL_PRICE) === 0;
}

/** Ticks: time, price, size, venue, sale conditions, suspicious. */
function* tickTrades(symbol: Ticker, path: string): Generator<LeanEvent> {
  let number = 0;
  for (const row of readRows(path, 6)) {
    const [, , , exchange, conditions, suspicious] = row.text;
    const priceTicks = ticks(row, 1);
    const sizeMicros = micros(row.number(2));
    if (priceTicks === 0 || sizeMicros === 0) continue;
    number += 1;
    const trade: MarketTrade = {
      symbol,
      priceTicks,
      sizeMicros,
      exchange: exchange!,
      tradeNumber: number,
      conditions: conditions!,
      eligible: suspicious === '0' && isTrade(conditions!),
    };
    yield { atMs: row.atMs, quote: null, trade };
  }
}

/** Quote ticks: time, bid, bid size, ask, ask size, venue, condition, suspicious. A price of 0 means that side is not in the row. */
function* tickQuotes(symbol: Ticker, path: string): Generator<LeanEvent> {
  for (const row of readRows(path, 8)) {
    const bid = ticks(row, 1);
    const ask = ticks(row, 3);
    const [bidSize, askSize] = [micros(row.number(2)), micros(row.number(4))];
    if (row.text[7] !== '0' || (bid === 0 && ask === 0)) continue;
    const quote: MarketQuote = {
      symbol,
      exchange: row.text[5]!,
      bidPriceTicks: bid > 0 ? bid : null,
      bidSizeMicros: bid > 0 ? bidSize : null,
      askPriceTicks: ask > 0 ? ask : null,
      askSizeMicros: ask > 0 ? askSize : null,
    };
    yield { atMs: row.atMs, quote, trade: null };
  }
}

/** Trade bars: time, open, high, low, close, volume. The volume is spread over the four prices, the rest on the close. */
function* barTrades(symbol: Ticker, path: string): Generator<LeanEvent> {
  let number = 0;
  for (const row of readRows(path, 6)) {
    const volume = row.number(5);
    const part = Math.floor(volume / BAR_PARTS);
    for (let index = 0; index < BAR_PARTS; index += 1) {
      const shares = index === BAR_PARTS - 1 ? volume - part * (BAR_PARTS - 1) : part;
      const priceTicks = ticks(row, 1 + index);
      if (shares === 0 || priceTicks === 0) continue;
      number += 1;
      const trade: MarketTrade = {
        symbol,
        priceTicks,
        sizeMicros: micros(shares),
        exchange: BAR_VENUE,
        tradeNumber: number,
        conditions: '',
        eligible: true,
      };
      yield { atMs: row.atMs + (index * MINUTE_MS) / BAR_PARTS, quote: null, trade };
    }
  }
}

interface BarSide {
  readonly priceTicks: PriceTicks;
  readonly sizeMicros: QuantityMicros;
}

/** A side of a quote bar at its open or close; null where the bar has none, and all its fields are empty. */
function barSide(row: Row, priceField: number, sizeField: number): BarSide | null {
  if (row.text[priceField] === '') return null;
  const priceTicks = ticks(row, priceField);
  return priceTicks === 0 ? null : { priceTicks, sizeMicros: micros(row.number(sizeField)) };
}

/** Quote bars: time, bid open, high, low, close, size, ask open, high, low, close, size. The open stands first, the close last. */
function* barQuotes(symbol: Ticker, path: string): Generator<LeanEvent> {
  for (const row of readRows(path, 11)) {
    for (const [offsetMs, field] of [
      [0, 1],
      [MINUTE_MS - 1, 4],
    ] as const) {
      const bid = barSide(row, field, 5);
      const ask = barSide(row, field + 5, 10);
      if (bid === null && ask === null) continue;
      const quote: MarketQuote = {
        symbol,
        exchange: BAR_VENUE,
        bidPriceTicks: bid?.priceTicks ?? null,
        bidSizeMicros: bid?.sizeMicros ?? null,
        askPriceTicks: ask?.priceTicks ?? null,
        askSizeMicros: ask?.sizeMicros ?? null,
      };
      yield { atMs: row.atMs + offsetMs, quote, trade: null };
    }
  }
}

/**
 * The events of each file of a day, quotes before trades and symbols in the order given. Nothing is read before it is asked for.
 * @throws ConnectorError SOURCE_FILE, naming file and line
 */
export function openFiles(files: readonly SymbolDay[]): readonly Generator<LeanEvent>[] {
  return files.flatMap(({ symbol, quotes, trades }) => {
    const ticker = symbol as Ticker;
    const opened: Generator<LeanEvent>[] = [];
    if (quotes !== null)
      opened.push((quotes.resolution === 'tick' ? tickQuotes : barQuotes)(ticker, quotes.path));
    if (trades !== null)
      opened.push((trades.resolution === 'tick' ? tickTrades : barTrades)(ticker, trades.path));
    return opened;
  });
}
