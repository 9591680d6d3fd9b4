import assert from 'node:assert/strict';
import { test } from 'node:test';
import { historyPage } from '../../../serving/queries/marketHistory.ts';
import { MARKET_TRADES } from '../../../topologies/quotes/topics.ts';
import { RestExchange, START_MS } from './exchange.ts';

type Row = Record<string, unknown>;

async function tape(exchange: RestExchange): Promise<void> {
  await exchange.quote('AAPL', '199.98', '200.02');
  await exchange.quote('IBM', '219.98', '220.02');
  for (let minute = 0; minute < 4; minute += 1) {
    await exchange.trade('AAPL', `20${minute}.10`, '100');
    await exchange.trade('AAPL', `20${minute}.40`, '50');
    await exchange.trade('IBM', '220.5', '10');
    exchange.advance(57_000);
  }
}

const at = (afterStartMs: number) => new Date(START_MS + afterStartMs).toISOString().replace('.000Z', 'Z');

test('bars of a minute have all eight figures and are put together to longer ones', () =>
  RestExchange.run(async (exchange) => {
    await tape(exchange);
    const get = async (query: string) => (await exchange.call('GET', `/v2/stocks/AAPL/bars?${query}`)).body;
    const { bars, symbol, next_page_token } = await get('timeframe=1Min');
    assert.equal(symbol, 'AAPL');
    assert.equal(next_page_token, null);
    assert.deepEqual((bars as Row[])[0], {
      t: at(0),
      o: 200.1,
      h: 200.4,
      l: 200.1,
      c: 200.4,
      v: 150,
      n: 2,
      vw: 200.2,
    });
    assert.deepEqual(
      (bars as Row[]).map(({ t }) => t),
      [at(0), at(60_000), at(120_000), at(180_000)],
    );
    const two = (await get('timeframe=2Min')).bars as Row[];
    assert.deepEqual(two[0], { t: at(0), o: 200.1, h: 201.4, l: 200.1, c: 201.4, v: 300, n: 4, vw: 200.7 });
    for (const timeframe of ['1Hour', '1Day', '1D', '1Week', '3Month', '1H', '5T']) {
      const [bar, more] = (await get(`timeframe=${timeframe}&start=2026-01-01`)).bars as Row[];
      assert.deepEqual(
        [bar!.o, bar!.h, bar!.c, bar!.v, more],
        [200.1, 203.4, 203.4, 600, undefined],
        timeframe,
      );
    }
    assert.equal(((await get('timeframe=1Day&start=2026-11-23&end=2026-11-23')).bars as Row[]).length, 1);
    assert.equal(((await get('timeframe=1Day&start=2026-11-24&end=2026-11-24')).bars as Row[]).length, 0);
    const newest = (await get('timeframe=2Min&sort=desc')).bars as Row[];
    assert.deepEqual(newest, [...two].reverse());
    const within = await get(
      `timeframe=1Min&start=${at(60_000)}&end=${encodeURIComponent('2026-11-23T15:02:00+00:00')}`,
    );
    assert.deepEqual(
      (within.bars as Row[]).map(({ t }) => t),
      [at(60_000), at(120_000)],
    );
  }));

test('bars of many symbols come in pages by symbol, then time, and the limit counts over all', () =>
  RestExchange.run(async (exchange) => {
    await tape(exchange);
    const whole = await exchange.call('GET', '/v2/stocks/bars?symbols=IBM,aapl,NOPE&timeframe=1Min');
    const all = Object.entries(whole.body.bars as Record<string, Row[]>).flatMap(([symbol, bars]) =>
      bars.map((bar) => [symbol, bar.t]),
    );
    assert.equal(all.length, 8);
    assert.deepEqual(Object.keys(whole.body.bars as object), ['AAPL', 'IBM']);
    for (const limit of [1, 3, 4, 7, 8]) {
      const paged: unknown[] = [];
      for (let token: unknown = ''; token !== null; ) {
        const query = `symbols=IBM,AAPL&timeframe=1Min&limit=${limit}&page_token=${token}`;
        const { body } = await exchange.call('GET', `/v2/stocks/bars?${query}`);
        const page = Object.entries(body.bars as Record<string, Row[]>);
        const rows = page.flatMap(([symbol, bars]) => bars.map((bar) => [symbol, bar.t]));
        assert.ok(rows.length <= limit);
        paged.push(...rows);
        token = body.next_page_token;
      }
      assert.deepEqual(paged, all, `limit ${limit}`);
    }
  }));

