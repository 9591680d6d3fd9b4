import type { Socket } from 'socket.io';
import { LIMITS } from './limits.ts';

interface WebSocketLike {
  readonly bufferedAmount: number;
  terminate(): void;
}

/** The way out to one Socket.IO client: takes packets that are encoded already and knows how much of them waits. */
export class Outlet {
  readonly socket: Socket;
  /** Bytes handed over that the transport has not taken yet. */
  #queuedBytes = 0;
  #closing = false;

  constructor(socket: Socket) {
    this.socket = socket;
    // What the library sends by itself (answers, pings) goes the same way and is counted with the rest.
    socket.conn.on('packetCreate', (packet: { readonly data?: string | Buffer }) => {
      this.#queuedBytes += packet.data?.length ?? 0;
    });
    socket.conn.on('flush', () => {
      this.#queuedBytes = 0;
    });
  }

  /** A polling transport has none: a poll under way takes everything, and between polls it queues. */
  get #webSocket(): WebSocketLike | undefined {
    return (this.socket.conn.transport as unknown as { readonly socket?: WebSocketLike }).socket;
  }

  get bufferedBytes(): number {
    return this.#queuedBytes + (this.#webSocket?.bufferedAmount ?? 0);
  }

  /** Whether public channels may send now; where not, they keep the newest for later. */
  get hasRoom(): boolean {
    return this.bufferedBytes < LIMITS.publicBufferBytes;
  }

  get isOpen(): boolean {
    return this.socket.connected && !this.#closing;
  }

  send(packet: Buffer): void {
    if (!this.isOpen) return;
    this.socket.conn.write(packet, { compress: false });
  }

  /** Ends the connection and says why; a client that does not read is cut off. */
  close(code: number, message: string): void {
    if (!this.isOpen) return;
    this.socket.emit('closing', { code, message });
    this.#closing = true;
    const { conn } = this.socket;
    const cut = (): void => {
      this.#webSocket?.terminate();
      conn.close(true);
    };
    const timer = setTimeout(cut, LIMITS.closeTimeoutMs);
    conn.once('close', () => clearTimeout(timer));
    this.socket.disconnect(true);
  }
}
