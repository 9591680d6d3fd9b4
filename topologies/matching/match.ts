/**
 * What a command does to a book, by price-time priority. Pure: the book, the counters and the command decide everything; what
 * happened goes to the listener, in order.
 */
import type {
  BookCommand,
  ExecutionKind,
  ExecutionReport,
  Liquidity,
} from '../../schemas/generated/types.ts';
import type { OrderId, TradeId } from '../../schemas/ids.ts';
import type { PriceTicks, QuantityMicros } from '../../schemas/units.ts';
import { accepts, type Book, type BookOrder, opposite } from './book.ts';

/** Numbers given out so far for one symbol. `execute` moves them on. */
export interface Counters {
  prioritySequence: number;
  tradeSequence: number;
  lastPriceTicks: PriceTicks | null;
}

/** Told what a command did. Every command leads to at least one report. */
export interface MatchListener {
  /** Before the quantity at a price changes. */
  touching(order: BookOrder): void;
  /** An order rests, or one that rests has changed. */
  rested(order: BookOrder): void;
  /** An order does not rest any more. */
  left(order: BookOrder): void;
  /** A trade: number, price and size. Comes before its two reports. */
  traded(tradeNumber: number, priceTicks: PriceTicks, quantityMicros: QuantityMicros): void;
  report(report: ExecutionReport): void;
}

/** Why the book cancelled or refused; the text of a report's `reason`. */
export const REASONS = {
  selfTrade: 'the order would have traded with an order of the same account',
  immediateOrCancel: 'what could not trade at once was cancelled',
  fillOrKill: 'the order could not be filled at once in full',
  collar: 'no more liquidity within the collar of a market order',
  levelFull: 'the price level cannot hold more',
  unknownOrder: 'the order is not in the book',
  filledBeyond: 'the order has filled as much as the replacement asks for',
  duplicateOrder: 'an order of that id is in the book',
} as const;

const ZERO = 0 as QuantityMicros;

/** Carries out one command. The book is never crossed afterwards. */
export function execute(book: Book, counters: Counters, command: BookCommand, listener: MatchListener): void {
  if (command.kind === 'NEW') executeNew(book, counters, command, listener);
  else if (command.kind === 'CANCEL') executeCancel(book, command, listener);
  else executeReplace(book, counters, command, listener);
}

function executeNew(book: Book, counters: Counters, command: BookCommand, listener: MatchListener): void {
  if (book.find(command.orderId)) {
    listener.report(reportOf('CANCELED', command, command.orderId, ZERO, ZERO, REASONS.duplicateOrder));
    return;
  }
  enter(book, counters, command, command.orderId, command.quantityMicros, false, listener);
}

function executeCancel(book: Book, command: BookCommand, listener: MatchListener): void {
  const order = book.find(command.orderId);
  if (!order || order.accountId !== command.accountId) {
    listener.report(reportOf('CANCEL_REJECTED', command, command.orderId, ZERO, ZERO, REASONS.unknownOrder));
    return;
  }
  takeOut(book, order, listener);
  const kind = command.cancelReason === 'EXPIRED' ? 'EXPIRED' : 'CANCELED';
  listener.report(reportOf(kind, command, order.orderId, filledOf(order), ZERO, null));
}

/** A smaller total at the same price keeps its place; any other change is a new arrival. */
function executeReplace(book: Book, counters: Counters, command: BookCommand, listener: MatchListener): void {
  const order = book.find(command.orderId);
  if (!order || order.accountId !== command.accountId || command.limitPriceTicks === null) {
    listener.report(reportOf('REPLACE_REJECTED', command, command.orderId, ZERO, ZERO, REASONS.unknownOrder));
    return;
  }
  const filled = filledOf(order);
  const leaves = (command.quantityMicros - filled) as QuantityMicros;
  if (leaves <= 0) {
    const report = reportOf(
      'REPLACE_REJECTED',
      command,
      order.orderId,
      filled,
      order.leavesQuantityMicros,
      REASONS.filledBeyond,
    );
    listener.report(report);
    return;
  }
  const replacementId = command.replacementOrderId ?? order.orderId;
  const keepsPlace =
    command.limitPriceTicks === order.priceTicks && command.quantityMicros <= order.quantityMicros;
  if (!keepsPlace) takeOut(book, order, listener);
  listener.report(reportOf('REPLACED', command, order.orderId, filled, leaves, null));
  if (!keepsPlace) {
    enter(book, counters, command, replacementId, leaves, true, listener);
    return;
  }
  listener.touching(order);
  const replacement = restingOrder(command, replacementId, order.priceTicks, leaves, order.prioritySequence);
  book.replace(order, replacement);
  listener.rested(replacement);
}

/** An order arrives: trades what it can, then rests or is cancelled. `reported` says whether the command has a report already. */
function enter(
  book: Book,
  counters: Counters,
  command: BookCommand,
  orderId: OrderId,
  quantityMicros: QuantityMicros,
  reported: boolean,
  listener: MatchListener,
): void {
  const limitTicks = command.orderType === 'MARKET' ? command.collarPriceTicks : command.limitPriceTicks;
  const makerSide = opposite(command.side);
  let leaves = quantityMicros;
  let reason: string | null = null;
  if (command.timeInForce === 'FOK' && !fillable(book, command, limitTicks, leaves))
    reason = REASONS.fillOrKill;
  while (leaves > 0 && reason === null) {
    const maker = book.first(makerSide);
    if (!maker || !accepts(command.side, limitTicks, maker.priceTicks)) break;
    if (maker.accountId === command.accountId) reason = REASONS.selfTrade;
    else leaves = trade(book, counters, command, orderId, maker, leaves, listener);
  }
  if (leaves === 0) return;
  reason ??= reasonNotToRest(book, command, limitTicks, leaves);
  if (reason !== null) {
    const filled = (command.quantityMicros - leaves) as QuantityMicros;
    listener.report(reportOf('CANCELED', command, orderId, filled, ZERO, reason));
    return;
  }
  counters.prioritySequence += 1;
  const order = restingOrder(command, orderId, limitTicks!, leaves, counters.prioritySequence);
  listener.touching(order);
  book.add(order);
  listener.rested(order);
  // An order that has traded or replaced another is known to be booked by those reports.
  if (!reported && leaves === quantityMicros)
    listener.report(reportOf('BOOKED', command, orderId, ZERO, leaves, null));
}

