import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ErrorHandlers,
  type ProcessorContext,
  Serdes,
  StreamsBuilder,
  type StreamsError,
  type TimestampedWindowStore,
  TimeWindows,
  Topology,
  TopologyTestDriver,
} from '../../../streams/index.ts';

function metric(driver: TopologyTestDriver, name: string): number {
  return driver.metrics().find((each) => each.name === name)!.value;
}

/** Counts in windows of 5 ms by a time that the extractor makes of the value. */
function windowedBy(
  extract: (value: string) => number,
  handlers: Partial<ErrorHandlers>,
): TopologyTestDriver {
  const builder = new StreamsBuilder();
  builder
    .stream('in', {
      keySerde: Serdes.string,
      valueSerde: Serdes.string,
      timestampExtractor: ({ value }) => extract(String(value)),
    })
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeWithNoGrace(5))
    .count({ name: 'counts' });
  return new TopologyTestDriver({ applicationId: 'app', topology: builder.build(), handlers });
}

for (const text of ['Infinity', '-Infinity', 'NaN', '1.5', '-1.5', '9007199254740992'])
  test(`a timestamp of ${text} is a failure of decoding, and leaves the windows alone`, () => {
    const asked: string[] = [];
    const driver = windowedBy(Number, {
      deserialization: ({ node, offset }, cause) => {
        asked.push(`${node} ${offset} ${(cause as StreamsError).code}`);
        const why = (cause as StreamsError).cause as StreamsError;
        assert.equal(why.code, 'STREAMS_DESERIALIZATION');
        assert.ok(why.message.includes(`the timestamp is ${Number(text)};`), why.message);
        return 'dead-letter';
      },
    });
    const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
    for (const value of ['1', text, '2']) input.pipeInput('k', value);
    assert.equal(asked.length, 1);
    assert.match(asked[0]!, / 1 STREAMS_DESERIALIZATION$/);
    assert.equal(metric(driver, 'dead-letter-records-total'), 1);
    const counts = driver.getStateStore<TimestampedWindowStore<string, number>>('counts');
    assert.deepEqual(
      [...counts.all()].map(({ key, value }) => [key.window.startMs, value.value]),
      [[0, 2]],
    );
  });

test('a timestamp on the log that is no safe integer is a failure of decoding, too', () => {
  const driver = new TopologyTestDriver({
    applicationId: 'app',
    topology: new Topology().addSource('source', 'in', {
      keySerde: Serdes.string,
      valueSerde: Serdes.string,
    }),
  });
  driver.createInputTopic('in', Serdes.string, Serdes.string).pipeInput('k', '1', 2 ** 60);
  assert.equal(metric(driver, 'dead-letter-records-total'), 1);
});

test('a processor may not forward a timestamp that is no whole number of milliseconds', () => {
  const builder = new StreamsBuilder();
  const serdes = { keySerde: Serdes.string, valueSerde: Serdes.string };
  builder
    .stream('in', serdes)
    .process<string, string>(
      {
        get: () => {
          let context: ProcessorContext<string, string>;
          return {
            init: (given) => {
              context = given;
            },
            process: ({ key, value, headers }) =>
              context.forward({ key: key!, value: value!, timestamp: Number(value), headers }),
          };
        },
      },
      { name: 'timed' },
    )
    .groupByKey(serdes)
    .windowedBy(TimeWindows.ofSizeWithNoGrace(5))
    .count({ name: 'counts' });
  const driver = new TopologyTestDriver({
    applicationId: 'app',
    topology: builder.build(),
    handlers: { processing: () => 'dead-letter' },
  });
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  for (const value of ['1', 'Infinity', '1.5', '2']) input.pipeInput('k', value);
  assert.equal(metric(driver, 'dead-letter-records-total'), 2);
});
