import { Random } from './random.ts';

/** A security of the simulated market. */
export interface Listing {
  readonly symbol: string;
  readonly name: string;
  readonly exchange: string;
  /** Price it starts at, and is drawn back to, in dollars. */
  readonly price: number;
  /** Deviation of its daily return. */
  readonly volatility: number;
  /** Usual spread in cents. */
  readonly spreadCents: number;
}

/** Well-known names with round prices of no particular day. */
const KNOWN: readonly Listing[] = [
  { symbol: 'AAPL', name: 'Apple Inc.', exchange: 'NASDAQ', price: 230, volatility: 0.016, spreadCents: 1 },
  {
    symbol: 'MSFT',
    name: 'Microsoft Corporation',
    exchange: 'NASDAQ',
    price: 430,
    volatility: 0.014,
    spreadCents: 2,
  },
  {
    symbol: 'NVDA',
    name: 'NVIDIA Corporation',
    exchange: 'NASDAQ',
    price: 135,
    volatility: 0.028,
    spreadCents: 1,
  },
  {
    symbol: 'AMZN',
    name: 'Amazon.com, Inc.',
    exchange: 'NASDAQ',
    price: 205,
    volatility: 0.018,
    spreadCents: 1,
  },
  {
    symbol: 'GOOGL',
    name: 'Alphabet Inc. Class A',
    exchange: 'NASDAQ',
    price: 175,
    volatility: 0.017,
    spreadCents: 1,
  },
  {
    symbol: 'META',
    name: 'Meta Platforms, Inc.',
    exchange: 'NASDAQ',
    price: 580,
    volatility: 0.02,
    spreadCents: 4,
  },
  { symbol: 'TSLA', name: 'Tesla, Inc.', exchange: 'NASDAQ', price: 330, volatility: 0.032, spreadCents: 3 },
  {
    symbol: 'SPY',
    name: 'SPDR S&P 500 ETF Trust',
    exchange: 'ARCA',
    price: 590,
    volatility: 0.008,
    spreadCents: 1,
  },
  {
    symbol: 'QQQ',
    name: 'Invesco QQQ Trust',
    exchange: 'NASDAQ',
    price: 505,
    volatility: 0.011,
    spreadCents: 1,
  },
  {
    symbol: 'IBM',
    name: 'International Business Machines',
    exchange: 'NYSE',
    price: 220,
    volatility: 0.012,
    spreadCents: 3,
  },
  {
    symbol: 'KO',
    name: 'The Coca-Cola Company',
    exchange: 'NYSE',
    price: 63,
    volatility: 0.008,
    spreadCents: 1,
  },
  {
    symbol: 'JPM',
    name: 'JPMorgan Chase & Co.',
    exchange: 'NYSE',
    price: 245,
    volatility: 0.013,
    spreadCents: 2,
  },
];

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const EXCHANGES = ['NASDAQ', 'NYSE', 'ARCA', 'AMEX'];

/** The n-th made-up ticker: four letters beginning with Z, which no well-known one here does. */
function madeUpTicker(index: number): string {
  let rest = index;
  let ticker = '';
  for (let place = 0; place < 3; place += 1) {
    ticker = LETTERS[rest % 26]! + ticker;
    rest = Math.floor(rest / 26);
  }
  return `Z${ticker}${rest > 0 ? LETTERS[rest % 26] : ''}`;
}

function madeUp(symbol: string, random: Random): Listing {
  // Prices of listed shares are about log-normal around some thirty dollars.
  const price = Math.max(2, Math.round(Math.exp(3.4 + random.normal() * 0.9) * 100) / 100);
  return {
    symbol,
    name: `${symbol} Corporation`,
    exchange: EXCHANGES[random.below(EXCHANGES.length)]!,
    price,
    volatility: 0.01 + random.next() * 0.03,
    spreadCents: 1 + random.below(Math.max(1, Math.ceil(price / 40))),
  };
}

/**
 * The listings of a simulated market: the well-known ones first, then made-up ones.
 * @param symbols how many, or which, each once; an unknown ticker gets made-up figures
 * @param seed decides the made-up figures
 */
export function universe(symbols: number | readonly string[], seed: number): readonly Listing[] {
  const random = new Random(seed ^ 0x5eed);
  if (typeof symbols !== 'number') {
    return [...new Set(symbols)].map(
      (symbol) => KNOWN.find((listing) => listing.symbol === symbol) ?? madeUp(symbol, random),
    );
  }
  const listings = KNOWN.slice(0, symbols);
  for (let index = 0; listings.length < symbols; index += 1)
    listings.push(madeUp(madeUpTicker(index), random));
  return listings;
}
