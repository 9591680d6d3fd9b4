import { once } from 'node:events';
import { type RawData, WebSocket } from 'ws';

/** A message of the trading stream. */
export interface StreamMessage {
  readonly stream: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A client of a WebSocket of JSON that keeps what comes. */
export class StreamClient {
  readonly socket: WebSocket;
  readonly messages: StreamMessage[] = [];
  readonly kinds = new Set<'binary' | 'text'>();
  closed: { readonly code: number; readonly reason: string } | null = null;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: RawData, isBinary: boolean) => {
      this.kinds.add(isBinary ? 'binary' : 'text');
      this.messages.push(JSON.parse(data.toString()) as StreamMessage);
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    socket.on('error', () => undefined);
  }

  /** @param url of the HTTP server, with the path */
  static async open(url: string): Promise<StreamClient> {
    const client = new StreamClient(new WebSocket(url.replace('http', 'ws')));
    await once(client.socket, 'open');
    return client;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  authenticate(key: string, secret: string): void {
    this.send({ action: 'authenticate', data: { key_id: key, secret_key: secret } });
  }

  listen(fromSequence?: number): void {
    const from = fromSequence === undefined ? {} : { from_sequence: fromSequence };
    this.send({ action: 'listen', data: { streams: ['trade_updates'], ...from } });
  }

  of(stream: string): readonly Readonly<Record<string, unknown>>[] {
    return this.messages.filter((message) => message.stream === stream).map(({ data }) => data);
  }
}
