/** One contract for both ways to the data: the directory of a stopped instance, and the HTTP server of a running one. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readConfig } from '../../../serving/config.ts';
import { createLogger } from '../../../serving/log.ts';
import type { OperatorAccess } from '../../../serving/ops/access.ts';
import { DirectAccess } from '../../../serving/ops/direct.ts';
import { readInstance } from '../../../serving/ops/instance.ts';
import { openAccess } from '../../../serving/ops/open.ts';
import { RemoteAccess } from '../../../serving/ops/remote.ts';
import type { TailOptions } from '../../../serving/ops/topics.ts';
import type { Platform } from '../../../serving/platform.ts';
import { type Running, startEmbedded } from '../../../serving/start.ts';
import { ORDER_UPDATES } from '../../../topologies/orders/topics.ts';
import { TemporaryDirectory } from '../../support/temporary.ts';
import { changeEntry, customer, damage, HOUSE, openFloor, SYMBOLS, trade } from './tradingFloor.ts';

const never = new AbortController().signal;
const LATEST: TailOptions = { from: 'latest', partition: null, key: null, limit: null, follow: false };
const BAD_KEY = 'bad-entry';

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

/** A directory that was traded on, with one record and one entry that cannot be decoded. */
async function prepare(directory: string): Promise<void> {
  const platform = await openFloor(directory);
  await trade(platform, 600);
  await platform.close();
  await damage(directory, {
    records: [
      {
        topic: 'user.actions',
        partition: 1,
        key: Buffer.from('me'),
        value: Buffer.from([9, 8, 7]),
        timestamp: 5,
      },
    ],
    stores: changeEntry('portfolio', 'portfolio-positions', () => Buffer.from([1, 2, 3])),
  });
}

interface Way {
  readonly name: string;
  open(directory: string): Promise<{ readonly access: OperatorAccess; close(): Promise<void> }>;
}

function start(directory: string): Promise<Running<Platform>> {
  const config = readConfig({ OPENTAPE_DATA_DIR: directory, OPENTAPE_SOURCE: 'none', PORT: '0' });
  return startEmbedded(
    config,
    createLogger('silent', () => undefined, false),
    () => undefined,
  );
}

const WAYS: readonly Way[] = [
  {
    name: 'stopped',
    open: async (directory) => {
      const access = await openAccess(readConfig({ OPENTAPE_DATA_DIR: directory }));
      assert.ok(access instanceof DirectAccess);
      return { access, close: () => access.close() };
    },
  },
  {
    name: 'running',
    open: async (directory) => {
      const running = await start(directory);
      const access = await openAccess(readConfig({ OPENTAPE_DATA_DIR: directory }));
      assert.ok(access instanceof RemoteAccess);
      return {
        access,
        close: async () => {
          await access.close();
          await running.close();
        },
      };
    },
  },
];

