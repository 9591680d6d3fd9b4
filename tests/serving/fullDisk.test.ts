import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { call, type RunningServer, startServer } from '../support/server.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import { until } from '../support/until.ts';

const DISK = '64m';
/** Writes beyond so many bytes of a file fail: less than any write-ahead log has that is in use. */
const FILE_BYTES = 1_000;

const readyStatus = async (server: RunningServer): Promise<number> =>
  (await fetch(`${server.url}/ready`)).status;

/** Orders that rest far below the market, each under a name of its own. */
class Customer {
  readonly taken: string[] = [];
  #count = 0;

  async order(server: RunningServer): Promise<{ readonly status: number; readonly body: unknown }> {
    this.#count += 1;
    const client_order_id = `order-${this.#count}`;
    const order = {
      symbol: 'KO',
      side: 'buy',
      qty: '1',
      type: 'limit',
      limit_price: '1',
      time_in_force: 'gtc',
    };
    const answer = await call(server, 'POST', '/v2/orders', { ...order, client_order_id });
    if (answer.status === 200) this.taken.push(client_order_id);
    return answer;
  }

  /** Everything that was taken is there, once. */
  async check(server: RunningServer): Promise<void> {
    const { status, body } = await call(server, 'GET', '/v2/orders?status=open&limit=500&direction=asc');
    assert.equal(status, 200, JSON.stringify(body));
    const names = (body as readonly { readonly client_order_id: string }[]).map(
      ({ client_order_id: name }) => name,
    );
    assert.equal(new Set(names).size, names.length);
    for (const name of this.taken) assert.ok(names.includes(name), `${name} was answered with 200`);
  }
}

/** A disk that can be filled, and emptied again. */
interface Pressure {
  fill(server: RunningServer): void;
  relieve(server: RunningServer): void;
}

/** A file that takes all the room there is, and gives it back. */
function ballast(disk: string): Pressure {
  const path = join(disk, 'ballast');
  return {
    fill: () => {
      const file = openSync(path, 'w');
      try {
        for (let size = 1 << 20; size >= 1; ) {
          try {
            if (writeSync(file, Buffer.alloc(size)) < size) size >>= 1;
          } catch (error) {
            assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
            size >>= 1;
          }
        }
      } finally {
        closeSync(file);
      }
    },
    relieve: () => rmSync(path),
  };
}

/** The size of files, as the system limits it for one process. */
const FILE_LIMIT: Pressure = {
  fill: ({ process: { pid } }) =>
    void spawnSync('prlimit', ['--pid', String(pid), `--fsize=${FILE_BYTES}:unlimited`]),
  relieve: ({ process: { pid } }) =>
    void spawnSync('prlimit', ['--pid', String(pid), '--fsize=unlimited:unlimited']),
};

async function survives(dataDirectory: string, pressure: Pressure, t: TestContext): Promise<void> {
  const settings = {
    OPENTAPE_DATA_DIR: dataDirectory,
    OPENTAPE_SIMULATOR_SYMBOLS: 'AAPL,KO',
    // RocksDB takes room for its log ahead: it is used up soon.
    OPENTAPE_SIMULATOR_QUOTES_PER_SECOND: '10000',
    OPENTAPE_MEMORY_BUDGET_MB: '32',
  };
  const customer = new Customer();
  let server = await startServer(settings);
  try {
    for (let order = 0; order < 5; order += 1) assert.equal((await customer.order(server)).status, 200);
    assert.equal(await readyStatus(server), 200);

    pressure.fill(server);
    await until('not ready', async () => (await readyStatus(server)) === 503);
    await until('an order is refused', async () => (await customer.order(server)).status === 503);
    const { status, body } = await customer.order(server);
    assert.deepEqual([status, (body as { readonly code: number }).code], [503, 50310000]);
    assert.equal((await fetch(`${server.url}/health`)).status, 200, 'the process lives');

    pressure.relieve(server);
    await until('ready again', async () => (await readyStatus(server)) === 200);
    await until('orders are taken', async () => (await customer.order(server)).status === 200);
    await customer.check(server);

    // Told to stop while the disk is full, it stops; and the next start finds everything.
    pressure.fill(server);
    await until('not ready', async () => (await readyStatus(server)) === 503);
    assert.equal(await server.stop(), 0, server.output());
    pressure.relieve(server);
    server = await startServer(settings);
    await customer.check(server);
    assert.equal((await customer.order(server)).status, 200);
    t.diagnostic(`${customer.taken.length} orders taken`);
  } finally {
    await server.kill();
  }
}

test(
  'a process whose files may not grow takes no orders, says so, and recovers',
  {
    skip: spawnSync('prlimit', ['--version']).status === 0 ? false : 'prlimit is missing',
  },
  (t) => withTemporaryDirectory((folder) => survives(join(folder, 'data'), FILE_LIMIT, t)),
);

test('a full disk takes no orders, says so, and recovers', async (t) => {
  await withTemporaryDirectory(async (folder) => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'opentape-test', disk]);
    if (mounted.status !== 0) {
      t.skip('a small file system can only be mounted by root');
      return;
    }
    try {
      await survives(join(disk, 'data'), ballast(disk), t);
    } finally {
      spawnSync('umount', [disk]);
    }
  });
});
