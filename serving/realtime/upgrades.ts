import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

export type UpgradeHandler = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  query: URLSearchParams,
) => void;

/** Refuses an upgrade with a plain HTTP answer. */
export function refuseUpgrade(socket: Duplex, status: string, code: number, message: string): void {
  const body = JSON.stringify({ code, message });
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/**
 * Gives upgrades of the HTTP server to whom their path belongs, and refuses the others.
 * @param elsewhere a path that has a listener of its own
 */
export function routeUpgrades(
  server: Server,
  elsewhere: string,
  routes: ReadonlyMap<string, UpgradeHandler>,
): { close(): void } {
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // A connection that breaks before it is taken over must not end the process.
    socket.on('error', () => socket.destroy());
    // Not by URL, which throws on what is none.
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
    if (path.startsWith(elsewhere)) return;
    const handler = routes.get(path);
    if (handler === undefined) refuseUpgrade(socket, '404 Not Found', 40410000, 'endpoint not found');
    else handler(request, socket, head, new URLSearchParams(query));
  };
  server.on('upgrade', onUpgrade);
  return { close: () => server.off('upgrade', onUpgrade) };
}
