import type { OpenSocket, Socket } from './socketIo.ts';

export type LinkState = 'connecting' | 'live' | 'offline';

/** What is asked of a channel; see serving/realtime/README.md. */
export interface Subscription {
  readonly channel: 'quotes' | 'depth' | 'candles' | 'orders' | 'account' | 'status';
  readonly symbols?: readonly string[];
  readonly interval?: string;
  readonly from?: number;
}

type Ack = { readonly ok: true } | { readonly ok: false; readonly code: number; readonly message: string };

export interface ConnectionEvents {
  /** @param attempt of reconnecting, 0 where the link is live or new */
  state(state: LinkState, attempt: number): void;
  /** The server does not take the token. */
  unauthorized(): void;
  /** A subscription was refused, with a code of the API. */
  refused(subscription: Subscription, code: number, message: string): void;
}

const ACK_TIMEOUT_MS = 10_000;
const RECONNECT_MIN_MS = 500;
const RECONNECT_MAX_MS = 5_000;
/** Pause after the server ended or refused the link itself. */
const REFUSED_PAUSE_MS = 1_500;

/**
 * The link to the server. What is wanted is subscribed to at once or, without a link, as soon as there is one, and again after every
 * reconnect; so the rest of the page need not know when the link breaks.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #events: ConnectionEvents;
  readonly #wanted = new Map<string, () => Subscription>();
  #retry: ReturnType<typeof setTimeout> | null = null;

  /** @param token of whoever is signed in, asked for at every (re)connect; null for the public */
  constructor(open: OpenSocket, token: () => string | null, events: ConnectionEvents) {
    this.#events = events;
    this.#socket = open({
      autoConnect: false,
      auth: (answer: (credentials: Readonly<Record<string, string>>) => void) => {
        const now = token();
        answer(now === null ? {} : { token: now });
      },
      transports: ['websocket'],
      reconnectionDelay: RECONNECT_MIN_MS,
      reconnectionDelayMax: RECONNECT_MAX_MS,
    });
    this.#socket.on('connect', () => {
      events.state('live', 0);
      for (const make of this.#wanted.values()) this.#send(make());
    });
    this.#socket.on('disconnect', (reason: string) => {
      events.state('offline', 0);
      // The client comes back by itself but for an end that the server asked for.
      if (reason === 'io server disconnect') this.#reconnectLater();
    });
    this.#socket.on('connect_error', (error: Error & { data?: { code?: string } }) => {
      events.state('offline', 0);
      if (!isRefusal(error)) return;
      if (token() !== null) events.unauthorized();
      else this.#reconnectLater();
    });
    this.#socket.io.on('reconnect_attempt', (attempt) => events.state('connecting', attempt));
  }

  get live(): boolean {
    return this.#socket.connected;
  }

  /** Connects, or connects anew as whoever is signed in now. */
  connect(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    this.#events.state('connecting', 0);
    this.#socket.disconnect().connect();
  }

  on(channel: string, listener: (message: never) => void): void {
    this.#socket.on(channel, listener);
  }

  /** Keeps a subscription under a name; another one under that name takes its place. `make` is asked at every (re)connect. */
  want(name: string, make: () => Subscription): void {
    this.drop(name);
    this.#wanted.set(name, make);
    if (this.#socket.connected) this.#send(make());
  }

  /** Asks for a subscription anew, as for a snapshot after a gap. */
  renew(name: string): void {
    const make = this.#wanted.get(name);
    if (make !== undefined && this.#socket.connected) this.#send(make());
  }

  drop(name: string): void {
    const make = this.#wanted.get(name);
    this.#wanted.delete(name);
    if (make !== undefined && this.#socket.connected) this.#socket.emit('unsubscribe', make());
  }

  #send(subscription: Subscription): void {
    this.#socket
      .timeout(ACK_TIMEOUT_MS)
      .emit('subscribe', subscription, (error: Error | null, answer?: Ack) => {
        // An answer that does not come means a broken link; the reconnect asks again.
        if (error !== null || answer === undefined || answer.ok) return;
        this.#events.refused(subscription, answer.code, answer.message);
      });
  }

  #reconnectLater(): void {
    if (this.#retry !== null) return;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#events.state('connecting', 0);
      this.#socket.connect();
    }, REFUSED_PAUSE_MS);
  }
}

/** Whether the server refused the handshake, as against not being reached: only then the error carries data. */
function isRefusal(error: { readonly data?: unknown }): boolean {
  return error.data !== undefined && error.data !== null;
}
