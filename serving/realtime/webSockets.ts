import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { REALTIME_ERRORS } from './errors.ts';
import { LIMITS } from './limits.ts';
import { refuseUpgrade } from './upgrades.ts';

/** Codes by which a WebSocket is closed (RFC 6455, section 7.4). */
export const CLOSE = { GOING_AWAY: 1001, POLICY: 1008, TRY_AGAIN: 1013 } as const;

/** Plain WebSocket connections: bounded in number and message size, kept alive by pings, cut off where they do not answer. */
export class WebSockets {
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: LIMITS.messageBytes,
    perMessageDeflate: false,
  });
  readonly #answered = new WeakSet<WebSocket>();
  /** Requests of each connection since the last ping. */
  #requests = new Map<WebSocket, number>();
  readonly #timer: NodeJS.Timeout;
  readonly #onConnection: (socket: WebSocket, request: IncomingMessage, query: URLSearchParams) => void;

  constructor(onConnection: (socket: WebSocket, request: IncomingMessage, query: URLSearchParams) => void) {
    this.#onConnection = onConnection;
    this.#timer = setInterval(() => this.#ping(), LIMITS.pingIntervalMs);
    this.#timer.unref();
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, query: URLSearchParams): void {
    if (this.#server.clients.size >= LIMITS.streamConnections) {
      const { code, message } = REALTIME_ERRORS.TOO_MANY_CONNECTIONS;
      refuseUpgrade(socket, '503 Service Unavailable', code, message);
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      this.#answered.add(webSocket);
      webSocket.on('pong', () => this.#answered.add(webSocket));
      // What is wrong with a frame closes the connection by itself.
      webSocket.on('error', () => undefined);
      // Before the listener that takes the request.
      webSocket.on('message', () => this.#count(webSocket));
      this.#onConnection(webSocket, request, query);
    });
  }

  close(): void {
    clearInterval(this.#timer);
    for (const client of this.#server.clients)
      closeSoon(client, CLOSE.GOING_AWAY, 'the server is shutting down');
  }

  /** Ends a connection that asks more than it may, or leaves the answers unread. */
  #count(client: WebSocket): void {
    if (client.readyState !== client.OPEN) return;
    const requests = (this.#requests.get(client) ?? 0) + 1;
    this.#requests.set(client, requests);
    if (requests > LIMITS.requests) closeSoon(client, CLOSE.POLICY, 'too many requests');
    else if (client.bufferedAmount > LIMITS.privateBufferBytes)
      closeSoon(client, CLOSE.POLICY, 'answers are not read');
  }

  #ping(): void {
    this.#requests = new Map();
    for (const client of this.#server.clients) {
      if (!this.#answered.has(client)) {
        client.terminate();
        continue;
      }
      this.#answered.delete(client);
      client.ping();
    }
  }
}

/** Closes with a reason; one that does not take it in time is cut off. @param reason at most 123 bytes */
export function closeSoon(socket: WebSocket, code: number, reason: string): void {
  socket.close(code, reason.slice(0, 120));
  const timer = setTimeout(() => socket.terminate(), LIMITS.closeTimeoutMs);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}
