import { INTERVALS, type Interval } from '../market/candleSeries.ts';

/** What is looked at: the address names it, as in `#AAPL/M5`, so that a reload or a link shows the same. */
export interface Place {
  readonly symbol: string | null;
  readonly interval: Interval;
}

export function readPlace(): Place {
  const [symbol, interval] = location.hash.slice(1).split('/');
  return {
    symbol: symbol !== undefined && /^[A-Z][A-Z0-9.]{0,9}$/.test(symbol) ? symbol : null,
    interval: INTERVALS.find((each) => each === interval) ?? 'M1',
  };
}

export function writePlace({ symbol, interval }: Place): void {
  if (symbol !== null) history.replaceState(null, '', `#${symbol}/${interval}`);
}
