import type { CashMicros, QuantityMicros } from '../../../schemas/units.ts';
import {
  formatAveragePrice,
  formatCash,
  formatPrice,
  formatQuantity,
} from '../../../topologies/domain/decimal.ts';
import { subtract } from '../../../topologies/domain/money.ts';
import type { ValuedPosition } from '../../queries/valuation.ts';
import { assetIdOf } from './order.ts';

const RATIO_DECIMALS = 8;

/** A part of a whole as a decimal fraction, rounded; of nothing it is 0. A loss is negative whatever the sign of the whole. */
function ratio(part: number, whole: number): string {
  return formatAveragePrice(part as CashMicros, Math.abs(whole) as QuantityMicros, RATIO_DECIMALS) ?? '0';
}

/** A position in Alpaca's terms. */
export function positionJson(valued: ValuedPosition) {
  const { position, asset, priceTicks, previousCloseTicks: closeTicks, heldMicros } = valued;
  const { symbol, quantityMicros, costMicros } = position;
  return {
    asset_id: asset?.assetId ?? assetIdOf(symbol),
    symbol,
    exchange: asset?.exchange ?? '',
    asset_class: 'us_equity',
    asset_marginable: false,
    qty: formatQuantity(quantityMicros),
    qty_available: formatQuantity(subtract(quantityMicros, heldMicros)),
    side: quantityMicros < 0 ? 'short' : 'long',
    avg_entry_price: formatAveragePrice(costMicros, quantityMicros) ?? '0',
    cost_basis: formatCash(costMicros),
    market_value: formatCash(valued.valueMicros),
    unrealized_pl: formatCash(valued.profitMicros),
    unrealized_plpc: ratio(valued.profitMicros, costMicros),
    unrealized_intraday_pl: formatCash(valued.dayProfitMicros),
    unrealized_intraday_plpc: ratio(valued.dayProfitMicros, valued.dayCostMicros),
    current_price: priceTicks === null ? null : formatPrice(priceTicks),
    lastday_price: closeTicks === null ? null : formatPrice(closeTicks),
    change_today:
      priceTicks === null || closeTicks === null ? null : ratio(priceTicks - closeTicks, closeTicks),
  };
}
