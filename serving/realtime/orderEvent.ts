import type { OrderUpdate } from '../../schemas/generated/types.ts';
import { deriveUuid } from '../../schemas/uuid.ts';
import { formatPrice, formatQuantity } from '../../topologies/domain/decimal.ts';
import { isRejectCode, REJECTIONS } from '../../topologies/orders/rejections.ts';
import { orderJson, timeText } from '../http/json/order.ts';
import { eventPacket } from './packet.ts';

/** Alpaca's words for what happened. */
const EVENT_NAMES: Readonly<Record<OrderUpdate['event'], string>> = {
  NEW: 'new',
  PARTIAL_FILL: 'partial_fill',
  FILL: 'fill',
  CANCELED: 'canceled',
  EXPIRED: 'expired',
  REPLACED: 'replaced',
  REJECTED: 'rejected',
  CANCEL_REJECTED: 'order_cancel_rejected',
  REPLACE_REJECTED: 'order_replace_rejected',
};

/** Of a trade the id that both sides share; of anything else one that belongs to the update alone. Both are UUIDs, as clients expect. */
function executionUuid({ executionId, accountId, accountSequence }: OrderUpdate): string {
  return executionId === null
    ? deriveUuid(`order-update:${accountId}:${accountSequence}`)
    : deriveUuid(`execution:${executionId}`);
}

function executionOf(update: OrderUpdate) {
  const { executionId, priceTicks, quantityMicros, positionQuantityMicros } = update;
  if (executionId === null || priceTicks === null || quantityMicros === null) return null;
  return {
    id: executionUuid(update),
    price: formatPrice(priceTicks),
    qty: formatQuantity(quantityMicros),
    positionQty: positionQuantityMicros === null ? null : formatQuantity(positionQuantityMicros),
  };
}

function rejectionOf({ rejectCode, rejectReason, rejectDetails }: OrderUpdate) {
  if (rejectCode === null) return null;
  const code = isRejectCode(rejectCode) ? REJECTIONS[rejectCode].code : null;
  return { code, reason: rejectCode, message: rejectReason, details: rejectDetails };
}

/** One update of an account's orders. Its encodings are made when first asked for, once for all receivers. */
export class OrderEvent {
  readonly update: OrderUpdate;
  readonly #timestampMs: number;
  #packet: Buffer | null = null;
  #frame: Buffer | null = null;

  /** @param timestampMs market time of the update */
  constructor(update: OrderUpdate, timestampMs: number) {
    this.update = update;
    this.#timestampMs = timestampMs;
  }

  get sequence(): number {
    return this.update.accountSequence;
  }

  /** The Socket.IO packet of channel `orders`. */
  get packet(): Buffer {
    const { update } = this;
    this.#packet ??= eventPacket('orders', {
      sequence: this.sequence,
      event: EVENT_NAMES[update.event],
      time: this.#timestampMs,
      orderId: update.orderId,
      order: update.order === null ? null : orderJson(update.order),
      execution: executionOf(update),
      rejection: rejectionOf(update),
    });
    return this.#packet;
  }

  /** The message of `trade_updates`; null where the update names an order that is not there, which Alpaca's clients cannot take. */
  get frame(): Buffer | null {
    const { update } = this;
    if (update.order === null) return null;
    if (this.#frame !== null) return this.#frame;
    const execution = executionOf(update);
    const data = {
      event: EVENT_NAMES[update.event],
      execution_id: executionUuid(update),
      timestamp: timeText(this.#timestampMs),
      order: orderJson(update.order),
      ...(execution === null
        ? {}
        : { price: execution.price, qty: execution.qty, position_qty: execution.positionQty }),
      sequence: this.sequence,
    };
    this.#frame = Buffer.from(JSON.stringify({ stream: 'trade_updates', data }));
    return this.#frame;
  }
}
