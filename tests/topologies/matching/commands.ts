import type { BookCommand, ExecutionReport } from '../../../schemas/generated/types.ts';
import type { AccountId, CommandId, OrderId, Ticker } from '../../../schemas/ids.ts';
import type { PriceTicks, QuantityMicros } from '../../../schemas/units.ts';
import type { Book, BookOrder } from '../../../topologies/matching/book.ts';
import { type Counters, execute, type MatchListener } from '../../../topologies/matching/match.ts';

export const SYMBOL = 'IBM' as Ticker;

/** A book command in whole shares and dollars. */
export interface CommandFields {
  readonly id: string;
  readonly account?: string;
  readonly side?: BookCommand['side'];
  readonly shares?: number;
  readonly dollars?: number | null;
  readonly type?: BookCommand['orderType'];
  readonly timeInForce?: BookCommand['timeInForce'];
  readonly collarDollars?: number;
  readonly kind?: BookCommand['kind'];
  readonly replacement?: string;
  readonly reason?: BookCommand['cancelReason'];
}

let commandNumber = 0;

/** A book command; a limit buy of 100 shares at 10 dollars by account A unless told otherwise. */
export function command(fields: CommandFields): BookCommand {
  commandNumber += 1;
  const market = fields.type === 'MARKET';
  return {
    kind: fields.kind ?? 'NEW',
    commandId: `command-${commandNumber}` as CommandId,
    orderId: fields.id as OrderId,
    accountId: (fields.account ?? 'A') as AccountId,
    symbol: SYMBOL,
    side: fields.side ?? 'BUY',
    orderType: fields.type ?? 'LIMIT',
    timeInForce: fields.timeInForce ?? 'DAY',
    quantityMicros: Math.round((fields.shares ?? 100) * 1_000_000) as QuantityMicros,
    limitPriceTicks: market ? null : (Math.round((fields.dollars ?? 10) * 10_000) as PriceTicks),
    collarPriceTicks: market ? (Math.round((fields.collarDollars ?? 1_000) * 10_000) as PriceTicks) : null,
    replacementOrderId: (fields.replacement ?? null) as OrderId | null,
    cancelReason: fields.kind === 'CANCEL' ? (fields.reason ?? 'USER') : null,
  };
}

/** Carries out commands on a book and keeps all that it tells, with the store a processor would keep. */
export class Bench implements MatchListener {
  readonly book: Book;
  readonly counters: Counters = { prioritySequence: 0, tradeSequence: 0, lastPriceTicks: null };
  readonly reports: ExecutionReport[] = [];
  readonly trades: {
    readonly tradeNumber: number;
    readonly priceTicks: number;
    readonly quantityMicros: number;
  }[] = [];
  readonly resting = new Map<number, BookOrder>();

  constructor(book: Book) {
    this.book = book;
  }

  /** Returns the reports of this command alone. */
  run(fields: CommandFields | BookCommand): readonly ExecutionReport[] {
    const from = this.reports.length;
    execute(this.book, this.counters, 'commandId' in fields ? fields : command(fields), this);
    return this.reports.slice(from);
  }

  /** Reports of a command as short text: `MAKER a1 50@10 left 50`. */
  says(fields: CommandFields): string[] {
    return this.run(fields).map((report) => {
      if (report.kind !== 'TRADE')
        return `${report.kind} ${report.orderId}${report.reason ? `: ${report.reason}` : ''}`;
      const shares = report.lastQuantityMicros! / 1_000_000;
      const left = report.leavesQuantityMicros / 1_000_000;
      return `${report.liquidity} ${report.orderId} ${shares}@${report.lastPriceTicks! / 10_000} left ${left}`;
    });
  }

  touching(): void {}

  rested(order: BookOrder): void {
    this.resting.set(order.prioritySequence, order);
  }

  left(order: BookOrder): void {
    this.resting.delete(order.prioritySequence);
  }

  traded(tradeNumber: number, priceTicks: PriceTicks, quantityMicros: QuantityMicros): void {
    this.trades.push({ tradeNumber, priceTicks, quantityMicros });
  }

  report(report: ExecutionReport): void {
    this.reports.push(report);
  }
}
