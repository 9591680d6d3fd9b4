import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  EmitStrategy,
  Serdes,
  type StreamsBuilder,
  timeWindowedSerde,
  UnlimitedWindows,
  type ValueAndTimestamp,
} from '../../../streams/index.ts';
import { Bench, refusalOf, TEXT } from './support.ts';

const FROM_10 = UnlimitedWindows.of().startOn(10);
const WINDOWED = timeWindowedSerde(Serdes.string, FROM_10.sizeMs);
const DAY_MS = 86_400_000;

const windowed = (builder: StreamsBuilder) => builder.stream('in', TEXT).groupByKey().windowedBy(FROM_10);

/** Counts from time 10 on, with the window's bounds. */
function counting(): Bench {
  return new Bench((builder) => {
    windowed(builder).count({ name: 'counts' }).toStream().to('out');
  });
}

test('an unlimited window takes every record from its start on, however late, and is not told of those before', () => {
  const bench = counting();
  bench.text('in', ['a', 'x', 9], ['a', 'x', 10], ['a', 'x', 400 * DAY_MS], ['b', 'x', 3], ['a', 'x', 11]);
  const window = { startMs: 10, endMs: Number.MAX_SAFE_INTEGER };
  assert.deepEqual(bench.read('out', WINDOWED, Serdes.longNumber), [
    [{ key: 'a', window }, 1, 10],
    [{ key: 'a', window }, 2, 400 * DAY_MS],
    [{ key: 'a', window }, 3, 400 * DAY_MS],
  ]);
  assert.equal(bench.dropped, 0);
});

test('an unlimited window is found after a crash, and by queries', () => {
  const bench = counting();
  bench.text('in', ['a', 'x', 10], ['a', 'x', 400 * DAY_MS]);
  bench.driver.crash();
  bench.text('in', ['a', 'x', 12]);
  const store = bench.driver.getWindowStore<string, ValueAndTimestamp<number>>('counts');
  assert.deepEqual(store.fetchSingle('a', 10), { value: 3, timestamp: 400 * DAY_MS });
});

test('a cogroup by unlimited windows adds up both streams', () => {
  const bench = new Bench((builder) => {
    const add = (_key: string, value: string | null, sum: string): string => `${sum}${value}`;
    builder
      .stream('in', TEXT)
      .groupByKey()
      .cogroup(add)
      .cogroup(builder.stream('other', TEXT).groupByKey(), add)
      .windowedBy(UnlimitedWindows.of())
      .aggregate(() => '', { name: 'all', valueSerde: Serdes.string })
      .toStream(({ key }) => key)
      .to('out', TEXT);
  });
  bench.text('in', ['a', 'x', 1]);
  bench.text('other', ['a', 'y', DAY_MS]);
  assert.deepEqual(bench.readText(), [
    ['a', 'x', 1],
    ['a', 'xy', DAY_MS],
  ]);
});

test('final results of windows that never close, and a start that is none, are refused', () => {
  assert.equal(
    refusalOf((builder) => windowed(builder).emitStrategy(EmitStrategy.onWindowClose()).count({ name: 'c' })),
    'count c waits for UnlimitedWindows to close, which they never do; use onWindowUpdate',
  );
  assert.match(
    refusalOf(() => UnlimitedWindows.of().startOn(-1)),
    /^UnlimitedWindows: a start of -1 ms/,
  );
});
