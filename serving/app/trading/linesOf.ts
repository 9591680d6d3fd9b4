import { readPrice } from '../market/decimal.ts';
import type { OrderBlotter } from './orderBlotter.ts';
import type { PositionBook } from './positionBook.ts';

/** A price of the account's own that chart and ladder mark: an open order, or the average price of the position. */
export interface PriceLine {
  readonly priceTicks: number;
  readonly label: string;
  readonly kind: 'order' | 'position';
}

const TICKS_PER_DOLLAR = 10_000;

/** What is marked of one symbol. */
export function linesOf(
  { blotter, positions }: { readonly blotter: OrderBlotter; readonly positions: PositionBook },
  symbol: string | null,
): PriceLine[] {
  const lines: PriceLine[] = [];
  for (const order of blotter.open()) {
    const priceTicks = readPrice(order.limit_price);
    if (order.symbol === symbol && priceTicks !== null)
      lines.push({ priceTicks, label: `${order.side} ${order.qty ?? ''}`, kind: 'order' });
  }
  const position = symbol === null ? null : positions.get(symbol);
  // An average may have more decimals than a price; where a line is drawn they do not count.
  const entryTicks = Math.round(Number(position?.avg_entry_price ?? Number.NaN) * TICKS_PER_DOLLAR);
  if (position !== null && !Number.isNaN(entryTicks))
    lines.push({ priceTicks: entryTicks, label: `position ${position.qty}`, kind: 'position' });
  return lines;
}