for (const way of WAYS) {
  describe(`access to a ${way.name} instance`, () => {
    const directory = new TemporaryDirectory();
    let access: OperatorAccess;
    let close: () => Promise<void>;
    before(async () => {
      await prepare(directory.path);
      ({ access, close } = await way.open(directory.path));
    });
    after(async () => {
      await close();
      directory.remove();
    });

    test('lists the topics with their settings and offsets', async () => {
      assert.equal(access.mode, way.name);
      const topics = await access.topics();
      const updates = topics.find(({ name }) => name === ORDER_UPDATES.name)!;
      assert.equal(updates.partitions, 4);
      assert.equal(updates.schema, ORDER_UPDATES.schema);
      assert.equal(
        updates.records,
        updates.offsets.reduce((sum, { latest }) => sum + latest, 0),
      );
      assert.ok(updates.records > 600);
      assert.equal(topics.find(({ name }) => name === 'orders.dead-letter')?.schema, null);
    });

    test('shows the last records in the order of appending, decoded', async () => {
      const all = await collect(
        access.tail(ORDER_UPDATES.name, { ...LATEST, from: 'beginning', limit: 100_000 }, never),
      );
      assert.ok(all.every(({ undecodable, value }) => undecodable === null && value !== null));
      assert.deepEqual(
        await collect(access.tail(ORDER_UPDATES.name, { ...LATEST, limit: 7 }, never)),
        all.slice(-7),
      );
      assert.equal((await collect(access.tail(ORDER_UPDATES.name, LATEST, never))).length, 20);
      assert.deepEqual(await collect(access.tail(ORDER_UPDATES.name, { ...LATEST, from: 'end' }, never)), []);
      const ofKey = await collect(
        access.tail(ORDER_UPDATES.name, { ...LATEST, key: customer(2), limit: 5 }, never),
      );
      assert.deepEqual(ofKey, all.filter(({ key }) => key === customer(2)).slice(-5));
      const { partition } = all.find(({ key }) => key === HOUSE)!;
      const ofPartition = await collect(
        access.tail(ORDER_UPDATES.name, { ...LATEST, from: 3, partition, limit: 4 }, never),
      );
      assert.deepEqual(
        ofPartition.map((record) => [record.partition, record.offset]),
        [3, 4, 5, 6].map((offset) => [partition, offset]),
      );
    });

    test('shows a record that cannot be decoded as such, with cause and first bytes', async () => {
      const records = await collect(access.tail('user.actions', { ...LATEST, partition: 1 }, never));
      const { key, value, undecodable } = records.at(-1)!;
      assert.deepEqual([key, value], ['me', null]);
      assert.match(undecodable!.cause, /SCHEMA_BAD_MAGIC/);
      assert.deepEqual([undecodable!.bytes, undecodable!.head], [3, '090807']);
    });

    test('lists the stores and counts their entries', async () => {
      const stores = await access.stores(true);
      const accounts = stores.find(
        ({ application, store }) => application === 'orders' && store === 'accounts',
      )!;
      assert.deepEqual(
        [(accounts.entries ?? 0) >= 7, accounts.counted, accounts.global],
        [true, true, false],
      );
      const assets = stores.find(({ store }) => store === 'assets')!;
      assert.deepEqual([assets.entries, assets.global, assets.partitions], [SYMBOLS.length, true, 1]);
      const candles = stores.find(({ store }) => store === 'candles-m1')!;
      assert.deepEqual([candles.kind, candles.entries], ['window', SYMBOLS.length]);
    });

    test('gets and scans entries of key-value stores', async () => {
      const [entry] = await access.entries('orders', 'accounts', customer(3));
      assert.equal((entry!.value as { accountId: string }).accountId, customer(3));
      assert.deepEqual(await access.entries('orders', 'accounts', 'nobody'), []);
      const scan = (options: object) =>
        collect(
          access.scan('orders', 'accounts', { prefix: null, from: null, to: null, limit: 100, ...options }),
        );
      const keys = (await scan({})).map(({ key }) => key);
      assert.deepEqual(keys, [...keys].sort());
      assert.ok(keys.length >= 7);
      assert.deepEqual(
        (await scan({ limit: 2 })).map(({ key }) => key),
        keys.slice(0, 2),
      );
      assert.deepEqual(
        (await scan({ from: keys[1], to: keys[3] })).map(({ key }) => key),
        keys.slice(1, 4),
      );
      assert.deepEqual(
        (await scan({ prefix: '00000001-' })).map(({ key }) => key),
        keys.filter((key) => key.startsWith('00000001-')),
      );
      assert.deepEqual(await scan({ prefix: 'zzz' }), []);
    });

    test('gets and scans windows', async () => {
      const windows = await access.entries('candles', 'candles-m1', 'IBM');
      assert.equal(windows.length, 1);
      const { window, value } = windows[0]!;
      assert.deepEqual(
        [window!.endMs! - window!.startMs, (value as { interval: string }).interval],
        [60_000, 'M1'],
      );
      const scan = (options: object) =>
        collect(
          access.scan('candles', 'candles-m1', {
            prefix: null,
            from: null,
            to: null,
            limit: 100,
            ...options,
          }),
        );
      assert.deepEqual((await scan({})).map(({ key }) => key).sort(), [...SYMBOLS].sort());
      assert.deepEqual(
        (await scan({ prefix: 'I' })).map(({ key }) => key),
        ['IBM'],
      );
      assert.equal((await scan({ from: window!.startMs, to: window!.startMs })).length, SYMBOLS.length);
      assert.deepEqual(await scan({ from: window!.startMs + 1 }), []);
    });

    test('shows an entry that cannot be decoded as such, and the others all the same', async () => {
      const options = { prefix: null, from: null, to: null, limit: 100 };
      const entries = await collect(access.scan('portfolio', 'portfolio-positions', options));
      const bad = entries.filter(({ undecodable }) => undecodable !== null);
      assert.ok(entries.length > 1);
      assert.deepEqual(
        bad.map(({ undecodable }) => undecodable!.head),
        ['010203'],
      );
      assert.deepEqual(await access.entries('portfolio', 'portfolio-positions', bad[0]!.key), bad);
    });

    test('names what there is where something is not there', async () => {
      const refused = (code: string, message: RegExp) => ({ code, message });
      const notFound = (message: RegExp) => refused('SERVING_NOT_FOUND', message);
      await assert.rejects(
        collect(access.tail('nope', LATEST, never)),
        notFound(/no topic nope; topics: .*orders\.commands/),
      );
      await assert.rejects(
        collect(access.tail(ORDER_UPDATES.name, { ...LATEST, partition: 9 }, never)),
        notFound(/no partition 9; its partitions are 0 to 3/),
      );
      const scan = { prefix: null, from: null, to: null, limit: 1 };
      await assert.rejects(
        collect(access.scan('nope', 'x', scan)),
        notFound(/no application nope; applications: quotes,/),
      );
      await assert.rejects(
        collect(access.scan('orders', 'x', scan)),
        notFound(/orders has no store x; its stores: accounts,/),
      );
      await assert.rejects(access.entries('orders', BAD_KEY, 'x'), notFound(/no store bad-entry/));
    });

    test('verifies, telling how far it is', async () => {
      const steps: string[] = [];
      const report = await access.verify(
        { only: ['money', 'books'], violationsMax: 5 },
        ({ invariant, step }) => steps.push(`${invariant} ${step}`),
      );
      assert.deepEqual(
        report.invariants.map(({ invariant, violationCount }) => [invariant, violationCount]),
        [
          ['money', 0],
          ['books', 0],
        ],
      );
      assert.ok(steps.includes('books partition 3'));
    });
  });
}

