import type { MarketQuote, MarketTrade } from '../../../schemas/generated/types.ts';
import type { Ticker } from '../../../schemas/ids.ts';
import { MICROS_PER_SHARE, type PriceTicks, type QuantityMicros } from '../../../schemas/units.ts';
import { ConnectorError } from '../../errors.ts';
import { readLines, type SymbolDay } from './folder.ts';

/** A quote or trade with its time in milliseconds since midnight in New York. */
export type LeanEvent =
  | { readonly atMs: number; readonly quote: MarketQuote; readonly trade: null }
  | { readonly atMs: number; readonly quote: null; readonly trade: MarketTrade };

const DAY_MS = 86_400_000;
/** A bar becomes four events, a quarter of its length apart: open, high and low, close. */
const BAR_PARTS = 4;
const MINUTE_MS = 60_000;
/** Bars name no venue. */
const BAR_VENUE = 'Q';

type Fields = (index: number) => number;

/** Prices in Lean's files are in 1/10,000 dollar already; sizes are whole shares. */
const micros = (shares: number): QuantityMicros => (shares * MICROS_PER_SHARE) as QuantityMicros;

function parseRows(
  path: string,
  leastFields: number,
  row: (at: Fields, text: readonly string[]) => void,
): void {
  for (const [index, line] of readLines(path).entries()) {
    const text = line.trimEnd().split(',');
    const place = `${path}, line ${index + 1}`;
    if (text.length < leastFields)
      throw new ConnectorError(
        'SOURCE_FILE',
        `${place}: ${text.length} fields where ${leastFields} are expected`,
      );
    const at = (field: number): number => {
      const value = Number(text[field]);
      if (text[field] === '' || !Number.isFinite(value) || value < 0) {
        throw new ConnectorError(
          'SOURCE_FILE',
          `${place}: field ${field + 1} is ${JSON.stringify(text[field])}, not a number from 0 up`,
        );
      }
      return value;
    };
    if (at(0) >= DAY_MS)
      throw new ConnectorError('SOURCE_FILE', `${place}: ${text[0]} ms lie beyond the day`);
    row(at, text);
  }
}

/** Ticks: time, price, size, venue, sale condition, suspicious. Lean's own bars count every row, the suspicious ones apart. */
function tickTrades(symbol: Ticker, path: string): LeanEvent[] {
  const events: LeanEvent[] = [];
  parseRows(path, 6, (at, text) => {
    if (at(1) === 0 || at(2) === 0) return;
    const trade: MarketTrade = {
      symbol,
      priceTicks: Math.round(at(1)) as PriceTicks,
      sizeMicros: micros(at(2)),
      exchange: text[3]!,
      tradeNumber: events.length + 1,
      conditions: text[4]!,
      eligible: text[5] === '0',
    };
    events.push({ atMs: Math.floor(at(0)), quote: null, trade });
  });
  return events;
}

/** Quote ticks: time, bid, bid size, ask, ask size, venue, condition, suspicious. A price of 0 means that side is not in the row. */
function tickQuotes(symbol: Ticker, path: string): LeanEvent[] {
  const events: LeanEvent[] = [];
  parseRows(path, 8, (at, text) => {
    if (text[7] !== '0') return;
    const [bid, ask] = [at(1) > 0, at(3) > 0];
    if (!bid && !ask) return;
    const quote: MarketQuote = {
      symbol,
      exchange: text[5]!,
      bidPriceTicks: bid ? (Math.round(at(1)) as PriceTicks) : null,
      bidSizeMicros: bid ? micros(at(2)) : null,
      askPriceTicks: ask ? (Math.round(at(3)) as PriceTicks) : null,
      askSizeMicros: ask ? micros(at(4)) : null,
    };
    events.push({ atMs: Math.floor(at(0)), quote, trade: null });
  });
  return events;
}

/** Trade bars: time, open, high, low, close, volume. The volume is spread over the four prices, the rest on the close. */
function barTrades(symbol: Ticker, path: string): LeanEvent[] {
  const events: LeanEvent[] = [];
  let number = 0;
  parseRows(path, 6, (at) => {
    const volume = at(5);
    const part = Math.floor(volume / BAR_PARTS);
    for (let index = 0; index < BAR_PARTS; index += 1) {
      const shares = index === BAR_PARTS - 1 ? volume - part * (BAR_PARTS - 1) : part;
      if (shares === 0) continue;
      number += 1;
      const trade: MarketTrade = {
        symbol,
        priceTicks: Math.round(at(1 + index)) as PriceTicks,
        sizeMicros: micros(shares),
        exchange: BAR_VENUE,
        tradeNumber: number,
        conditions: '',
        eligible: true,
      };
      events.push({ atMs: at(0) + (index * MINUTE_MS) / BAR_PARTS, quote: null, trade });
    }
  });
  return events;
}

/** Quote bars: time, bid open, high, low, close, size, ask open, high, low, close, size. The open stands first, the close last. */
function barQuotes(symbol: Ticker, path: string): LeanEvent[] {
  const events: LeanEvent[] = [];
  parseRows(path, 11, (at) => {
    for (const [offset, field] of [
      [0, 1],
      [MINUTE_MS - 1, 4],
    ] as const) {
      const quote: MarketQuote = {
        symbol,
        exchange: BAR_VENUE,
        bidPriceTicks: Math.round(at(field)) as PriceTicks,
        bidSizeMicros: micros(at(5)),
        askPriceTicks: Math.round(at(field + 5)) as PriceTicks,
        askSizeMicros: micros(at(10)),
      };
      if (quote.bidPriceTicks !== 0 && quote.askPriceTicks !== 0)
        events.push({ atMs: at(0) + offset, quote, trade: null });
    }
  });
  return events;
}

/**
 * Everything of a day in order of time. At the same millisecond quotes stand before trades, symbols in their order and rows in the
 * order of their file: so the place of an event in the day never changes.
 * @throws ConnectorError SOURCE_FILE, naming file and line
 */
export function readDay(files: readonly SymbolDay[]): readonly LeanEvent[] {
  const all: LeanEvent[] = [];
  for (const { symbol, resolution, quotes, trades } of files) {
    const ticker = symbol as Ticker;
    if (quotes !== null)
      all.push(...chunk(resolution === 'tick' ? tickQuotes(ticker, quotes) : barQuotes(ticker, quotes)));
    if (trades !== null)
      all.push(...chunk(resolution === 'tick' ? tickTrades(ticker, trades) : barTrades(ticker, trades)));
  }
  // A stable sort keeps the order just described among events of one time.
  return all.sort((a, b) => a.atMs - b.atMs);
}

/** A generator, as the arguments of one call are bounded. */
function* chunk(events: readonly LeanEvent[]): Generator<LeanEvent> {
  yield* events;
}
