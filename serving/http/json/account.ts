import type { AccountState } from '../../../schemas/generated/types.ts';
import type { CashMicros } from '../../../schemas/units.ts';
import { formatCash } from '../../../topologies/domain/decimal.ts';
import { add, subtract } from '../../../topologies/domain/money.ts';
import type { AccountValue } from '../../queries/valuation.ts';
import { timeText } from './order.ts';

const NOTHING = '0';

/** The number of an account as people read it: made of its id. */
function accountNumber({ accountId }: AccountState): string {
  return `OT${accountId.replaceAll('-', '').slice(0, 10).toUpperCase()}`;
}

/**
 * An account in Alpaca's terms. It is a cash account: what it may spend is its cash less what open orders hold, and it borrows nothing.
 * `last_equity` is the equity less the profit since the last close, so that the difference of the two is the day's profit, whatever was
 * deposited meanwhile.
 * @param balanceDate date of the last close, YYYY-MM-DD
 */
export function accountJson(account: AccountState, value: AccountValue, balanceDate: string) {
  const { cashMicros, heldCashMicros, feesMicros, openedAtMs } = account;
  const equity = add(cashMicros, add(value.longMicros, value.shortMicros));
  const available = Math.max(0, subtract(cashMicros, heldCashMicros)) as CashMicros;
  const buyingPower = formatCash(available);
  return {
    id: account.accountId,
    account_number: accountNumber(account),
    status: 'ACTIVE',
    crypto_status: 'INACTIVE',
    currency: 'USD',
    cash: formatCash(cashMicros),
    equity: formatCash(equity),
    last_equity: formatCash(subtract(equity, value.dayProfitMicros)),
    portfolio_value: formatCash(equity),
    buying_power: buyingPower,
    regt_buying_power: buyingPower,
    non_marginable_buying_power: buyingPower,
    daytrading_buying_power: NOTHING,
    options_buying_power: NOTHING,
    long_market_value: formatCash(value.longMicros),
    short_market_value: formatCash(value.shortMicros),
    position_market_value: formatCash(add(value.longMicros, value.shortMicros)),
    initial_margin: NOTHING,
    maintenance_margin: NOTHING,
    last_maintenance_margin: NOTHING,
    sma: NOTHING,
    multiplier: '1',
    accrued_fees: formatCash(feesMicros),
    pending_transfer_in: NOTHING,
    pending_transfer_out: NOTHING,
    pattern_day_trader: false,
    daytrade_count: 0,
    trading_blocked: false,
    transfers_blocked: false,
    account_blocked: false,
    trade_suspended_by_user: false,
    shorting_enabled: false,
    options_approved_level: 0,
    options_trading_level: 0,
    created_at: timeText(openedAtMs),
    balance_asof: balanceDate,
  };
}