function reasonNotToRest(
  book: Book,
  command: BookCommand,
  limitTicks: PriceTicks | null,
  leaves: QuantityMicros,
): string | null {
  if (command.orderType === 'MARKET' || limitTicks === null) return REASONS.collar;
  if (command.timeInForce === 'IOC' || command.timeInForce === 'FOK') return REASONS.immediateOrCancel;
  // A sum beyond the safe integers could not be kept exact.
  return Number.isSafeInteger(book.levelQuantity(command.side, limitTicks) + leaves)
    ? null
    : REASONS.levelFull;
}

/** Whether orders of others, up to the first of the same account, cover the quantity. */
function fillable(
  book: Book,
  command: BookCommand,
  limitTicks: PriceTicks | null,
  quantityMicros: QuantityMicros,
): boolean {
  let missing: number = quantityMicros;
  for (let maker = book.first(opposite(command.side)); maker && missing > 0; maker = book.next(maker)) {
    if (!accepts(command.side, limitTicks, maker.priceTicks) || maker.accountId === command.accountId)
      return false;
    missing -= maker.leavesQuantityMicros;
  }
  return missing <= 0;
}

/** One trade against the order first in line, at its price. Returns what is left of the incoming order. */
function trade(
  book: Book,
  counters: Counters,
  command: BookCommand,
  orderId: OrderId,
  maker: BookOrder,
  leaves: QuantityMicros,
  listener: MatchListener,
): QuantityMicros {
  const quantity = Math.min(leaves, maker.leavesQuantityMicros) as QuantityMicros;
  const takerLeaves = (leaves - quantity) as QuantityMicros;
  const makerLeaves = (maker.leavesQuantityMicros - quantity) as QuantityMicros;
  listener.touching(maker);
  if (makerLeaves === 0) {
    book.remove(maker);
    listener.left(maker);
  } else {
    listener.rested(book.reduce(maker, makerLeaves));
  }
  counters.tradeSequence += 1;
  counters.lastPriceTicks = maker.priceTicks;
  listener.traded(counters.tradeSequence, maker.priceTicks, quantity);
  const tradeId = `${command.symbol}:${counters.tradeSequence}` as TradeId;
  const makerFilled = (maker.quantityMicros - makerLeaves) as QuantityMicros;
  const takerFilled = (command.quantityMicros - takerLeaves) as QuantityMicros;
  listener.report(
    tradeReport(
      command,
      maker,
      maker.orderId,
      'MAKER',
      tradeId,
      maker.priceTicks,
      quantity,
      makerFilled,
      makerLeaves,
    ),
  );
  listener.report(
    tradeReport(
      command,
      command,
      orderId,
      'TAKER',
      tradeId,
      maker.priceTicks,
      quantity,
      takerFilled,
      takerLeaves,
    ),
  );
  return takerLeaves;
}

function takeOut(book: Book, order: BookOrder, listener: MatchListener): void {
  listener.touching(order);
  book.remove(order);
  listener.left(order);
}

function filledOf(order: BookOrder): QuantityMicros {
  return (order.quantityMicros - order.leavesQuantityMicros) as QuantityMicros;
}

function restingOrder(
  command: BookCommand,
  orderId: OrderId,
  priceTicks: PriceTicks,
  leavesQuantityMicros: QuantityMicros,
  prioritySequence: number,
): BookOrder {
  return {
    orderId,
    accountId: command.accountId,
    symbol: command.symbol,
    side: command.side,
    priceTicks,
    quantityMicros: command.quantityMicros,
    leavesQuantityMicros,
    prioritySequence,
    timeInForce: command.timeInForce,
    commandId: command.commandId,
  };
}

function reportOf(
  kind: ExecutionKind,
  command: BookCommand,
  orderId: OrderId,
  cumulativeQuantityMicros: QuantityMicros,
  leavesQuantityMicros: QuantityMicros,
  reason: string | null,
): ExecutionReport {
  return {
    kind,
    commandId: command.commandId,
    orderId,
    accountId: command.accountId,
    symbol: command.symbol,
    side: command.side,
    tradeId: null,
    lastPriceTicks: null,
    lastQuantityMicros: null,
    liquidity: null,
    cumulativeQuantityMicros,
    leavesQuantityMicros,
    replacementOrderId: command.replacementOrderId,
    reason,
  };
}

function tradeReport(
  command: BookCommand,
  owner: BookCommand | BookOrder,
  orderId: OrderId,
  liquidity: Liquidity,
  tradeId: TradeId,
  lastPriceTicks: PriceTicks,
  lastQuantityMicros: QuantityMicros,
  cumulativeQuantityMicros: QuantityMicros,
  leavesQuantityMicros: QuantityMicros,
): ExecutionReport {
  return {
    kind: 'TRADE',
    commandId: command.commandId,
    orderId,
    accountId: owner.accountId,
    symbol: command.symbol,
    side: owner.side,
    tradeId,
    lastPriceTicks,
    lastQuantityMicros,
    liquidity,
    cumulativeQuantityMicros,
    leavesQuantityMicros,
    replacementOrderId: null,
    reason: null,
  };
}
