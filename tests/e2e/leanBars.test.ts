import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeanReplay } from '../../connectors/sources/lean/lean.ts';
import { openPlatform } from '../../serving/platform.ts';
import { MarketQueries } from '../../serving/queries/market.ts';
import { newYorkMidnight, sessionOf } from '../../topologies/domain/calendar.ts';
import { QUOTE_UPDATES } from '../../topologies/quotes/topics.ts';
import { LEAN_DIRECTORY, leanLines, skipWithoutLeanData } from '../support/leanData.ts';
import { gather } from '../support/platform.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';

const DAYS = ['2014-06-05', '2014-06-06', '2014-06-09'];
const SYMBOLS = ['AAPL', 'TWX'];
/** A bar of fewer shares becomes fewer than four trades. */
const FOUR_TRADES = 4;

test('minute bars where there are no ticks: candles are the bars again, quotes stand around them', {
  skip: skipWithoutLeanData(),
}, async () => {
  await withTemporaryDirectory(async (directory) => {
    const platform = await openPlatform({
      dataDirectory: directory,
      session: 'us-equities',
      marketMakerLevels: 0,
    });
    const updates = gather(platform, QUOTE_UPDATES);
    const source = new LeanReplay({
      directory: LEAN_DIRECTORY,
      symbols: SYMBOLS,
      from: DAYS[0]!,
      to: DAYS.at(-1)!,
      speed: 'max',
    });
    await source.prepare(platform);
    await source.start(platform);
    await source.finished;
    const queries = new MarketQueries(platform.queries);
    const differing: string[] = [];
    let bars = 0;
    for (const symbol of SYMBOLS) {
      for (const day of DAYS) {
        const midnight = newYorkMidnight(sessionOf(day)!.openMs);
        const found = await queries.candles(symbol, 'M1', midnight, midnight + 86_400_000);
        const candles = new Map(found.map((candle) => [candle.startMs, candle]));
        for (const [at, ...fields] of leanLines(
          'minute',
          symbol.toLowerCase(),
          `${day.replaceAll('-', '')}_trade`,
        )) {
          const [open, high, low, close, volume] = fields.map(Number);
          if (volume === 0) continue;
          bars += 1;
          const candle = candles.get(midnight + Number(at));
          candles.delete(midnight + Number(at));
          const prices = [candle?.openTicks, candle?.highTicks, candle?.lowTicks, candle?.closeTicks];
          const same =
            candle?.volumeMicros === volume! * 1_000_000 &&
            (volume! < FOUR_TRADES || prices.join() === [open, high, low, close].join());
          if (!same)
            differing.push(`${symbol} ${day} ${at}: ${fields.join()} became ${JSON.stringify(candle)}`);
        }
        assert.equal(candles.size, 0, 'there is no candle without a bar');
      }
    }
    assert.deepEqual(differing, []);
    assert.ok(bars > 2_000, `${bars} bars`);
    const quotes = updates.records().map(({ value }) => value);
    const inSession = quotes.filter(({ bidPriceTicks, askPriceTicks, quotedAtMs }) => {
      const session = DAYS.map((day) => sessionOf(day)!).some(
        ({ openMs, closeMs }) => quotedAtMs! >= openMs && quotedAtMs! < closeMs,
      );
      return session && bidPriceTicks !== null && askPriceTicks !== null;
    });
    const sensible = inSession.filter(
      ({ bidPriceTicks, askPriceTicks, lastPriceTicks }) =>
        bidPriceTicks! <= askPriceTicks! &&
        (lastPriceTicks === null || Math.abs(lastPriceTicks - bidPriceTicks!) / lastPriceTicks < 0.01),
    );
    console.log(
      `${bars} bars; ${sensible.length} of ${inSession.length} quotes within a percent of the last price`,
    );
    assert.ok(inSession.length > 2_000 && sensible.length / inSession.length > 0.99);
    await platform.close();
  });
});
