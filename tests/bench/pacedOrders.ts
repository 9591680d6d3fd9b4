import type { OrderCommand } from '../../schemas/generated/types.ts';
import type { LogProducer } from '../../streams/log/log.ts';
import type { OrderFlow } from './orderFlow.ts';

const STEP_MS = 2;

export interface PacedOrders {
  readonly flow: OrderFlow;
  readonly producer: LogProducer;
  readonly perSecond: number;
  readonly seconds: number;
  /** @param dueMs when the order was due, by `performance.now()` */
  readonly onSend?: (command: OrderCommand, dueMs: number) => void;
}

/** An open loop at a fixed rate: an order that is sent late counts from when it was due. Resolves when the last one is sent. */
export async function sendPaced({ flow, producer, perSecond, seconds, onSend }: PacedOrders): Promise<void> {
  const total = perSecond * seconds;
  const startMs = performance.now();
  let failure: unknown = null;
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * perSecond));
    const records = [];
    for (; sent < due; sent += 1) {
      const command = flow.next();
      onSend?.(command, startMs + (sent * 1000) / perSecond);
      records.push(flow.record(command));
    }
    await producer.ready();
    if (records.length > 0)
      producer.send(records).catch((cause: unknown) => {
        failure = cause;
      });
    if (failure !== null) throw failure;
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}
