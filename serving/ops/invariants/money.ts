import type { AccountUpdate, TradeEvent } from '../../../schemas/generated/types.ts';
import type { AppendedRecord } from '../../../streams/log/embedded/index.ts';
import { messageOf } from '../../../streams/log/errors.ts';
import { tradeCash } from '../../../topologies/domain/money.ts';
import { ACCOUNT_UPDATES, TRADE_EVENTS } from '../../../topologies/orders/topics.ts';
import { type Findings, placeOf } from './report.ts';
import type { Snapshot, VerificationSubject } from './snapshot.ts';
import { decodeValue, type Pacer, Range, walk } from './walk.ts';

/** What the log says of an account's cash, millionths of a dollar. */
interface CashAccount {
  cash: number;
  fees: number;
  deposited: number;
  withdrawn: number;
  /** False where trades of before are gone, so that its cash cannot be told from the log. */
  known: boolean;
}

/** The side of a trade that has come, waiting for the other. */
interface FirstSide {
  readonly trade: TradeEvent;
  readonly place: string;
  readonly record: AppendedRecord;
}

/** Cash that was told at a place: deposits less withdrawals until then, and what trades had given by then. */
interface ToldCash {
  readonly place: string;
  readonly toldMicros: number;
  readonly ofTradesMicros: number;
}

/**
 * Recomputes cash and shares from account updates and trades, in the order in which they were settled. Where that order is not known
 * (`ordered` false), all account updates come first, then all trades: each cash told must be what some number of the account's trades gives,
 * not less of them than the one before.
 */
export class MoneyCheck {
  readonly #findings: Findings;
  readonly #ordered: boolean;
  /** By account, in their order: those that trades have not led to yet. Without an order only. */
  readonly told = new Map<string, ToldCash[]>();
  readonly accounts = new Map<string, CashAccount>();
  /** Shares by `<account>/<symbol>`, where the log tells them. */
  readonly holdings = new Map<string, number>();
  readonly unpaired = new Map<string, FirstSide>();
  /** Trades of both sides, and the highest number, by symbol. */
  readonly trades = new Map<string, { count: number; highest: number }>();

  constructor(findings: Findings, ordered: boolean) {
    this.#findings = findings;
    this.#ordered = ordered;
  }

