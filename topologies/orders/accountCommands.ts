import type { AccountState, AccountUpdate, OrderCommand } from '../../schemas/generated/types.ts';
import type { CashMicros } from '../../schemas/units.ts';
import { formatCash } from '../domain/decimal.ts';
import { ACCOUNT_CASH_MAX_MICROS } from '../domain/money.ts';
import type { Ledger } from './ledger.ts';
import { type Rejection, reject } from './rejections.ts';

const ZERO = 0 as CashMicros;

function tell(
  ledger: Ledger,
  kind: AccountUpdate['kind'],
  command: OrderCommand,
  amountMicros: CashMicros,
  cashMicros: CashMicros,
  rejection: Rejection | null,
): void {
  const { commandId, accountId } = command;
  const rejectCode = rejection?.code ?? null;
  const rejectReason = rejection?.reason ?? null;
  ledger.sendAccountUpdate({
    kind,
    commandId,
    accountId,
    amountMicros,
    cashMicros,
    rejectCode,
    rejectReason,
  });
}

function checkAmount(amountMicros: number, cashMicros: number): Rejection | null {
  if (amountMicros <= 0) return reject('AMOUNT_NOT_POSITIVE');
  return cashMicros + amountMicros > ACCOUNT_CASH_MAX_MICROS
    ? reject('CASH_TOO_LARGE', { max: formatCash(ACCOUNT_CASH_MAX_MICROS) })
    : null;
}

/** OPEN_ACCOUNT, with an initial deposit. An account that is open stays as it is, and the answer says so again with an amount of 0. */
export function openAccount(ledger: Ledger, command: OrderCommand): void {
  const existing = ledger.stores.accounts.get(command.accountId);
  if (existing) {
    tell(ledger, 'OPENED', command, ZERO, existing.cashMicros, null);
    return;
  }
  const amountMicros = command.amountMicros ?? ZERO;
  const wrong = amountMicros === 0 ? null : checkAmount(amountMicros, 0);
  if (wrong) {
    tell(ledger, 'REJECTED', command, amountMicros, ZERO, wrong);
    return;
  }
  const account: AccountState = {
    accountId: command.accountId,
    accountType: command.accountType ?? 'CUSTOMER',
    cashMicros: amountMicros,
    heldCashMicros: ZERO,
    feesMicros: ZERO,
    depositedMicros: amountMicros,
    withdrawnMicros: ZERO,
    openedAtMs: ledger.timestampMs,
    updatesSequence: 0,
    openOrders: 0,
    newestOrderId: null,
  };
  ledger.putAccount(account);
  tell(ledger, 'OPENED', command, amountMicros, account.cashMicros, null);
}

/** DEPOSIT. */
export function deposit(ledger: Ledger, command: OrderCommand): void {
  const account = ledger.stores.accounts.get(command.accountId);
  const amountMicros = command.amountMicros ?? ZERO;
  const wrong = account ? checkAmount(amountMicros, account.cashMicros) : reject('ACCOUNT_UNKNOWN');
  if (wrong || account === null) {
    tell(ledger, 'REJECTED', command, amountMicros, account?.cashMicros ?? ZERO, wrong);
    return;
  }
  const cashMicros = (account.cashMicros + amountMicros) as CashMicros;
  const depositedMicros = (account.depositedMicros + amountMicros) as CashMicros;
  ledger.putAccount({ ...account, cashMicros, depositedMicros });
  tell(ledger, 'DEPOSITED', command, amountMicros, cashMicros, null);
}

/** WITHDRAW: only what no open order needs. */
export function withdraw(ledger: Ledger, command: OrderCommand): void {
  const account = ledger.stores.accounts.get(command.accountId);
  const amountMicros = command.amountMicros ?? ZERO;
  const wrong = account ? checkWithdrawal(account, amountMicros) : reject('ACCOUNT_UNKNOWN');
  if (wrong || account === null) {
    tell(ledger, 'REJECTED', command, amountMicros, account?.cashMicros ?? ZERO, wrong);
    return;
  }
  const cashMicros = (account.cashMicros - amountMicros) as CashMicros;
  const withdrawnMicros = (account.withdrawnMicros + amountMicros) as CashMicros;
  ledger.putAccount({ ...account, cashMicros, withdrawnMicros });
  tell(ledger, 'WITHDRAWN', command, amountMicros, cashMicros, null);
}

function checkWithdrawal(account: AccountState, amountMicros: CashMicros): Rejection | null {
  if (amountMicros <= 0) return reject('AMOUNT_NOT_POSITIVE');
  const available = (account.cashMicros - account.heldCashMicros) as CashMicros;
  if (amountMicros <= available) return null;
  return reject('INSUFFICIENT_CASH', {
    requested: formatCash(amountMicros),
    available: formatCash(Math.max(0, available) as CashMicros),
  });
}

/** A command whose key is not its account: its account lives elsewhere, and nothing of it is touched here. */
export function refuseMiskeyed(ledger: Ledger, command: OrderCommand): void {
  const rejection = reject('COMMAND_MISKEYED');
  if (command.orderId === null) {
    tell(ledger, 'REJECTED', command, command.amountMicros ?? ZERO, ZERO, rejection);
    return;
  }
  ledger.updateWithoutAccount(command.accountId, {
    event: 'REJECTED',
    commandId: command.commandId,
    order: null,
    orderId: command.orderId,
    rejectCode: rejection.code,
    rejectReason: rejection.reason,
  });
}