test('the newest quote, trade and bar, of one symbol and of many', () =>
  RestExchange.run(async (exchange) => {
    await tape(exchange);
    const get = async (path: string) => (await exchange.call('GET', `/v2/stocks/${path}`)).body;
    const quote = {
      t: at(1_000),
      ax: 'OT',
      ap: 200.02,
      as: 1000,
      bx: 'OT',
      bp: 199.98,
      bs: 1000,
      c: [],
      z: 'C',
    };
    assert.deepEqual(await get('AAPL/quotes/latest'), { symbol: 'AAPL', quote, currency: 'USD' });
    const quotes = (await get('quotes/latest?symbols=AAPL,IBM,NOPE&feed=iex')).quotes as Record<string, Row>;
    assert.deepEqual(Object.keys(quotes), ['AAPL', 'IBM']);
    assert.deepEqual(quotes.AAPL, quote);
    const { trade } = (await get('AAPL/trades/latest')) as { trade: Row };
    assert.deepEqual(trade, { t: at(184_000), x: 'Q', p: 203.4, s: 50, c: ['@'], i: 11, z: 'C' });
    const { trades } = (await get('trades/latest?symbols=IBM')) as { trades: Record<string, Row> };
    assert.deepEqual([trades.IBM!.p, trades.IBM!.z], [220.5, 'A']);
    const { bar } = (await get('AAPL/bars/latest')) as { bar: Row };
    assert.deepEqual([bar.t, bar.c], [at(180_000), 203.4]);
    const { bars } = (await get('bars/latest?symbols=AAPL')) as { bars: Record<string, Row> };
    assert.deepEqual(bars.AAPL, bar);
    const snapshots = (await get('snapshots?symbols=AAPL,NOPE')) as Record<
      string,
      Record<string, Row | null>
    >;
    assert.deepEqual(Object.keys(snapshots), ['AAPL']);
    assert.deepEqual(snapshots.AAPL!.latestQuote, quote);
    assert.deepEqual(snapshots.AAPL!.latestTrade, trade);
    assert.deepEqual(snapshots.AAPL!.minuteBar, bar);
    assert.equal(snapshots.AAPL!.dailyBar!.v, 600);
    assert.equal(snapshots.AAPL!.prevDailyBar, null);
    assert.deepEqual(await get('AAPL/snapshot'), { symbol: 'AAPL', ...snapshots.AAPL });
    exchange.advance(24 * 3_600_000);
    await exchange.trade('AAPL', '210', '1');
    const next = (await get('AAPL/snapshot')) as Record<string, Row>;
    assert.deepEqual([next.dailyBar!.o, next.prevDailyBar!.c], [210, 203.4]);
    for (const path of ['NOPE/quotes/latest', 'NOPE/trades/latest', 'NOPE/bars/latest', 'NOPE/snapshot']) {
      const { status, body } = await exchange.call('GET', `/v2/stocks/${path}`);
      assert.deepEqual([status, body.code], [404, 40410000], path);
    }
  }));

