import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MarketQuote, MarketTrade } from '../../schemas/generated/types.ts';
import type { Ticker } from '../../schemas/ids.ts';
import type { Platform } from '../../serving/platform.ts';
import { MarketQueries } from '../../serving/queries/market.ts';
import type { ProducerRecord, RecordAck } from '../../streams/log/log.ts';
import { records } from '../../streams/ops/digest.ts';
import { topicsReadBy } from '../../streams/ops/lag.ts';
import { deadLetterTopic } from '../../streams/task/handlers.ts';
import { SOURCE_POSITIONS } from '../../topologies/assets/topics.ts';
import { PRICE_MAX_TICKS, QUANTITY_MAX_MICROS } from '../../topologies/domain/money.ts';
import { ORDER_UPDATES, TRADE_EVENTS } from '../../topologies/orders/topics.ts';
import { MARKET_QUOTES, MARKET_TRADES } from '../../topologies/quotes/topics.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import { openFloor, START_MS, trade } from './ops/tradingFloor.ts';

const HEADERS = [
  { key: 'traceparent', value: Buffer.from('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01') },
  { key: 'empty', value: null },
];
const ERROR_HEADER = '__streams.errors.';

/** Bytes that are no value of any topic here, by what is wrong with them. */
function malformed(platform: Platform): Readonly<Record<string, Buffer>> {
  // A topic that no application reads: what fits its schema fits no other's.
  const foreign = platform.serdes.value(SOURCE_POSITIONS).serialize(SOURCE_POSITIONS.name, {
    source: 'somebody',
    day: '20131007',
    index: 1,
    records: 1,
    marketTimeMs: 1,
  });
  const unknownId = Buffer.from(foreign);
  unknownId.writeUInt32BE(0x00ff_ffff, 1);
  return {
    'no bytes': Buffer.alloc(0),
    text: Buffer.from('{"symbol":"AAPL"}'),
    'a header and nothing else': foreign.subarray(0, 5),
    'an id that is not registered': unknownId,
    'another schema': foreign,
    'bytes at random': Buffer.concat([foreign.subarray(0, 5), Buffer.alloc(200, 0xff)]),
  };
}

async function count(platform: Platform, topic: string): Promise<number> {
  const { offsets } = await platform.engine.admin.describeTopic(topic);
  return offsets.reduce((sum, { latest }) => sum + latest, 0);
}

/** The dead letters of an application, by the place where each stood. */
async function lettersOf(platform: Platform, applicationId: string) {
  const letters = new Map<
    string,
    { key: Buffer | null; value: Buffer | null; headers: ProducerRecord['headers'] }
  >();
  for await (const { key, value, headers } of records(platform.engine, deadLetterTopic(applicationId), 0)) {
    const told = (name: string): string =>
      String(headers.find((header) => header.key === `${ERROR_HEADER}${name}`)?.value);
    const place = `${told('topic')} ${told('partition')}@${told('offset')}`;
    assert.ok(!letters.has(place), `${place} was put aside once`);
    assert.equal(told('application'), applicationId);
    assert.equal(told('exception'), 'STREAMS_DESERIALIZATION');
    assert.match(told('message'), /cannot be decoded: /, 'the cause is told');
    letters.set(place, { key, value, headers });
  }
  return letters;
}

test('what cannot be decoded is put aside with its bytes, headers and cause, whatever topic it is on, and processing goes on', async () => {
  await withTemporaryDirectory(async (folder) => {
    const directory = join(folder, 'data');
    let platform = await openFloor(directory);
    try {
      await trade(platform, 300);
      const inputs = new Set(platform.applications.flatMap(topicsReadBy));
      assert.ok(inputs.size >= 10);
      const sent: { readonly record: ProducerRecord; readonly ack: RecordAck }[] = [];
      for (const topic of inputs) {
        for (const [name, value] of Object.entries(malformed(platform))) {
          const record = { topic, key: Buffer.from(name), value, timestamp: START_MS, headers: HEADERS };
          const [ack] = await platform.producer.send([record]);
          sent.push({ record, ack: ack! });
        }
      }
      const expected = new Map(
        platform.applications.map((application) => {
          const own = sent.filter(({ record }) => topicsReadBy(application).includes(record.topic));
          return [application.applicationId, own] as const;
        }),
      );
      for (const [applicationId, own] of expected) {
        const letters = await lettersOf(platform, applicationId);
        assert.equal(letters.size, own.length, applicationId);
        for (const { record, ack } of own) {
          const letter = letters.get(`${ack.topic} ${ack.partition}@${ack.offset}`);
          assert.deepEqual(
            [letter?.key, letter?.value],
            [record.key, record.value],
            `${applicationId} ${record.key}`,
          );
          assert.deepEqual(letter?.headers?.slice(0, HEADERS.length), HEADERS);
        }
      }

      const before = [await count(platform, ORDER_UPDATES.name), await count(platform, TRADE_EVENTS.name)];
      await trade(platform, 300, 2);
      assert.equal(platform.runtime.state, 'running');
      assert.ok((await count(platform, ORDER_UPDATES.name)) > before[0]! + 200, 'orders have outcomes');
      assert.ok((await count(platform, TRADE_EVENTS.name)) > before[1]!, 'orders trade');

      await platform.close();
      platform = await openFloor(directory);
      await trade(platform, 100, 3);
      assert.equal(platform.runtime.state, 'running');
      for (const [applicationId, own] of expected)
        assert.equal((await lettersOf(platform, applicationId)).size, own.length, 'none comes twice');
    } finally {
      await platform.close();
    }
  });
});

