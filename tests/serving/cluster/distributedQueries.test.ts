import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import Fastify, { type FastifyInstance } from 'fastify';
import { HttpForwarder } from '../../../serving/cluster/httpForwarder.ts';
import { registerInternalQueries } from '../../../serving/cluster/internalQueries.ts';
import { toApiError } from '../../../serving/http/apiError.ts';
import type { StoreLocation } from '../../../stores/store.ts';
import {
  type AsyncEntries,
  LocalQueries,
  type ReadSource,
  type ValueAndTimestamp,
} from '../../../streams/index.ts';
import type { QueryPeer, StoreDirectory } from '../../../streams/query/distributed/directory.ts';
import { DistributedQueries } from '../../../streams/query/distributed/distributedQueries.ts';
import { PartitionAsker } from '../../../streams/query/distributed/partitionAsker.ts';
import { type HostedStores, QueryHost } from '../../../streams/query/distributed/queryHost.ts';
import { CountedNames, NAMES, PARTITIONS } from '../../streams/query/names.ts';
import { until } from '../../support/until.ts';

const SECRET = 'a-secret-of-all-the-processes';
const MANY = 2_345;
/** Long enough for a machine that does other things as well: queries that nobody can answer wait it out. */
const QUERY_TIMEOUT_MS = 2_000;

type Role = 'active' | 'restoring' | 'standby';

/** A process of a deployment: real stores, all of which it has, but it hosts only what it is told to. */
class Process {
  readonly counted: CountedNames;
  readonly server: FastifyInstance;
  readonly roles = new Map<number, Role>();
  readonly positions = new Map<number, number>();
  settling: Promise<void> | null = null;
  address = '';
  requests = 0;
  host: QueryHost | null = null;

  constructor(counted: CountedNames) {
    this.counted = counted;
    this.server = Fastify();
    this.server.setErrorHandler((thrown, _request, reply) => {
      const error = toApiError(thrown);
      return reply.status(error.status).send(error.body());
    });
  }

  async listen(directory: StoreDirectory): Promise<void> {
    const hosted: HostedStores = {
      state: this.counted.state,
      roleOf: ({ partition }: StoreLocation) => this.roles.get(partition) ?? null,
      lagOf: () => 17,
      appliedPosition: (_applicationId, _topic, partition) => this.positions.get(partition) ?? null,
      settled: () => this.settling,
    };
    this.host = new QueryHost(hosted, directory);
    this.server.addHook('onRequest', async () => {
      this.requests += 1;
    });
    await registerInternalQueries(this.server, this.host, SECRET);
    this.address = await this.server.listen({ host: '127.0.0.1', port: 0 });
  }
}

let here: Process;
let there: Process;
let oracle: LocalQueries;
let queries: DistributedQueries;
const forwarder = new HttpForwarder(SECRET);
/** Who says it hosts which partition; who is not named is asked last. */
let peersOf: (partition: number) => readonly QueryPeer[];

const directory: StoreDirectory = {
  store: (applicationId, storeName) => ({
    applicationId,
    storeName,
    ...here.counted.runtime.stores.lookup(applicationId, storeName),
  }),
  peersOf: (_store, partition) => ({
    active: peersOf(partition),
    standbys: [{ instanceId: 'there', address: there.address }],
  }),
};

before(async () => {
  here = new Process(await CountedNames.open());
  there = new Process(await CountedNames.open());
  const many = Array.from({ length: MANY }, (_, at) => [`many-${String(at).padStart(5, '0')}`, 100] as const);
  for (const { counted } of [here, there]) {
    await counted.send(many);
    await counted.send(Array.from({ length: 90 }, (_, at) => ['windowed', 10 * at] as const));
  }
  await there.listen(directory);
  await here.listen(directory);
  oracle = new LocalQueries(here.counted.runtime.stores);
  queries = new DistributedQueries(
    directory,
    new PartitionAsker(directory, here.host!, forwarder, QUERY_TIMEOUT_MS),
  );
});

beforeEach(() => {
  here.roles.clear();
  there.roles.clear();
  here.roles.set(0, 'active');
  for (let partition = 1; partition < PARTITIONS; partition += 1) there.roles.set(partition, 'active');
  here.settling = there.settling = null;
  peersOf = (partition) =>
    partition === 0
      ? [{ instanceId: 'here', address: null }]
      : [{ instanceId: 'there', address: there.address }];
});

after(async () => {
  forwarder.close();
  for (const { server, counted } of [here, there]) {
    await server.close();
    await counted.close();
  }
});

const counts = (from: LocalQueries | DistributedQueries = queries) =>
  from.keyValue<string, ValueAndTimestamp<number>>('app', 'counts');
const windows = (from: LocalQueries | DistributedQueries = queries) =>
  from.window<string, ValueAndTimestamp<number>>('app', 'by-window');