  accountUpdate(update: AccountUpdate, record: AppendedRecord, tradesComplete: boolean): void {
    this.#findings.checked('account updates');
    if (update.kind === 'REJECTED') return;
    const { accountId, amountMicros } = update;
    let account = this.accounts.get(accountId);
    if (account === undefined) {
      account = { cash: 0, fees: 0, deposited: 0, withdrawn: 0, known: tradesComplete };
      this.accounts.set(accountId, account);
      if (update.kind !== 'OPENED') {
        this.#findings.violation(placeOf(record), `${update.kind} of an account that was never opened`, {
          account: accountId,
        });
      }
    }
    if (update.kind === 'WITHDRAWN') {
      account.cash -= amountMicros;
      account.withdrawn += amountMicros;
    } else {
      account.cash += amountMicros;
      account.deposited += amountMicros;
    }
    if (!tradesComplete) account.known = false;
    if (!this.#ordered) {
      const told = this.told.get(accountId) ?? [];
      this.told.set(accountId, told);
      const ofTradesMicros = update.cashMicros - account.cash;
      told.push({ place: placeOf(record), toldMicros: update.cashMicros, ofTradesMicros });
    } else if (account.known && account.cash !== update.cashMicros) {
      this.#findings.violation(placeOf(record), 'the cash told is not what deposits and trades give', {
        account: accountId,
        toldMicros: update.cashMicros,
        recomputedMicros: account.cash,
      });
      account.cash = update.cashMicros;
    }
  }

  trade(trade: TradeEvent, record: AppendedRecord, complete: boolean): void {
    this.#findings.checked('settled executions');
    const { accountId, symbol, side, priceTicks, quantityMicros, cashMicros, feeMicros } = trade;
    const expected = tradeCash(priceTicks, quantityMicros);
    if (cashMicros !== expected) {
      this.#findings.violation(placeOf(record), 'the cash of an execution is not price times quantity', {
        execution: trade.executionId,
        cashMicros,
        expectedMicros: expected,
      });
    }
    const account = this.accounts.get(accountId);
    if (account !== undefined) {
      account.cash += (side === 'BUY' ? -cashMicros : cashMicros) - feeMicros;
      account.fees += feeMicros;
      this.match(accountId, account);
      if (!complete) account.known = false;
    }
    const key = `${accountId}/${symbol}`;
    const change = side === 'BUY' ? quantityMicros : -quantityMicros;
    const before = this.holdings.get(key) ?? (complete ? 0 : null);
    if (before !== null && before + change !== trade.positionQuantityMicros) {
      this.#findings.violation(
        placeOf(record),
        'the position told is not the one before with this execution',
        {
          execution: trade.executionId,
          account: accountId,
          toldMicros: trade.positionQuantityMicros,
          recomputedMicros: before + change,
        },
      );
    }
    this.holdings.set(key, trade.positionQuantityMicros);
    this.#pair(trade, record);
  }

  /** Leaves out of what was told that which trades have led to by now. */
  match(accountId: string, { cash, deposited, withdrawn }: CashAccount): void {
    const told = this.told.get(accountId);
    if (told === undefined) return;
    const ofTrades = cash - deposited + withdrawn;
    let matched = 0;
    while (told[matched]?.ofTradesMicros === ofTrades) matched += 1;
    if (matched > 0) told.splice(0, matched);
    if (told.length === 0) this.told.delete(accountId);
  }

  #pair(trade: TradeEvent, record: AppendedRecord): void {
    const first = this.unpaired.get(trade.executionId);
    const place = placeOf(record);
    if (first === undefined) {
      this.unpaired.set(trade.executionId, { trade, place, record });
      return;
    }
    this.unpaired.delete(trade.executionId);
    const other = first.trade;
    if (
      other.side === trade.side ||
      other.symbol !== trade.symbol ||
      other.priceTicks !== trade.priceTicks ||
      other.quantityMicros !== trade.quantityMicros ||
      other.cashMicros !== trade.cashMicros
    ) {
      this.#findings.violation(
        place,
        `the two sides of a trade do not sum to zero (other side: ${first.place})`,
        {
          execution: trade.executionId,
          sides: `${other.side} ${trade.side}`,
          quantityMicros: `${other.quantityMicros} ${trade.quantityMicros}`,
          cashMicros: `${other.cashMicros} ${trade.cashMicros}`,
        },
      );
    }
    const number = Number(trade.executionId.slice(trade.executionId.lastIndexOf(':') + 1));
    const counted = this.trades.get(trade.symbol) ?? { count: 0, highest: 0 };
    counted.count += 1;
    counted.highest = Math.max(counted.highest, number);
    this.trades.set(trade.symbol, counted);
    this.#findings.checked('trades');
  }
}

/** Invariant 1: cash changes only by deposits and withdrawals, shares change hands and no more, holds are what open orders hold. */
export async function verifyMoney(
  subject: VerificationSubject,
  snapshot: Snapshot,
  findings: Findings,
  pacer: Pacer,
): Promise<void> {
  const { engine, serdes } = subject;
  const rangesOf = (topic: string): Range[] =>
    (snapshot.ends.get(topic) ?? []).map((end, partition) => new Range(engine, topic, partition, end));
  const trades = rangesOf(TRADE_EVENTS.name);
  const ordered = engine.kind === 'embedded';
  const check = new MoneyCheck(findings, ordered);
  const undecodable = (record: AppendedRecord, cause: unknown): void =>
    findings.violation(placeOf(record), `the record cannot be decoded: ${messageOf(cause)}`);
  const visit = (record: AppendedRecord, range: Range): void => {
    if (range.topic === TRADE_EVENTS.name) {
      const trade = decodeValue(serdes, TRADE_EVENTS, record, undecodable);
      if (trade !== null) check.trade(trade, record, range.complete);
      return;
    }
    const update = decodeValue(serdes, ACCOUNT_UPDATES, record, undecodable);
    if (update !== null) check.accountUpdate(update, record, trades[record.partition]?.complete ?? true);
  };
  const updates = rangesOf(ACCOUNT_UPDATES.name);
  if (ordered) await walk(engine, [...updates, ...trades], pacer, visit);
  else {
    await walk(engine, updates, pacer, visit);
    for (const [accountId, account] of check.accounts) check.match(accountId, account);
    await walk(engine, trades, pacer, visit);
    compareTold(check, snapshot, findings);
  }
  comparePairs(check, trades, subject, snapshot, findings);
  if (!snapshot.settled) {
    findings.notChecked(
      'cash and shares in the stores: the deployment was busy, so that they are of no one moment',
    );
    return;
  }
  compareAccounts(check, snapshot, findings);
  compareHoldings(check, trades, snapshot, findings);
  compareHolds(snapshot, findings);
}

