import { cashOf, readMicros, readPrice } from '../market/decimal.ts';

/** A position as the API answers it. */
export interface ApiPosition {
  readonly symbol: string;
  readonly qty: string;
  readonly qty_available: string;
  readonly avg_entry_price: string;
  readonly cost_basis: string;
  readonly current_price: string | null;
}

/** A position valued at the newest price. */
export interface ValuedPosition {
  readonly symbol: string;
  /** Signed: below zero where short. */
  readonly quantityMicros: number;
  readonly availableMicros: number;
  readonly averageEntryText: string;
  readonly markTicks: number | null;
  readonly marketValueMicros: number | null;
  readonly unrealizedMicros: number | null;
  readonly unrealizedRatio: number | null;
}

function signedCash(priceTicks: number, quantityMicros: number): number {
  const cash = cashOf(priceTicks, Math.abs(quantityMicros));
  return quantityMicros < 0 ? -cash : cash;
}

/** Values a position at a price; null falls back to the price the server had. */
export function valuePosition(position: ApiPosition, markTicks: number | null): ValuedPosition {
  const quantityMicros = readMicros(position.qty) ?? 0;
  const costMicros = readMicros(position.cost_basis);
  const mark = markTicks ?? readPrice(position.current_price);
  const marketValueMicros = mark === null ? null : signedCash(mark, quantityMicros);
  const unrealizedMicros =
    marketValueMicros === null || costMicros === null ? null : marketValueMicros - costMicros;
  return {
    symbol: position.symbol,
    quantityMicros,
    availableMicros: readMicros(position.qty_available) ?? 0,
    averageEntryText: position.avg_entry_price,
    markTicks: mark,
    marketValueMicros,
    unrealizedMicros,
    unrealizedRatio:
      unrealizedMicros === null || !costMicros ? null : unrealizedMicros / Math.abs(costMicros),
  };
}

/** The account's positions by symbol. */
export class PositionBook {
  #positions = new Map<string, ApiPosition>();

  replace(positions: readonly ApiPosition[]): void {
    this.#positions = new Map(positions.map((position) => [position.symbol, position]));
  }

  get(symbol: string): ApiPosition | null {
    return this.#positions.get(symbol) ?? null;
  }

  get symbols(): readonly string[] {
    return [...this.#positions.keys()];
  }

  /** In order of symbol, each at the price that `markOf` knows. */
  valued(markOf: (symbol: string) => number | null): ValuedPosition[] {
    return [...this.#positions.values()]
      .sort((a, b) => (a.symbol < b.symbol ? -1 : 1))
      .map((position) => valuePosition(position, markOf(position.symbol)));
  }
}
