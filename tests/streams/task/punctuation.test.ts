import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Cancellable,
  type ProcessorContext,
  type PunctuationType,
  type Record,
  Serdes,
  StreamsError,
  Topology,
  TopologyTestDriver,
} from '../../../streams/index.ts';

interface Clock {
  readonly driver: TopologyTestDriver;
  at(timestampMs: number): void;
  read(): (string | null)[];
}

/** A processor that is told to schedule, and writes what it is told and when. */
function clockWith(
  schedule: (context: ProcessorContext<string, string>, tell: (what: string) => void) => void,
  options: ConstructorParameters<typeof TopologyTestDriver>[1] = {},
): Clock {
  const supplier = {
    get: () => {
      let context: ProcessorContext<string, string>;
      const tell = (value: string): void => context.forward({ key: 'k', value, timestamp: 0, headers: [] });
      return {
        init: (given: ProcessorContext<string, string>) => {
          context = given;
          schedule(given, tell);
        },
        process: (record: Record<string, string>) => tell(`record ${record.timestamp}`),
      };
    },
  };
  const serdes = { keySerde: Serdes.string, valueSerde: Serdes.string };
  const topology = new Topology()
    .addSource('source', 'in', serdes)
    .addProcessor('clock', supplier, 'source')
    .addSink('sink', 'out', serdes, 'clock');
  const driver = new TopologyTestDriver({ applicationId: 'app', topology }, options);
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  const output = driver.createOutputTopic('out', Serdes.string, Serdes.string);
  return {
    driver,
    at: (timestampMs) => input.pipeInput('k', 'x', timestampMs),
    read: () => output.readRecordsToList().map(({ value }) => value),
  };
}

const every =
  (intervalMs: number, type: PunctuationType) =>
  (context: ProcessorContext<string, string>, tell: (what: string) => void): void => {
    context.schedule(intervalMs, type, (nowMs) => tell(`tick ${nowMs}`));
  };

test('stream-time punctuation fires behind the record that makes it due, once however much was missed', () => {
  const clock = clockWith(every(10, 'stream-time'));
  clock.at(3);
  clock.at(9);
  clock.at(10);
  clock.at(4);
  clock.at(47);
  clock.at(50);
  assert.deepEqual(clock.read(), [
    'record 3',
    'tick 3',
    'record 9',
    'record 10',
    'tick 10',
    'record 4',
    'record 47',
    'tick 47',
    'record 50',
    'tick 50',
  ]);
});

test('after a restart stream-time punctuation goes on as if nothing had been', () => {
  const steady = clockWith(every(10, 'stream-time'));
  const crashing = clockWith(every(10, 'stream-time'));
  for (const time of [3, 12, 15, 21, 33]) {
    steady.at(time);
    crashing.at(time);
    crashing.driver.crash();
  }
  assert.deepEqual(crashing.read(), steady.read());
});

test('wall-clock punctuation follows the clock of the runtime, not records', () => {
  const clock = clockWith(every(10, 'wall-clock-time'), { initialWallClockMs: 1_000 });
  clock.at(5_000_000);
  clock.driver.advanceWallClockTime(9);
  clock.driver.advanceWallClockTime(1);
  clock.driver.advanceWallClockTime(35);
  clock.driver.advanceWallClockTime(5);
  assert.deepEqual(clock.read(), ['record 5000000', 'tick 1010', 'tick 1045', 'tick 1050']);
});

test('schedules due together fire in the order in which they were made, and a cancelled one no more', () => {
  const handles: Cancellable[] = [];
  const clock = clockWith((context, tell) => {
    for (const name of ['a', 'b', 'c'])
      handles.push(
        context.schedule(10, 'stream-time', (nowMs) => {
          tell(`${name} ${nowMs}`);
          if (name === 'a' && nowMs >= 10) handles[1]!.cancel();
        }),
      );
  });
  clock.at(1);
  clock.at(10);
  clock.at(20);
  assert.deepEqual(clock.read(), [
    'record 1',
    'a 1',
    'b 1',
    'c 1',
    'record 10',
    'a 10',
    'c 10',
    'record 20',
    'a 20',
    'c 20',
  ]);
  assert.equal(clock.driver.metrics().find(({ name }) => name === 'punctuate-total')?.value, 7);
});

test('there is no record in hand inside a punctuation, and time is what it is called with', () => {
  const seen: unknown[] = [];
  const clock = clockWith((context) => {
    context.schedule(10, 'stream-time', (nowMs) => {
      seen.push(context.recordMetadata(), nowMs === context.currentStreamTimeMs());
    });
  });
  clock.at(7);
  assert.deepEqual(seen, [null, true]);
});

test('an interval of nothing is refused by the name of the processor', () => {
  assert.throws(
    () => clockWith(every(0, 'stream-time')),
    (error) =>
      error instanceof StreamsError &&
      /processor clock schedules a punctuation every 0 ms/.test(error.message),
  );
});
