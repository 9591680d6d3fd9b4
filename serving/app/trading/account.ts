import { readMicros } from '../market/decimal.ts';
import type { ValuedPosition } from './positionBook.ts';

/** The account as the API answers it; fields that the page does not show are left out. */
export interface ApiAccount {
  readonly cash: string;
  readonly buying_power: string;
  readonly equity: string;
  readonly last_equity: string;
}

export interface AccountFigures {
  readonly cashMicros: number | null;
  readonly buyingPowerMicros: number | null;
  readonly marketValueMicros: number;
  readonly equityMicros: number | null;
  /** Equity against that of the last close. */
  readonly dayMicros: number | null;
  readonly unrealizedMicros: number;
}

/** The account's figures with its positions at the newest prices. */
export function accountFigures(account: ApiAccount, positions: readonly ValuedPosition[]): AccountFigures {
  const sum = (of: (position: ValuedPosition) => number | null): number =>
    positions.reduce((total, position) => total + (of(position) ?? 0), 0);
  const cashMicros = readMicros(account.cash);
  const marketValueMicros = sum((position) => position.marketValueMicros);
  const equityMicros = cashMicros === null ? null : cashMicros + marketValueMicros;
  const lastEquityMicros = readMicros(account.last_equity);
  return {
    cashMicros,
    buyingPowerMicros: readMicros(account.buying_power),
    marketValueMicros,
    equityMicros,
    dayMicros: equityMicros === null || lastEquityMicros === null ? null : equityMicros - lastEquityMicros,
    unrealizedMicros: sum((position) => position.unrealizedMicros),
  };
}