test('past trades and quotes come from the log, page by page', () =>
  RestExchange.run(async (exchange) => {
    await tape(exchange);
    await exchange.quote('AAPL', '203.98', '204.02');
    const { body } = await exchange.call('GET', '/v2/stocks/AAPL/trades');
    const trades = body.trades as Row[];
    assert.deepEqual(
      trades.map(({ p, s, i }) => [p, s, i]),
      [0, 1, 2, 3].flatMap((minute) => [
        [200.1 + minute, 100, minute * 3 + 1],
        [200.4 + minute, 50, minute * 3 + 2],
      ]),
    );
    assert.deepEqual([trades[0]!.c, trades[0]!.x, trades[0]!.z], [['@'], 'Q', 'C']);
    const quotes = ((await exchange.call('GET', '/v2/stocks/AAPL/quotes')).body.quotes as Row[]).map(
      ({ bp }) => bp,
    );
    assert.deepEqual(quotes, [199.98, 203.98]);
    for (const sort of ['asc', 'desc']) {
      for (const limit of [1, 3, 12]) {
        const paged: [string, Row][] = [];
        for (let token: unknown = ''; token !== null; ) {
          const query = `symbols=AAPL,IBM&sort=${sort}&limit=${limit}&page_token=${token}`;
          const page = (await exchange.call('GET', `/v2/stocks/trades?${query}`)).body;
          for (const [symbol, rows] of Object.entries(page.trades as Record<string, Row[]>))
            paged.push(...rows.map((row): [string, Row] => [symbol, row]));
          token = page.next_page_token;
        }
        const ofAapl = paged.filter(([symbol]) => symbol === 'AAPL').map(([, row]) => row);
        assert.deepEqual(ofAapl, sort === 'asc' ? trades : [...trades].reverse(), `${sort} ${limit}`);
        assert.equal(paged.length, 12);
      }
    }
    const start = encodeURIComponent(String(trades[2]!.t));
    const end = encodeURIComponent(String(trades[4]!.t));
    const some = (await exchange.call('GET', `/v2/stocks/AAPL/trades?start=${start}&end=${end}`)).body;
    assert.deepEqual(some.trades, trades.slice(2, 5));
  }));

test('a page says how much of the log was looked at for it, in both directions', () =>
  RestExchange.run(async (exchange) => {
    await tape(exchange);
    for (const newestFirst of [true, false]) {
      const bounds = { fromMs: 0, toMs: exchange.nowMs, newestFirst, position: null };
      const page = await historyPage(exchange.context, MARKET_TRADES, 'AAPL', bounds, 100, 1);
      assert.equal(page.records.length, 8);
      assert.ok(page.lookedAt >= page.records.length, `${page.lookedAt}`);
      const one = await historyPage(exchange.context, MARKET_TRADES, 'AAPL', bounds, 1);
      assert.ok(one.lookedAt >= 1 && one.lookedAt < page.lookedAt, `${one.lookedAt}`);
    }
  }));

test('a question that makes no sense is answered with 400 and what is wrong', () =>
  RestExchange.run(async (exchange) => {
    for (const [path, message] of [
      ['bars?symbols=AAPL', /parameter timeframe: is required/],
      ['bars?symbols=AAPL&timeframe=1Year', /parameter timeframe: 1Year/],
      ['bars?symbols=AAPL&timeframe=0Min', /parameter timeframe/],
      ['bars?symbols=&timeframe=1Min', /parameter symbols: is required/],
      ['bars?timeframe=1Min', /parameter symbols: is required/],
      ['snapshots', /parameter symbols: is required/],
      ['bars?symbols=AAPL&timeframe=1Min&adjustment=none', /parameter adjustment: must be raw/],
      ['bars?symbols=A*B&timeframe=1Min', /Invalid symbol\(s\): A\*B/],
      ['bars?symbols=AAPL&timeframe=1Min&start=soon', /parameter start: must be an RFC 3339 timestamp/],
      ['bars?symbols=AAPL&timeframe=1Min&start=2026-11-24&end=2026-11-20', /end should not be before start/],
      ['bars?symbols=AAPL&timeframe=1Min&limit=0', /parameter limit: must be a whole number from 1 to 10000/],
      ['bars?symbols=AAPL&timeframe=1Min&limit=10001', /parameter limit/],
      ['bars?symbols=AAPL&timeframe=1Min&page_token=xyz', /parameter page_token/],
      ['bars?symbols=AAPL&timeframe=1Min&adjustment=odd', /parameter adjustment/],
      ['bars?symbols=AAPL&timeframe=1Min&currency=EUR', /parameter currency: must be USD/],
      ['bars?symbols=AAPL&timeframe=1Min&sort=up', /parameter sort/],
      ['quotes/latest', /parameter symbols/],
      ['snapshots', /parameter symbols/],
      ['trades?symbols=AAPL&end=x', /parameter end/],
    ] as const) {
      const { status, body } = await exchange.call('GET', `/v2/stocks/${path}`);
      assert.deepEqual([status, body.code], [400, 40010000], path);
      assert.match(String(body.message), message, path);
    }
  }));