/** Cash that was told, where no order of trades leads to it. */
function compareTold(check: MoneyCheck, snapshot: Snapshot, findings: Findings): void {
  for (const [account, [first]] of check.told) {
    if (first === undefined || check.accounts.get(account)?.known !== true) continue;
    if (snapshot.settled)
      findings.violation(first.place, 'the cash told is not what deposits and trades give', {
        account,
        toldMicros: first.toldMicros,
      });
    else
      findings.notChecked(`the last cash told of account ${account}: its trades may be on their way still`);
  }
}

function comparePairs(
  check: MoneyCheck,
  trades: readonly Range[],
  { engine }: VerificationSubject,
  snapshot: Snapshot,
  findings: Findings,
): void {
  const trimmed = trades.filter(({ complete }) => !complete);
  // Before this, the other side may have been in a part that retention took.
  const surelyPaired = Math.max(-1, ...trimmed.map(({ firstSequence }) => firstSequence));
  let alone = 0;
  let onTheirWay = 0;
  for (const { trade, place, record } of check.unpaired.values()) {
    if (trimmed.length > 0 && record.sequence <= surelyPaired) {
      alone += 1;
      continue;
    }
    if (engine.cut?.mayBeOnItsWay(record) === true) {
      onTheirWay += 1;
      continue;
    }
    findings.violation(place, 'one side of a trade was settled, or one twice; the other is missing', {
      execution: trade.executionId,
      side: trade.side,
      quantityMicros: trade.quantityMicros,
    });
  }
  if (alone > 0)
    findings.notChecked(`${alone} trades whose other side retention has removed from ${TRADE_EVENTS.name}`);
  if (onTheirWay > 0) findings.notChecked(`${onTheirWay} trades whose other side may be on its way still`);
  if (snapshot.lag.length > 0 || !snapshot.settled) return;
  for (const { counters } of snapshot.books) {
    for (const { symbol, tradeSequence } of counters.values()) {
      const { count, highest } = check.trades.get(symbol) ?? { count: 0, highest: 0 };
      const wrong = trimmed.length === 0 ? count !== tradeSequence : highest > tradeSequence;
      if (!wrong) continue;
      findings.violation(`matching/books ${symbol}`, 'the book counts other trades than were settled', {
        booked: tradeSequence,
        settled: count,
        highest,
      });
    }
  }
}

