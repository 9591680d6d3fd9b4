import { createServer as createTcpServer } from 'node:net';
import { ServingError } from './errors.ts';

/** Fails before anything is opened where the port is taken or the address is none of this machine's. */
export async function probePort(host: string, port: number): Promise<void> {
  const probe = createTcpServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(host, port, cause)));
    probe.listen(port, host, resolve);
  });
  await new Promise<void>((resolve) => probe.close(() => resolve()));
}

export function listenError(host: string, port: number, cause: NodeJS.ErrnoException): ServingError {
  return cause.code === 'EADDRINUSE'
    ? new ServingError(
        'SERVING_PORT_IN_USE',
        `port ${port} on ${host} is in use; stop that process or set PORT to a free one`,
        { cause },
      )
    : new ServingError('SERVING_CONFIG', `cannot listen on ${host}:${port}`, { cause });
}