test('every read gives what it gives where all partitions are in one process', async () => {
  const reads: readonly ((from: LocalQueries | DistributedQueries) => AsyncEntries<unknown, unknown>)[] = [
    (from) => counts(from).all(),
    (from) => counts(from).reverseAll(),
    (from) => counts(from).range('bob', 'many-01000'),
    (from) => counts(from).reverseRange(null, 'many-02000'),
    (from) => counts(from).prefixScan(Buffer.from('many-00')),
    (from) => counts(from).prefixScan(Buffer.from('many-')),
    (from) => counts(from).forRecordKey('many-00007').all(),
    (from) => windows(from).fetch('ann', 0, 99),
    (from) => windows(from).fetch('windowed', 5, 850),
    (from) => windows(from).backwardFetch('windowed', 0, 2_000),
    (from) => from.session('app', 'sessions').findSessions('windowed', 0, 2_000),
    (from) => from.session('app', 'sessions').findSessions('ann', 1, 24),
  ];
  for (const [index, read] of reads.entries()) {
    const expected = await read(oracle).toArray();
    assert.ok(expected.length > 0, `read ${index} finds something`);
    assert.deepEqual(await read(queries).toArray(), expected, `read ${index}`);
    assert.deepEqual(await read(queries).toArray(7), expected.slice(0, 7), `the first of read ${index}`);
    const paged: unknown[] = [];
    for await (const page of read(queries).pages(20)) {
      assert.ok(page.length > 0 && page.length <= 20);
      paged.push(...page);
    }
    assert.deepEqual(paged, expected, `pages of read ${index}`);
  }
  for (const name of [...NAMES, 'zoe'])
    assert.deepEqual(await counts().get(name), await counts(oracle).get(name), name);
  assert.deepEqual(await windows().fetchSingle('ann', 10), await windows(oracle).fetchSingle('ann', 10));
  assert.equal(await queries.session('app', 'sessions').fetchSession('ann', 12, 12), 1);
  assert.equal(await queries.session('app', 'sessions').fetchSession('ann', 12, 13), null);
});

test('queries of one turn travel together', async () => {
  const names = (await counts(oracle).all().toArray()).map(({ key }) => key).slice(0, 250);
  there.requests = 0;
  const found = await Promise.all(names.map((name) => counts().forRecordKey(name).get(name)));
  assert.ok(found.every((value) => value !== null));
  assert.ok(there.requests <= 2, `${there.requests} requests for ${names.length} keys`);
});

test('a read waits for the commit under way, and for a position it asks for', async () => {
  const name = await nameOfPartition(1);
  let settle = (): void => undefined;
  there.settling = new Promise((resolve) => {
    settle = resolve;
  });
  let answered = false;
  const before = there.requests;
  const reading = counts()
    .forRecordKey(name)
    .get(name)
    .then(() => {
      answered = true;
    });
  await until('the query has arrived', () => there.requests > before);
  assert.equal(answered, false);
  settle();
  await reading;
  there.positions.set(1, 41);
  const bounded = queries.keyValue<string, unknown>('app', 'counts', {
    atLeast: [{ topic: 'in', partition: 1, offset: 42 }],
  });
  await assert.rejects(bounded.forRecordKey(name).get(name), { code: 'STREAMS_QUERY_TIMEOUT' });
  const later = bounded.forRecordKey(name).get(name);
  there.positions.set(1, 42);
  assert.notEqual(await later, null);
});

test('a partition that is restored, one that nobody hosts and a process that is gone are told apart', async () => {
  const name = await nameOfPartition(1);
  const read = () => counts().forRecordKey(name).get(name);
  there.roles.set(1, 'restoring');
  await assert.rejects(read(), {
    code: 'STREAMS_STORE_RESTORING',
    message: 'partition 1 of store counts of app is being restored; 17 changes to go',
  });
  there.roles.delete(1);
  await assert.rejects(read(), { code: 'STREAMS_NO_HOST', message: /is not hosted here$/ });
  peersOf = () => [];
  await assert.rejects(read(), { code: 'STREAMS_NO_HOST', message: /start one with the role app$/ });
  peersOf = () => [{ instanceId: 'gone', address: 'http://127.0.0.1:1' }];
  await assert.rejects(read(), { code: 'STREAMS_NO_HOST', message: 'http://127.0.0.1:1 cannot be reached' });
});

test('a read finds its partition again while it moves', async () => {
  const name = await nameOfPartition(1);
  there.roles.delete(1);
  const read = counts().forRecordKey(name).get(name);
  setTimeout(() => there.roles.set(1, 'active'), 50);
  assert.notEqual(await read, null);
});

test('a standby answers only where it may, and says how old its answer is', async () => {
  const name = await nameOfPartition(1);
  there.roles.set(1, 'standby');
  await assert.rejects(counts().forRecordKey(name).get(name), { code: 'STREAMS_NO_HOST' });
  const sources: ReadSource[] = [];
  const stale = queries.keyValue<string, unknown>('app', 'counts', {
    standby: true,
    onSource: (source) => sources.push(source),
  });
  assert.notEqual(await stale.forRecordKey(name).get(name), null);
  assert.deepEqual(sources, [{ role: 'standby', lag: 17 }]);
});

test('whoever does not know the secret is told nothing, and what is no query is refused', async () => {
  const name = await nameOfPartition(1);
  const stranger = new HttpForwarder('a-secret-of-somebody-else');
  const asker = new PartitionAsker(directory, here.host!, stranger, QUERY_TIMEOUT_MS);
  await assert.rejects(
    new DistributedQueries(directory, asker).keyValue('app', 'counts').forRecordKey(name).get(name),
    { code: 'STREAMS_NO_HOST', message: /OPENTAPE_CLUSTER_SECRET/ },
  );
  stranger.close();
  const post = async (body: string | Uint8Array, type: string, secret = SECRET): Promise<number> => {
    const response = await fetch(`${there.address}/internal/queries`, {
      method: 'POST',
      headers: { 'content-type': type, authorization: `Bearer ${secret}` },
      body,
    });
    await response.arrayBuffer();
    return response.status;
  };
  assert.equal(await post('x', 'application/msgpack', 'wrong'), 401);
  assert.equal(await post('x', 'application/msgpack'), 400);
  assert.equal(await post('{}', 'application/json'), 415);
  assert.equal(await post(new Uint8Array(1024 * 1024 + 1), 'application/msgpack'), 413);
});

async function nameOfPartition(partition: number): Promise<string> {
  for (const name of NAMES) if (here.counted.partitionOf(name) === partition) return name;
  throw new Error(`no name is in partition ${partition}`);
}