function compareAccounts(check: MoneyCheck, snapshot: Snapshot, findings: Findings): void {
  let cash = 0n;
  let flows = 0n;
  let unknown = 0;
  for (const [accountId, stored] of snapshot.accounts) {
    findings.checked('accounts');
    cash += BigInt(stored.cashMicros) + BigInt(stored.feesMicros);
    const place = `orders/accounts ${accountId}`;
    const account = check.accounts.get(accountId);
    if (account === undefined) {
      findings.violation(place, `the account is not on ${ACCOUNT_UPDATES.name}`);
      continue;
    }
    flows += BigInt(account.deposited) - BigInt(account.withdrawn);
    const pairs: readonly (readonly [string, number, number])[] = [
      ['deposits', stored.depositedMicros, account.deposited],
      ['withdrawals', stored.withdrawnMicros, account.withdrawn],
      ...(account.known
        ? ([
            ['cash', stored.cashMicros, account.cash],
            ['fees', stored.feesMicros, account.fees],
          ] as const)
        : []),
    ];
    if (!account.known) unknown += 1;
    for (const [what, storedMicros, recomputedMicros] of pairs) {
      if (storedMicros === recomputedMicros) continue;
      findings.violation(place, `${what} in the store differ from what the log gives`, {
        storedMicros,
        recomputedMicros,
      });
    }
  }
  for (const accountId of check.accounts.keys()) {
    if (!snapshot.accounts.has(accountId))
      findings.violation(`orders/accounts ${accountId}`, 'the account was opened, but is not in the store');
  }
  if (cash !== flows) {
    findings.violation('orders/accounts', 'cash and fees of all accounts are not deposits less withdrawals', {
      cashAndFeesMicros: cash.toString(),
      depositsLessWithdrawalsMicros: flows.toString(),
    });
  }
  if (unknown > 0) {
    findings.notChecked(
      `the cash of ${unknown} accounts one by one: retention has removed early records of ${TRADE_EVENTS.name} (their sum was checked)`,
    );
  }
}

function compareHoldings(
  check: MoneyCheck,
  trades: readonly Range[],
  snapshot: Snapshot,
  findings: Findings,
): void {
  const sums = new Map<string, bigint>();
  const complete = trades.every((range) => range.complete);
  for (const [key, { symbol, quantityMicros }] of snapshot.holdings) {
    sums.set(symbol, (sums.get(symbol) ?? 0n) + BigInt(quantityMicros));
    const told = check.holdings.get(key) ?? (complete ? 0 : quantityMicros);
    if (told !== quantityMicros) {
      findings.violation(`orders/positions ${key}`, 'the position differs from what the trades give', {
        storedMicros: quantityMicros,
        recomputedMicros: told,
      });
    }
  }
  for (const [key, quantity] of check.holdings) {
    if (quantity !== 0 && !snapshot.holdings.has(key)) {
      findings.violation(`orders/positions ${key}`, 'the trades give a position that is not in the store', {
        recomputedMicros: quantity,
      });
    }
  }
  for (const [symbol, sum] of sums) {
    findings.checked('symbols');
    if (sum !== 0n)
      findings.violation(`orders/positions ${symbol}`, 'the shares of all accounts do not sum to zero', {
        sumMicros: sum.toString(),
      });
  }
}

/** What accounts and positions have put aside is what their open orders need. */
function compareHolds(snapshot: Snapshot, findings: Findings): void {
  if (snapshot.lag.length > 0) return;
  const cash = new Map<string, number>();
  const shares = new Map<string, number>();
  for (const order of snapshot.openOrders.values()) {
    if (order === null) continue;
    const { accountId, symbol, heldCashMicros, heldQuantityMicros } = order;
    cash.set(accountId, (cash.get(accountId) ?? 0) + heldCashMicros);
    const key = `${accountId}/${symbol}`;
    shares.set(key, (shares.get(key) ?? 0) + heldQuantityMicros);
  }
  const compare = (place: string, what: string, heldMicros: number, ordersMicros: number): void => {
    if (heldMicros !== ordersMicros)
      findings.violation(place, `${what} put aside is not what the open orders hold`, {
        heldMicros,
        ordersMicros,
      });
  };
  for (const [accountId, { heldCashMicros }] of snapshot.accounts)
    compare(`orders/accounts ${accountId}`, 'cash', heldCashMicros, cash.get(accountId) ?? 0);
  for (const [key, { heldQuantityMicros }] of snapshot.holdings)
    compare(`orders/positions ${key}`, 'shares', heldQuantityMicros, shares.get(key) ?? 0);
  for (const [key, ordersMicros] of shares)
    if (!snapshot.holdings.has(key)) compare(`orders/positions ${key}`, 'shares', 0, ordersMicros);
}
