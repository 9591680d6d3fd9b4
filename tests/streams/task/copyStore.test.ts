import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  type Record,
  Serdes,
  Stores,
  StreamsError,
  StreamsRuntime,
  Topology,
  TopologyTestDriver,
} from '../../../streams/index.ts';
import { EmbeddedLog } from '../../../streams/log/embedded/index.ts';
import { withTemporaryDirectory } from '../../support/temporary.ts';

const SEED = 20131010;
const { string: serde } = Serdes;
const CODEC = { keySerde: serde, valueSerde: serde };
const copy = () => Stores.keyValueStore({ name: 'copy', ...CODEC, residence: 'copy' });

class Keep implements Processor<string, string | null> {
  #store!: KeyValueStore<string, string>;

  init(context: ProcessorContext<never, never>): void {
    this.#store = context.getStateStore('copy');
  }

  process({ key, value }: Record<string, string | null>): void {
    this.#store.put(key, value);
  }
}

/** Answers each question with what the copy says of it. */
class Answer implements Processor<string, string, string, string> {
  #context!: ProcessorContext<string, string>;
  #store!: KeyValueStore<string, string>;

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
    this.#store = context.getStateStore('copy');
  }

  process(record: Record<string, string>): void {
    this.#context.forward({ ...record, value: this.#store.get(record.value) ?? 'nothing' });
  }
}

const topology = (): Topology =>
  new Topology()
    .addGlobalStore(copy(), 'facts', 'facts', CODEC, 'keep', { get: () => new Keep() })
    .addSource('questions', 'questions', CODEC)
    .addProcessor('answer', { get: () => new Answer() }, 'questions')
    .addSink('answers', 'answers', CODEC, 'answer');

test('a copy of a topic is refused where it is not a global store', () => {
  const declare = (): unknown =>
    new Topology()
      .addSource('a', 'a', CODEC)
      .addProcessor('p', { get: () => new Keep() }, 'a')
      .addStateStore(copy(), 'p');
  assert.throws(declare, (error) => error instanceof StreamsError && /copy of a topic/.test(error.message));
});

test(`after any crash a copy is whole before the next record is processed (seed ${SEED})`, () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('fact' as const),
        key: fc.constantFrom('a', 'b', 'c', 'd'),
        value: fc.option(fc.nat(99)),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('question' as const),
        key: fc.constantFrom('a', 'b', 'c', 'd'),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'wait' as const }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const driver = new TopologyTestDriver(
        { applicationId: 'copies', topology: topology() },
        { partitions: { facts: 3 } },
      );
      const facts = driver.createInputTopic('facts', serde, serde);
      const questions = driver.createInputTopic('questions', serde, serde);
      const answers = driver.createOutputTopic('answers', serde, serde);
      const expected = new Map<string, string>();
      for (const each of steps) {
        if (each.kind === 'crash') driver.crash();
        else if (each.kind === 'wait') driver.advanceWallClockTime(1_500);
        else if (each.kind === 'fact') {
          const value = each.value === null ? null : String(each.value);
          facts.pipeInput(each.key, value);
          if (value === null) expected.delete(each.key);
          else expected.set(each.key, value);
        } else {
          questions.pipeInput('q', each.key);
          assert.equal(answers.readValue(), expected.get(each.key) ?? 'nothing');
        }
      }
      driver.close();
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('on the embedded log a copy is written down now and then, and read again from its topic after a restart', async () => {
  await withTemporaryDirectory(async (directory) => {
    let nowMs = 0;
    const open = async () => {
      const log = await EmbeddedLog.open({ directory, maintenanceIntervalMs: null });
      await log.admin.createTopics(
        ['facts', 'questions', 'answers'].map((name) => ({
          name,
          partitions: 1,
          retentionMs: null,
          cleanupPolicy: 'delete',
        })),
      );
      const runtime = new StreamsRuntime({
        engine: log,
        applications: [{ applicationId: 'copies', topology: topology() }],
        wallClock: () => nowMs,
      });
      await runtime.start();
      return { log, runtime, producer: log.createProducer() };
    };
    const send = (
      producer: ReturnType<EmbeddedLog['createProducer']>,
      topic: string,
      key: string,
      value: string,
    ) => producer.send([{ topic, key: Buffer.from(key), value: Buffer.from(value), timestamp: 0 }]);
    const first = await open();
    await send(first.producer, 'facts', 'a', 'one');
    await send(first.producer, 'facts', 'a', 'two');
    const [lagging] = first.log.positions('copies').filter(({ topic }) => topic === 'facts');
    assert.deepEqual([lagging!.offset, lagging!.stateOffset], [2, 1]);
    assert.equal(first.runtime.stores.keyValue<string, string>('copies', 'copy').get('a'), 'one');
    await first.runtime.close();
    await first.log.close();
    const second = await open();
    await send(second.producer, 'questions', 'q', 'a');
    const [answer] = await second.log.reader.read({ topic: 'answers', partition: 0 }, 0, 10);
    assert.equal(answer!.value?.toString(), 'two');
    nowMs = 5_000;
    await send(second.producer, 'facts', 'b', 'three');
    const [written] = second.log.positions('copies').filter(({ topic }) => topic === 'facts');
    assert.deepEqual([written!.offset, written!.stateOffset], [3, undefined]);
    assert.deepEqual(second.log.state.list(), []);
    assert.equal(second.log.state.list({ copies: true }).length, 1);
    await second.runtime.close();
    await second.log.close();
  });
});