test('follows what is appended to a running instance; a stopped one has nothing to follow', async () => {
  const directory = new TemporaryDirectory();
  await prepare(directory.path);
  const running = await start(directory.path);
  const access = await openAccess(readConfig({ OPENTAPE_DATA_DIR: directory.path }));
  const stop = new AbortController();
  const following = access
    .tail('account.updates', { ...LATEST, from: 'beginning', follow: true }, stop.signal)
    [Symbol.asyncIterator]();
  const present = (await access.topics()).find(({ name }) => name === 'account.updates')!.records;
  for (let index = 0; index < present; index += 1) await following.next();
  const next = following.next();
  await trade(running.platform, 0, 2);
  assert.equal((await next).value!.topic, 'account.updates');
  stop.abort();
  while ((await following.next()).done !== true);
  await running.close();
  const stopped = await openAccess(readConfig({ OPENTAPE_DATA_DIR: directory.path }));
  assert.throws(() => stopped.tail('account.updates', { ...LATEST, follow: true }, never), {
    code: 'SERVING_UNREACHABLE',
  });
  await stopped.close();
  directory.remove();
});

test('publishes the instance to its owner only, and takes it back at the end', async () => {
  const directory = new TemporaryDirectory();
  const running = await start(directory.path);
  const path = join(directory.path, 'instance.json');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const instance = readInstance(directory.path)!;
  assert.deepEqual([instance.pid, instance.url], [process.pid, running.url]);
  for (const authorization of [
    undefined,
    'Bearer ',
    `Bearer ${instance.token}x`,
    `Basic ${instance.token}`,
    instance.token,
  ]) {
    const headers = authorization === undefined ? {} : { authorization };
    for (const route of [
      '/ops/topics',
      '/ops/stores',
      '/ops/instance',
      '/ops/topics/orders.commands/records',
    ]) {
      const response = await fetch(`${running.url}${route}`, { headers });
      assert.equal(response.status, 401);
      assert.doesNotMatch(await response.text(), new RegExp(instance.token));
    }
  }
  const authorized = { headers: { authorization: `Bearer ${instance.token}` } };
  for (const route of [
    '/ops/topics/orders.commands/records?from=noon',
    '/ops/topics/orders.commands/records?frob=1',
    '/ops/stores/orders/accounts/entries',
    '/ops/stores/orders/accounts/entries?limit=-1',
  ])
    assert.equal((await fetch(`${running.url}${route}`, authorized)).status, 400, route);
  const described = (await (await fetch(`${running.url}/docs/json`)).json()) as { paths: object };
  assert.deepEqual(
    Object.keys(described.paths).filter((route) => route.startsWith('/ops')),
    [],
  );
  await running.close();
  assert.equal(existsSync(path), false);
  const again = await start(directory.path);
  assert.notEqual(readInstance(directory.path)!.token, instance.token);
  await again.close();
  directory.remove();
});

test('passes over what an instance that was killed has left, and waits for no one that does not answer', async () => {
  const directory = new TemporaryDirectory();
  const running = await start(directory.path);
  const path = join(directory.path, 'instance.json');
  const left = readFileSync(path);
  const config = readConfig({ OPENTAPE_DATA_DIR: directory.path });
  writeFileSync(path, left.toString().replace(readInstance(directory.path)!.token, 'x'.repeat(40)));
  await assert.rejects(openAccess(config), {
    code: 'SERVING_UNREACHABLE',
    message: /in use by a process that does not answer at/,
  });
  rmSync(path);
  await assert.rejects(openAccess(config), {
    code: 'SERVING_UNREACHABLE',
    message: /it may be starting or stopping/,
  });
  await running.close();
  for (const contents of [left, '{}', 'nonsense']) {
    writeFileSync(path, contents);
    const access = await openAccess(config);
    assert.equal(access.mode, 'stopped');
    await access.close();
  }
  const before = readdirSync(directory.path).sort();
  assert.ok(before.includes('instance.json'), 'looking changes nothing');
  directory.remove();
});