test('a feed gone mad stops no application: what no order could be at is put aside, and sums stay within bounds', async () => {
  await withTemporaryDirectory(async (folder) => {
    const directory = join(folder, 'data');
    const most = (Number.MAX_SAFE_INTEGER - 1) as number;
    const trades = [
      { priceTicks: 1_000_000, sizeMicros: most },
      { priceTicks: -1, sizeMicros: 1_000_000 },
      { priceTicks: 1_000_000, sizeMicros: -1 },
      { priceTicks: most, sizeMicros: most },
      { priceTicks: PRICE_MAX_TICKS, sizeMicros: QUANTITY_MAX_MICROS },
    ];
    const quotes = [
      { bidPriceTicks: most - 1, askPriceTicks: most },
      { bidPriceTicks: -5 },
      { bidSizeMicros: most },
      { askSizeMicros: -1 },
    ];
    let platform = await openFloor(directory);
    try {
      await trade(platform, 100);
      for (const absurd of trades) await sendTrade(platform, absurd);
      for (const absurd of quotes) await sendQuote(platform, absurd);
      // Large, but possible: their sum is more than a candle can hold.
      for (let index = 0; index < 100; index += 1)
        await sendTrade(platform, { priceTicks: 100, sizeMicros: QUANTITY_MAX_MICROS });
      await trade(platform, 100, 2);
      assert.equal(platform.runtime.state, 'running');
      await platform.close();
      platform = await openFloor(directory);
      assert.equal(platform.runtime.state, 'running');
      const put = async (id: string): Promise<number> => (await lettersOf(platform, id)).size;
      assert.deepEqual(
        [await put('candles'), await put('quotes'), await put('market-maker'), await put('orders')],
        [trades.length, trades.length + quotes.length, quotes.length, 0],
      );
      const days = await new MarketQueries(platform.queries).candles('AAPL', 'D1', 0, 2 * START_MS);
      const candle = days.at(-1);
      assert.equal(candle?.volumeMicros, most);
    } finally {
      await platform.close();
    }
  });
});

async function sendTrade(
  { producer, serdes }: Platform,
  fields: { readonly priceTicks: number; readonly sizeMicros: number },
): Promise<void> {
  const value = {
    symbol: 'AAPL' as Ticker,
    exchange: 'Q',
    tradeNumber: 1,
    conditions: '',
    eligible: true,
    ...(fields as Pick<MarketTrade, 'priceTicks' | 'sizeMicros'>),
  };
  const bytes = serdes.value(MARKET_TRADES).serialize(MARKET_TRADES.name, value);
  await producer.send([
    { topic: MARKET_TRADES.name, key: Buffer.from('AAPL'), value: bytes, timestamp: START_MS },
  ]);
}

async function sendQuote({ producer, serdes }: Platform, fields: object): Promise<void> {
  const usual = {
    bidPriceTicks: 1_000_000,
    bidSizeMicros: 1_000_000,
    askPriceTicks: 1_000_100,
    askSizeMicros: 1_000_000,
  };
  const value = { symbol: 'AAPL', exchange: 'Q', ...usual, ...fields } as MarketQuote;
  const bytes = serdes.value(MARKET_QUOTES).serialize(MARKET_QUOTES.name, value);
  await producer.send([
    { topic: MARKET_QUOTES.name, key: Buffer.from('AAPL'), value: bytes, timestamp: START_MS },
  ]);
}
