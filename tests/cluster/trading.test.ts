import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Alpaca } from '@alpacahq/alpaca-trade-api';
import { createSerdes } from '../../schemas/avroSerdes.ts';
import { ConfluentSchemaRegistry } from '../../schemas/registry/confluent.ts';
import { DEMO_ACCOUNT_ID } from '../../serving/platform.ts';
import { partitionForKey } from '../../streams/log/partitioner.ts';
import { SOURCE_POSITIONS } from '../../topologies/assets/topics.ts';
import { ORDER_UPDATES } from '../../topologies/orders/topics.ts';
import { TOPICS } from '../../topologies/topics.ts';
import { Apicurio } from '../schemas/registry/apicurio.ts';
import { ClientBook, type DepthMessage } from '../support/clientBook.ts';
import { KafkaUnderTest, kafkaMissing } from '../support/kafka.ts';
import { CONFLUENT_KAFKA, findPython, runPython } from '../support/python.ts';
import { connectSocket, DEMO_AUTH, request } from '../support/realtime.ts';
import { call, DEMO_KEY, DEMO_SECRET, type RunningServer, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { kafkaClient } from './kafkaEvidence.ts';
import { inTexts, readWithConsole, readWithPython, type SeenRecord } from './outsideReaders.ts';

/** Two processes of a deployment on a real broker, with the roles split: what one is asked for is mostly at the other. */
const KEEPER_ROLES = 'orders,portfolio,candles';
const FRONT_ROLES = 'serving,source,matching,market-maker,quotes';

const PARTITIONS = 2;

const skip = kafkaMissing();
/** Without a registry of others to be had, the deployment keeps its schemas on the log. */
const noRegistry = skip === false ? Apicurio.missing() : false;
let registry: Apicurio | null = null;
let kafka: KafkaUnderTest;
let keeper: RunningServer;
let front: RunningServer;
let directory: string;

function start(name: string, roles: string): Promise<RunningServer> {
  return startServer({
    OPENTAPE_ENGINE: 'kafka',
    KAFKA_BROKERS: kafka.brokers.join(','),
    OPENTAPE_CLUSTER_SECRET: 'known-to-both-of-the-processes',
    OPENTAPE_PARTITIONS_MAX: String(PARTITIONS),
    OPENTAPE_DATA_DIR: join(directory, name),
    OPENTAPE_ROLES: roles,
    OPENTAPE_SIMULATOR_SYMBOLS: 'AAPL,MSFT,KO',
    ...(registry === null ? {} : { SCHEMA_REGISTRY_URL: registry.url }),
  });
}

async function ready(server: RunningServer): Promise<void> {
  await until(
    'the process is ready',
    async () => (await call(server, 'GET', '/ready')).status === 200,
    120_000,
  );
}

before(async () => {
  if (skip !== false) return;
  directory = mkdtempSync(join(tmpdir(), 'opentape-cluster-'));
  const registryStarts = noRegistry === false ? Apicurio.start() : null;
  kafka = await KafkaUnderTest.start();
  registry = await registryStarts;
  [keeper, front] = await Promise.all([start('keeper', KEEPER_ROLES), start('front', FRONT_ROLES)]);
  await Promise.all([ready(keeper), ready(front)]);
  await until('the market is quoted by the house', async () => {
    const { status, body } = await call(front, 'GET', '/v2/stocks/AAPL/quotes/latest');
    return status === 200 && (body as { quote: { ap: number } }).quote.ap > 0;
  });
});

after(async () => {
  await Promise.all([front?.stop(), keeper?.stop()]);
  await Promise.all([kafka?.stop(), registry?.stop()]);
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

type Json = Readonly<Record<string, unknown>>;

test('a process without the role for it serves no API, and one with it tells how it is', {
  skip,
}, async () => {
  assert.equal((await call(keeper, 'GET', '/v2/account')).status, 404);
  assert.equal((await call(keeper, 'GET', '/health')).status, 200);
  const { checks } = (await call(front, 'GET', '/ready')).body as { checks: Json };
  assert.equal(checks['application matching'], 'ok');
  assert.equal(checks.source, 'ok');
  assert.equal(checks['application orders'], undefined);
});

test('whatever an answer says can be read back at once, from stores of the other process', {
  skip,
}, async () => {
  const place = async (index: number): Promise<void> => {
    const order = {
      symbol: 'KO',
      qty: '1',
      side: 'buy',
      type: 'limit',
      time_in_force: 'gtc',
      limit_price: '1',
    };
    const placed = await call(front, 'POST', '/v2/orders', { ...order, client_order_id: `back-${index}` });
    assert.equal(placed.status, 200, JSON.stringify(placed.body));
    const { id } = placed.body as { id: string };
    const [read, named] = await Promise.all([
      call(front, 'GET', `/v2/orders/${id}`),
      call(front, 'GET', `/v2/orders:by_client_order_id?client_order_id=back-${index}`),
    ]);
    assert.equal(read.status, 200, JSON.stringify(read.body));
    assert.equal((named.body as { id: string }).id, id);
    const replaced = await call(front, 'PATCH', `/v2/orders/${id}`, { qty: '2' });
    assert.equal(replaced.status, 200, JSON.stringify(replaced.body));
    const replacement = (replaced.body as { id: string }).id;
    assert.equal(((await call(front, 'GET', `/v2/orders/${id}`)).body as Json).status, 'replaced');
    assert.equal((await call(front, 'DELETE', `/v2/orders/${replacement}`)).status, 204);
    assert.equal(((await call(front, 'GET', `/v2/orders/${replacement}`)).body as Json).status, 'canceled');
  };
  await Promise.all(Array.from({ length: 20 }, (_, index) => place(index)));
  const open = await call(front, 'GET', '/v2/orders?status=open');
  assert.deepEqual(open.body, []);
  const closed = await call(front, 'GET', '/v2/orders?status=closed&limit=500');
  assert.equal((closed.body as Json[]).length, 40);
});

const ORDERS = `
import sys, time
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import *
from alpaca.trading.requests import *

url, key, secret = sys.argv[1:4]
client = TradingClient(key, secret, url_override=url)

def eventually(ask):
    for _ in range(300):
        answer = ask()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError('it did not come about in time')

def filled(order):
    return eventually(lambda: (lambda o: o if o.status == OrderStatus.FILLED else None)(client.get_order_by_id(order.id)))

def position(symbol):
    try:
        return client.get_open_position(symbol)
    except APIError as error:
        assert error.status_code == 404, error
        return None

bought = filled(client.submit_order(MarketOrderRequest(
    symbol='AAPL', qty=10, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, client_order_id='py-1')))
assert bought.filled_qty == '10', bought
held = eventually(lambda: position('AAPL'))
assert held.qty == '10' and held.avg_entry_price == bought.filled_avg_price, held
limit = client.submit_order(LimitOrderRequest(
    symbol='AAPL', qty=2, side=OrderSide.BUY, time_in_force=TimeInForce.GTC, limit_price=10.5))
assert limit.status == OrderStatus.NEW and limit.limit_price == '10.5', limit
replaced = client.replace_order_by_id(limit.id, ReplaceOrderRequest(qty=3, limit_price=10.75))
assert replaced.replaces == limit.id and replaced.qty == '3', replaced
client.cancel_order_by_id(replaced.id)
assert client.get_order_by_id(replaced.id).status == OrderStatus.CANCELED
try:
    client.submit_order(LimitOrderRequest(symbol='AAPL', qty=100000, side=OrderSide.BUY,
        time_in_force=TimeInForce.DAY, limit_price=10))
    raise AssertionError('the order was taken')
except APIError as error:
    assert (error.status_code, error.code) == (403, 40310000), error
sold = client.close_position('AAPL', ClosePositionRequest(qty='4'))
assert filled(sold).side == OrderSide.SELL
eventually(lambda: position('AAPL').qty == '6')
print('done')
`;

test('alpaca-py buys, replaces, cancels and closes a position', { skip }, async (context) => {
  const python = findPython();
  if (python === null) return context.skip('no Python with alpaca-py');
  assert.match(await runPython(python, ORDERS, [front.url, DEMO_KEY, DEMO_SECRET]), /done/);
});

test("Alpaca's JavaScript client hears an order through to its fill, and the market", { skip }, async () => {
  const alpaca = new Alpaca({ keyId: DEMO_KEY, secret: DEMO_SECRET });
  const socketUrl = front.url.replace('http', 'ws');
  const updates: { event: string; order: { id?: string } }[] = [];
  const trading = alpaca.trading.stream({ url: `${socketUrl}/stream` });
  trading.onTradeUpdate((update) => updates.push(update as (typeof updates)[number]));
  trading.onConnect(() => trading.subscribeTradeUpdates());
  trading.connect();
  assert.equal(await trading.waitForAuthentication(30_000), true);
  // The first order may be on its way before the stream listens: the one looked at is heard of from its beginning.
  const hears = (id: string | undefined): boolean =>
    updates.some(({ event, order }) => event === 'new' && order.id === id);
  const filled = (): string | undefined =>
    updates.find(({ event, order }) => event === 'fill' && hears(order.id))?.order.id;
  for (let attempt = 0; attempt < 20 && filled() === undefined; attempt += 1) {
    const order = { symbol: 'MSFT', qty: '1', side: 'buy', type: 'market', time_in_force: 'day' };
    assert.equal((await call(front, 'POST', '/v2/orders', order)).status, 200);
    await until('a fill', () => filled() !== undefined, 3_000).catch(() => undefined);
  }
  const events = updates.filter(({ order }) => order.id === filled()).map(({ event }) => event);
  assert.deepEqual(events, ['new', 'fill']);
  trading.disconnect();
  const market = alpaca.marketData.stockStream({ url: `${socketUrl}/v2/iex` });
  const quotes: unknown[] = [];
  market.onQuote((quote) => quotes.push(quote));
  market.onConnect(() => market.subscribeForQuotes(['AAPL']));
  market.connect();
  assert.equal(await market.waitForAuthentication(30_000), true);
  await until('quotes', () => quotes.length > 3);
  market.disconnect();
});

test('depth is a snapshot, then contiguous deltas with the right checksums', { skip }, async () => {
  const books = new Map(['AAPL', 'MSFT', 'KO'].map((symbol) => [symbol, new ClientBook()]));
  const socket = await connectSocket(front.url, DEMO_AUTH);
  socket.on('depth', (message: DepthMessage) => books.get(message.symbol)!.take(message));
  const candles: { readonly type: string }[] = [];
  socket.on('candles', (message: { readonly type: string }) => candles.push(message));
  const accounts: unknown[] = [];
  socket.on('account', (message: unknown) => accounts.push(message));
  const symbols = [...books.keys()];
  assert.equal((await request(socket, 'subscribe', { channel: 'depth', symbols })).ok, true);
  assert.equal((await request(socket, 'subscribe', { channel: 'account' })).ok, true);
  assert.equal(
    (await request(socket, 'subscribe', { channel: 'candles', symbols, interval: 'M1' })).ok,
    true,
  );
  // Whether the house moves its orders is up to the market; these move every book.
  for (const symbol of symbols)
    for (const round of [1, 2]) await placeAndCancel(`depth-${symbol}-${round}`, symbol);
  await until('deltas of every book', () => [...books.values()].every(({ deltas }) => deltas > 2));
  await until('a history of candles and updates', () =>
    ['history', 'update'].every((type) => candles.some((message) => message.type === type)),
  );
  await until('the account', () => accounts.length > 0);
  for (const [symbol, book] of books) {
    assert.deepEqual(book.problems, [], symbol);
    assert.equal(book.snapshots, 1, symbol);
  }
  socket.disconnect();
});

/** Places and cancels an order far from the market, of which two updates tell. Returns its id. */
async function placeAndCancel(clientOrderId: string, symbol = 'KO'): Promise<string> {
  const placed = await call(front, 'POST', '/v2/orders', {
    ...{ symbol, qty: '1', side: 'buy', type: 'limit', time_in_force: 'gtc', limit_price: '1' },
    client_order_id: clientOrderId,
  });
  assert.equal(placed.status, 200, JSON.stringify(placed.body));
  const { id } = placed.body as { id: string };
  assert.equal((await call(front, 'DELETE', `/v2/orders/${id}`)).status, 204);
  return id;
}

/** Writes a record of no meaning among the updates of the demo account and aborts it. Returns its place. */
async function aborted(): Promise<Pick<SeenRecord, 'partition' | 'offset'>> {
  const producer = kafkaClient(kafka.brokers, 'aborting').producer({
    idempotent: true,
    maxInFlightRequests: 1,
    transactionalId: kafka.unique('aborting'),
  });
  await producer.connect();
  const transaction = await producer.transaction();
  const partition = partitionForKey(Buffer.from(DEMO_ACCOUNT_ID), PARTITIONS);
  const messages = [{ partition, key: DEMO_ACCOUNT_ID, value: 'never to be read' }];
  const [answer] = await transaction.send({ topic: ORDER_UPDATES.name, acks: -1, messages });
  await transaction.abort();
  await producer.disconnect();
  return { partition, offset: Number(answer!.baseOffset) };
}

const ofPlace = ({ partition, offset }: Pick<SeenRecord, 'partition' | 'offset'>): string =>
  `${partition}@${offset}`;

test("Apache Kafka's console consumer reads what customers were told, and nothing that was aborted", {
  skip,
}, async () => {
  const gone = await aborted();
  await placeAndCancel('console-1');
  const ofOrder = (seen: readonly SeenRecord[]): readonly SeenRecord[] =>
    seen.filter(({ bytes }) => bytes?.includes('console-1'));
  const seen = await readWithConsole(
    process.env.OPENTAPE_TEST_KAFKA!,
    kafka.brokers,
    ORDER_UPDATES.name,
    (records) => ofOrder(records).length === 2,
  );
  for (const { key, partition, offset } of ofOrder(seen)) {
    assert.equal(key, DEMO_ACCOUNT_ID);
    assert.ok(partition === gone.partition && offset > gone.offset, 'it read past what was aborted');
  }
  assert.ok(!seen.some((record) => ofPlace(record) === ofPlace(gone)));
});

test("Confluent's Python client reads and decodes every topic as we do, by the schemas of the registry", {
  skip,
}, async (context) => {
  if (registry === null) return context.skip(noRegistry || 'no registry');
  const python = findPython(CONFLUENT_KAFKA);
  if (python === null) return context.skip(`no Python with ${CONFLUENT_KAFKA.name}`);
  const gone = await aborted();
  const id = await placeAndCancel('confluent-1');
  // The simulator keeps no position.
  const written = TOPICS.filter((topic) => topic !== SOURCE_POSITIONS);
  const topics = written.map(({ name }) => name);
  const seen = await readWithPython(python, kafka.brokers, registry.url, topics);
  const serdes = await createSerdes(new ConfluentSchemaRegistry(registry.url), TOPICS);
  for (const topic of written) {
    const records = seen.filter((record) => record.topic === topic.name);
    assert.ok(records.length > 0, `records of ${topic.name}`);
    for (const { bytes, value, ...place } of records) {
      const ours = bytes === null ? null : serdes.value(topic).deserialize(topic.name, bytes);
      assert.deepEqual(value, inTexts(ours), JSON.stringify(place));
    }
  }
  type Update = { readonly event: string; readonly order: { readonly clientOrderId: string } | null };
  const updates = seen.filter(({ topic }) => topic === ORDER_UPDATES.name);
  const ofOrder = updates.filter(({ value }) => (value as Update).order?.clientOrderId === 'confluent-1');
  assert.deepEqual(
    ofOrder.map(({ value }) => (value as Update).event),
    ['NEW', 'CANCELED'],
  );
  assert.ok(ofOrder.every(({ bytes }) => bytes!.includes(id)));
  assert.ok(ofOrder[0]!.offset > gone.offset);
  assert.ok(!updates.some((record) => ofPlace(record) === ofPlace(gone)));
});

test('without the process that keeps the accounts reads are turned away, and found again when it is back', {
  skip,
}, async () => {
  const position = (await call(front, 'GET', '/v2/positions/MSFT')).body as Json;
  await keeper.stop();
  const headers = { 'APCA-API-KEY-ID': DEMO_KEY, 'APCA-API-SECRET-KEY': DEMO_SECRET };
  const refused = await fetch(`${front.url}/v2/account`, { headers });
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.equal(typeof ((await refused.json()) as Json).message, 'string');
  keeper = await start('keeper', KEEPER_ROLES);
  await until(
    'the account is there again',
    async () => (await call(front, 'GET', '/v2/account')).status === 200,
  );
  const again = (await call(front, 'GET', '/v2/positions/MSFT')).body as Json;
  assert.equal(again.qty, position.qty);
  assert.equal(again.avg_entry_price, position.avg_entry_price);
});
