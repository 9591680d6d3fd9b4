import type { Server as HttpServer } from 'node:http';
import { Server, type Socket } from 'socket.io';
import type { Principal } from '../auth/credentials.ts';
import type { ServingContext } from '../context.ts';
import { RateWindow } from '../rateWindow.ts';
import type { Authenticator } from './authenticate.ts';
import { REALTIME_ERRORS, RealtimeError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { Outlet } from './outlet.ts';
import { packetParser } from './packetDecoder.ts';
import { parseHandshake } from './requests.ts';
import { type Answer, type Channels, SocketClient } from './socketClient.ts';

export const SOCKET_IO_PATH = '/socket.io/';

/** An error that the library passes to the client's `connect_error`. */
class HandshakeError extends Error {
  readonly data: { readonly code: number; readonly message: string };

  constructor({ code, message }: RealtimeError) {
    super(message);
    this.data = { code, message };
  }
}

function principalOf(socket: Socket, authenticator: Authenticator): Principal | null {
  const given = parseHandshake(socket.handshake.auth);
  return given === null ? null : authenticator.check(given, socket.handshake.address);
}

/** A request without an acknowledgement gets no answer. */
function answerOf(acknowledge: unknown): Answer {
  return typeof acknowledge === 'function' ? (acknowledge as Answer) : () => undefined;
}

/** The Socket.IO server: quotes, depth, candles, status, and an account's own orders. */
export class SocketServer {
  readonly #server: Server;
  readonly #outlets = new Set<Outlet>();

  constructor(http: HttpServer, context: ServingContext, authenticator: Authenticator, channels: Channels) {
    const requests = new RateWindow(LIMITS.requests, LIMITS.requestsWindowMs, context.wallClock);
    const lookups = new RateWindow(LIMITS.symbolsOfCaller, LIMITS.requestsWindowMs, context.wallClock);
    this.#server = new Server(http, {
      path: SOCKET_IO_PATH,
      parser: packetParser,
      serveClient: false,
      // Upgrades of other paths are not this server's to refuse.
      destroyUpgrade: false,
      maxHttpBufferSize: LIMITS.messageBytes,
      connectTimeout: LIMITS.authenticationTimeoutMs,
      pingInterval: LIMITS.pingIntervalMs,
      allowRequest: (request, decide) => {
        const isNew = !/[?&]sid=/.test(request.url ?? '');
        const full = isNew && this.#server.engine.clientsCount >= LIMITS.socketConnections;
        decide(full ? REALTIME_ERRORS.TOO_MANY_CONNECTIONS.message : null, !full);
      },
    });
    this.#server.use((socket, next) => {
      try {
        socket.data = principalOf(socket, authenticator);
        next();
      } catch (error) {
        next(new HandshakeError(error instanceof RealtimeError ? error : new RealtimeError('INTERNAL')));
      }
    });
    this.#server.on('connection', (socket) => {
      const outlet = new Outlet(socket);
      const client = new SocketClient(
        outlet,
        socket.data as Principal | null,
        channels,
        { requests, lookups },
        context.logger,
      );
      this.#outlets.add(outlet);
      socket.on('subscribe', (request: unknown, acknowledge: unknown) => {
        void client.subscribe(request, answerOf(acknowledge));
      });
      socket.on('unsubscribe', (request: unknown, acknowledge: unknown) => {
        void client.unsubscribe(request, answerOf(acknowledge));
      });
      // A packet that cannot be read ends the connection; without a listener the library writes to the console.
      socket.on('error', () => undefined);
      socket.on('disconnect', () => {
        this.#outlets.delete(outlet);
        client.close();
      });
    });
  }

  /** Tells every client and closes their connections; the HTTP server stays as it is. */
  close(): void {
    const { code, message } = REALTIME_ERRORS.SHUTTING_DOWN;
    for (const outlet of [...this.#outlets]) outlet.close(code, message);
    this.#server.engine.close();
  }
}
