/** Clients of the live order streams that outlive the server: after each end of it they go on from the last update they have. */
import { io, type Socket } from 'socket.io-client';
import parser from 'socket.io-msgpack-parser';
import WebSocket from 'ws';
import { DEMO_KEY, DEMO_SECRET } from '../support/server.ts';

/** What both streams tell of an update. */
export interface StreamedUpdate {
  readonly sequence: number;
  readonly event: string;
  readonly orderId: string;
  readonly clientOrderId: string;
  readonly status: string;
  readonly filledQty: string;
  readonly fill: {
    readonly symbol: string;
    readonly side: string;
    readonly price: string;
    readonly qty: string;
  } | null;
}

interface OrderJson {
  readonly id: string;
  readonly client_order_id: string;
  readonly symbol: string;
  readonly side: string;
  readonly status: string;
  readonly filled_qty: string;
}

function updateOf(
  sequence: number,
  event: string,
  order: OrderJson,
  fill: { readonly price: string; readonly qty: string } | null,
): StreamedUpdate {
  return {
    sequence,
    event,
    orderId: order.id,
    clientOrderId: order.client_order_id,
    status: order.status,
    filledQty: order.filled_qty,
    fill: fill === null ? null : { symbol: order.symbol, side: order.side, price: fill.price, qty: fill.qty },
  };
}

/** Keeps what it was told and refuses what does not follow. */
abstract class ResumingStream {
  readonly updates: StreamedUpdate[] = [];
  /** Updates that came before others of the account's were missed, or twice: none, ever. */
  readonly breaks: string[] = [];

  get last(): number {
    return this.updates.at(-1)?.sequence ?? 0;
  }

  protected take(update: StreamedUpdate): void {
    if (update.sequence !== this.last + 1) this.breaks.push(`${update.sequence} came after ${this.last}`);
    this.updates.push(update);
  }

  /** Goes on after the last update that it has. */
  abstract resume(url: string): Promise<void>;
  abstract close(): void;
}

/** A client of Alpaca's trading stream that names the sequence it has. */
export class TradingStream extends ResumingStream {
  #socket: WebSocket | null = null;

  async resume(url: string): Promise<void> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/stream?frames=text`);
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () =>
        socket.send(JSON.stringify({ action: 'auth', key: DEMO_KEY, secret: DEMO_SECRET })),
      );
      socket.on('message', (text) => {
        const { stream, data } = JSON.parse(String(text));
        if (stream === 'authorization') {
          socket.send(
            JSON.stringify({
              action: 'listen',
              data: { streams: ['trade_updates'], from_sequence: this.last },
            }),
          );
        } else if (stream === 'listening') {
          if (data.streams.length === 1) resolve();
          else reject(new Error(`cannot resume: ${data.error}`));
        } else {
          const fill = data.price === undefined ? null : { price: data.price, qty: data.qty };
          this.take(updateOf(data.sequence, data.event, data.order, fill));
        }
      });
    });
  }

  close(): void {
    this.#socket?.removeAllListeners('error');
    this.#socket?.on('error', () => undefined);
    this.#socket?.terminate();
  }
}

/** A client of the Socket.IO channel `orders`. */
export class OrdersChannel extends ResumingStream {
  #socket: Socket | null = null;

  async resume(url: string): Promise<void> {
    const { socket } = await subscribed(url, this.last, (update) => this.take(update));
    this.#socket = socket;
  }

  close(): void {
    this.#socket?.disconnect();
  }
}

/** The sequence of the newest update there is: where a stream begins that is not told from where. */
export async function newestSequence(url: string): Promise<number> {
  const { socket, sequence } = await subscribed(url, undefined, () => undefined);
  socket.disconnect();
  return sequence;
}

async function subscribed(
  url: string,
  from: number | undefined,
  take: (update: StreamedUpdate) => void,
): Promise<{ readonly socket: Socket; readonly sequence: number }> {
  const socket = io(url, {
    parser,
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { key: DEMO_KEY, secret: DEMO_SECRET },
  });
  socket.on('orders', ({ sequence, event, order, execution }) =>
    take(updateOf(sequence, event, order, execution)),
  );
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  const answer = await socket.emitWithAck('subscribe', {
    channel: 'orders',
    ...(from === undefined ? {} : { from }),
  });
  if (!answer.ok) throw new Error(`cannot subscribe from ${from}: ${answer.message}`);
  return { socket, sequence: answer.sequence };
}
