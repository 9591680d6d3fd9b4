import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DEMO_KEY, DEMO_SECRET, startServer } from '../support/server.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import { type BenchRow, percentile } from './report.ts';

const RATE_PER_SECOND = 500;
const SECONDS = 10;
const WARM_UP_SECONDS = 3;

interface Load {
  readonly latenciesMs: readonly number[];
  readonly failures: number;
}

function post(url: string, agent: Agent, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'apca-api-key-id': DEMO_KEY,
          'apca-api-secret-key': DEMO_SECRET,
        },
      },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
      },
    );
    call.once('error', reject);
    call.end(body);
  });
}

/** Sends at a fixed rate whatever the answers do (an open loop): a slow answer does not slow the next request down. */
async function load(url: string, seconds: number, bodyOf: (index: number) => string): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const latenciesMs: number[] = [];
  let failures = 0;
  const pending: Promise<void>[] = [];
  const startMs = performance.now();
  const total = RATE_PER_SECOND * seconds;
  for (let index = 0; index < total; index += 1) {
    const dueMs = startMs + (index * 1000) / RATE_PER_SECOND;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    const sentMs = performance.now();
    pending.push(
      post(url, agent, bodyOf(index)).then(
        (status) => {
          latenciesMs.push(performance.now() - sentMs);
          if (status !== 200) failures += 1;
        },
        () => {
          failures += 1;
        },
      ),
    );
  }
  await Promise.all(pending);
  agent.destroy();
  return { latenciesMs: latenciesMs.sort((a, b) => a - b), failures };
}

/** An HTTP server that answers at once: what the client and the loopback cost by themselves. */
async function bareServer(): Promise<{ url: string; close: () => void }> {
  const server = createServer((incoming, response) => {
    incoming.resume();
    incoming.once('end', () => response.end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
}

/** POST /v2/orders to its answered outcome at a fixed rate, with the simulator running, beside a server that does nothing. */
export async function benchRest(): Promise<readonly BenchRow[]> {
  return withTemporaryDirectory(async (directory) => {
    const server = await startServer({ OPENTAPE_DATA_DIR: `${directory}/data` });
    const order = (index: number): string =>
      JSON.stringify({
        symbol: 'KO',
        qty: '1',
        side: 'buy',
        type: 'limit',
        time_in_force: 'ioc',
        limit_price: index % 2 === 0 ? '1.00' : '2.00',
      });
    try {
      await load(`${server.url}/v2/orders`, WARM_UP_SECONDS, order);
      const bare = await bareServer();
      const baseline = await load(bare.url, 3, order);
      bare.close();
      const { latenciesMs, failures } = await load(`${server.url}/v2/orders`, SECONDS, order);
      if (failures > 0)
        throw new Error(
          `${failures} of ${latenciesMs.length} orders were not answered with 200\n${server.output()}`,
        );
      const figure = (p: number, target?: string): BenchRow => ({
        bench: 'rest',
        what: `POST order to answered outcome, p${p}, ${RATE_PER_SECOND}/s`,
        value: percentile(latenciesMs, p),
        unit: 'ms',
        ...(target === undefined ? {} : { target }),
        beside: {
          what: 'an HTTP server that does nothing',
          ratio: percentile(latenciesMs, p) / percentile(baseline.latenciesMs, p),
        },
      });
      return [figure(50), figure(95, '< 10 ms'), figure(99)];
    } finally {
      await server.stop();
    }
  });
}
