import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type HandlerResponse,
  type ProcessorContext,
  type PunctuationType,
  type Record,
  Serdes,
  StreamsBuilder,
  type StreamsError,
  Topology,
  TopologyTestDriver,
} from '../../../streams/index.ts';

const out = (driver: TopologyTestDriver): (string | null)[] =>
  driver
    .createOutputTopic('out', Serdes.string, Serdes.string)
    .readRecordsToList()
    .map(({ value }) => value);

function metric(driver: TopologyTestDriver, name: string): number {
  return driver.metrics().find((each) => each.name === name)!.value;
}

test('a processor of values that failed on a record may forward any key from a punctuation afterwards', () => {
  const builder = new StreamsBuilder();
  const serdes = { keySerde: Serdes.string, valueSerde: Serdes.string };
  builder
    .stream('in', serdes)
    .processValues<string>(
      {
        get: () => ({
          init: (context) => {
            context.schedule(1, 'stream-time', (timestamp) =>
              context.forward({ key: 'other', value: 'tick', timestamp, headers: [] }),
            );
          },
          process: ({ value }) => {
            if (value === 'bad') throw new Error('bad luck');
          },
        }),
      },
      { name: 'values' },
    )
    .to('out', serdes);
  const driver = new TopologyTestDriver({
    applicationId: 'app',
    topology: builder.build(),
    handlers: { processing: () => 'dead-letter' },
  });
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  input.pipeInput('k', 'good', 1);
  input.pipeInput('k', 'bad', 2);
  assert.deepEqual(out(driver), ['tick', 'tick']);
});

/** Hands records on, and each millisecond of a clock forwards what is asked for, to a child that fails on `bad`; itself it fails on `broken`. */
function punctuating(
  type: PunctuationType,
  answer: HandlerResponse,
  asked: unknown[],
): { readonly driver: TopologyTestDriver; readonly tick: (what: string) => void } {
  let next = '';
  const clock = {
    get: () => ({
      init: (context: ProcessorContext<string, string>) => {
        context.schedule(1, type, (timestamp) => {
          if (next === 'broken') throw new Error('broken clock');
          context.forward({ key: 'k', value: next, timestamp, headers: [] });
        });
      },
      process: () => undefined,
    }),
  };
  const child = {
    get: () => {
      let context: ProcessorContext<string, string>;
      return {
        init: (given: ProcessorContext<string, string>) => {
          context = given;
        },
        process: (record: Record<string, string>) => {
          if (record.value === 'bad') throw new Error('bad luck');
          context.forward(record);
        },
      };
    },
  };
  const serdes = { keySerde: Serdes.string, valueSerde: Serdes.string };
  const driver = new TopologyTestDriver({
    applicationId: 'app',
    topology: new Topology()
      .addSource('source', 'in', serdes)
      .addProcessor('clock', clock, 'source')
      .addProcessor('child', child, 'clock')
      .addSink('sink', 'out', serdes, 'child'),
    handlers: {
      processing: (context, cause) => {
        asked.push([context, (cause as StreamsError).code]);
        return answer;
      },
    },
  });
  let timestamp = 0;
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  const tick = (what: string): void => {
    next = what;
    timestamp += 1;
    if (type === 'stream-time') input.pipeInput('k', 'x', timestamp);
    else driver.advanceWallClockTime(1);
  };
  return { driver, tick };
}

const NOWHERE = { applicationId: 'app', taskId: '0_0', topic: null, partition: -1, offset: -1 };

for (const type of ['stream-time', 'wall-clock-time'] as const) {
  for (const answer of ['continue', 'dead-letter'] as const)
    test(`${type} punctuation that fails: ${answer} goes on to the next one and counts it as dropped`, () => {
      const asked: unknown[] = [];
      const { driver, tick } = punctuating(type, answer, asked);
      for (const what of ['a', 'broken', 'b', 'bad', 'c']) tick(what);
      assert.deepEqual(out(driver), ['a', 'b', 'c']);
      assert.equal(metric(driver, 'dropped-records-total'), 2);
      assert.equal(metric(driver, 'dead-letter-records-total'), 0);
      assert.deepEqual(asked, [
        [{ ...NOWHERE, node: 'clock' }, 'STREAMS_PROCESSING'],
        [{ ...NOWHERE, node: 'child' }, 'STREAMS_PROCESSING'],
      ]);
    });

  test(`${type} punctuation that fails: fail stops the application, and the error names the node`, () => {
    const { tick } = punctuating(type, 'fail', []);
    tick('a');
    assert.throws(() => tick('bad'), {
      code: 'STREAMS_PROCESSING',
      message: 'app: processor child failed in the punctuation of clock at 2 ms',
    });
  });
}
