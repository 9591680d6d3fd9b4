import type { HouseOrder, HouseQuote, OrderCommand, Side } from '../../schemas/generated/types.ts';
import type { ClientOrderId, OrderId } from '../../schemas/ids.ts';
import type { CashMicros, QuantityMicros } from '../../schemas/units.ts';
import { EMPTY_COMMAND } from '../orders/emptyCommand.ts';
import { houseAccountId, houseCommandId, houseOrderId } from './ids.ts';
import { serves, type WantedOrder, type WantedQuote } from './plan.ts';

/** Commands that bring the house's orders to what it wants, and what it has once they are done. */
export interface Requote {
  readonly quote: HouseQuote;
  readonly commands: readonly OrderCommand[];
}

/** The command that opens the house's account in a symbol. */
export function openHouseAccount(symbol: string): OrderCommand {
  const accountId = houseAccountId(symbol);
  return {
    ...EMPTY_COMMAND,
    kind: 'OPEN_ACCOUNT',
    commandId: houseCommandId(houseOrderId(symbol, 0)),
    accountId,
    accountType: 'HOUSE',
    amountMicros: 0 as CashMicros,
  };
}

/** Takes an order out of the book. */
export function cancelHouseOrder(symbol: string, orderId: OrderId, number: number): OrderCommand {
  return {
    ...EMPTY_COMMAND,
    kind: 'CANCEL',
    commandId: houseCommandId(houseOrderId(symbol, number)),
    accountId: houseAccountId(symbol),
    orderId,
  };
}

class Requoting {
  readonly #quote: HouseQuote;
  readonly commands: OrderCommand[] = [];
  number: number;
  /** Whether an order was left where it is only because its answer is awaited. */
  behind = false;

  constructor(quote: HouseQuote) {
    this.#quote = quote;
    this.number = quote.nextNumber;
  }

  #nextId(): OrderId {
    const orderId = houseOrderId(this.#quote.symbol, this.number);
    this.number += 1;
    return orderId;
  }

  #submit(side: Side, wanted: WantedOrder): HouseOrder {
    const { symbol } = this.#quote;
    const orderId = this.#nextId();
    const { priceTicks, quantityMicros } = wanted;
    this.commands.push({
      ...EMPTY_COMMAND,
      kind: 'SUBMIT',
      commandId: houseCommandId(orderId),
      accountId: houseAccountId(symbol),
      orderId,
      clientOrderId: orderId as string as ClientOrderId,
      symbol,
      side,
      orderType: 'LIMIT',
      timeInForce: 'GTC',
      quantityMicros,
      limitPriceTicks: priceTicks,
    });
    return { orderId, priceTicks, quantityMicros, filledMicros: 0 as QuantityMicros, replaces: null };
  }

  #replace(order: HouseOrder, wanted: WantedOrder): HouseOrder {
    const orderId = this.#nextId();
    const quantityMicros = (order.filledMicros + wanted.quantityMicros) as QuantityMicros;
    this.commands.push({
      ...EMPTY_COMMAND,
      kind: 'REPLACE',
      commandId: houseCommandId(orderId),
      accountId: houseAccountId(this.#quote.symbol),
      orderId: order.orderId,
      replacementOrderId: orderId,
      clientOrderId: orderId as string as ClientOrderId,
      quantityMicros,
      limitPriceTicks: wanted.priceTicks,
    });
    const { filledMicros } = order;
    return { orderId, priceTicks: wanted.priceTicks, quantityMicros, filledMicros, replaces: order.orderId };
  }

  /** Takes out what is beyond the wanted levels, and gives back what cannot be taken out yet. */
  #cancelBeyond(orders: readonly HouseOrder[], levels: number): readonly HouseOrder[] {
    const beyond = orders.slice(levels);
    for (const order of beyond) {
      if (order.replaces !== null) continue;
      this.commands.push(cancelHouseOrder(this.#quote.symbol, order.orderId, this.number));
      this.number += 1;
    }
    return beyond.filter(({ replaces }) => replaces !== null);
  }

  /**
   * An order stays where its price will do and enough of it is left; its size alone is not worth a command. A replacement that is not
   * answered yet stays as well: it may not be there, and a command for an order that is not there is refused.
   */
  side(
    side: Side,
    orders: readonly HouseOrder[],
    wanted: readonly WantedOrder[],
    leastMicros: number,
  ): readonly HouseOrder[] {
    const awaited = this.#cancelBeyond(orders, wanted.length);
    if (awaited.length > 0) this.behind = true;
    const standing = wanted.map((want, level) => {
      const order = orders[level];
      if (order === undefined) return this.#submit(side, want);
      const leaves = order.quantityMicros - order.filledMicros;
      if (serves(want, order.priceTicks) && leaves >= Math.min(want.quantityMicros, leastMicros))
        return order;
      if (order.replaces === null) return this.#replace(order, want);
      this.behind = true;
      return order;
    });
    return [...standing, ...awaited];
  }
}

/**
 * @param leastMicros size below which an order is filled up again
 */
export function requote(quote: HouseQuote, wanted: WantedQuote, leastMicros: QuantityMicros): Requote {
  const requoting = new Requoting(quote);
  const rising = (wanted.bids[0]?.priceTicks ?? 0) > (quote.bids[0]?.priceTicks ?? 0);
  // A rising market moves the asks out of the way first, a falling one the bids: the house must not meet itself.
  let bids = quote.bids;
  if (!rising) bids = requoting.side('BUY', quote.bids, wanted.bids, leastMicros);
  const asks = requoting.side('SELL', quote.asks, wanted.asks, leastMicros);
  if (rising) bids = requoting.side('BUY', quote.bids, wanted.bids, leastMicros);
  const { behind, commands, number: nextNumber } = requoting;
  if (commands.length === 0)
    return { quote: behind === quote.behind ? quote : { ...quote, behind }, commands };
  return { quote: { ...quote, nextNumber, bids, asks, behind }, commands };
}
