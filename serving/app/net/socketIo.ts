/** The part of Socket.IO's client that the page uses. The server hands the client out itself, with its MessagePack parser. */
export interface Socket {
  readonly connected: boolean;
  connect(): Socket;
  disconnect(): Socket;
  on(event: string, listener: (message: never) => void): Socket;
  emit(event: string, ...parameters: unknown[]): Socket;
  timeout(milliseconds: number): Socket;
  readonly io: { on(event: 'reconnect_attempt', listener: (attempt: number) => void): unknown };
}

export type OpenSocket = (options: Readonly<Record<string, unknown>>) => Socket;

/** @returns null where the client's script did not load */
export function socketIo(): OpenSocket | null {
  return (globalThis as { readonly io?: OpenSocket }).io ?? null;
}
