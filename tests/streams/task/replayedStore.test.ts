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
import { hashStore } from '../../../streams/ops/digest.ts';
import { stateAsOfPositions } from '../../../streams/ops/stateAsOfPositions.ts';
import { withTemporaryDirectory } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const SEED = 20131011;
const { string: serde } = Serdes;
const CODEC = { keySerde: serde, valueSerde: serde };
const counts = (options: { readonly residence: 'replayed' | 'persistent' } = { residence: 'replayed' }) =>
  Stores.keyValueStore({ name: 'counts', ...CODEC, ...options });

/** Numbers the values of each key, tells of every third, and of the others when a stretch of time has gone by. */
class Number3 implements Processor<string, string, string, string> {
  #context!: ProcessorContext<string, string>;
  #store!: KeyValueStore<string, string>;
  readonly #waiting = new Set<string>();

  init(context: ProcessorContext<string, string>): void {
    this.#context = context;
    this.#store = context.getStateStore('counts');
    for (const { key, value } of this.#store.all()) if (value.endsWith('?')) this.#waiting.add(key);
    context.schedule(10, 'stream-time', (nowMs) => {
      for (const key of [...this.#waiting].sort()) this.#tell(key, this.#store.get(key)!.slice(0, -1), nowMs);
    });
  }

  process({ key, value, timestamp }: Record<string, string>): void {
    const number = Number.parseInt(this.#store.get(key) ?? '0', 10) + 1;
    if (number % 3 === 0) {
      this.#tell(key, `${number} ${value}`, timestamp);
      return;
    }
    this.#store.put(key, `${number} ${value}?`);
    this.#waiting.add(key);
  }

  #tell(key: string, value: string, timestamp: number): void {
    this.#waiting.delete(key);
    this.#store.put(key, value);
    this.#context.forward({ key, value, timestamp, headers: [] });
  }
}

const topology = (builder = counts()): Topology =>
  new Topology()
    .addSource('left', 'left', CODEC)
    .addSource('right', 'right', CODEC)
    .addProcessor('number', { get: () => new Number3() }, 'left', 'right')
    .addStateStore(builder, 'number')
    .addSink('told', 'told', CODEC, 'number');

interface Step {
  readonly kind: 'left' | 'right' | 'commit' | 'crash' | 'wait';
  readonly key: string;
  readonly afterMs: number;
}

/** What was committed of the output, whatever happened in between. What a crash undoes is sent again, as a producer would. */
function run(
  steps: readonly Step[],
  residence: 'replayed' | 'persistent',
  crashes: boolean,
): readonly string[] {
  const driver = new TopologyTestDriver(
    { applicationId: 'numbers', topology: topology(counts({ residence })) },
    { partitions: { left: 2, right: 2 }, commitEvery: 1_000 },
  );
  const inputs = {
    left: driver.createInputTopic('left', serde, serde),
    right: driver.createInputTopic('right', serde, serde),
  };
  let timeMs = 0;
  let uncommitted: { readonly topic: 'left' | 'right'; readonly key: string; readonly timeMs: number }[] = [];
  const pipe = (record: (typeof uncommitted)[number]): void =>
    inputs[record.topic].pipeInput(record.key, `at ${record.timeMs}`, record.timeMs);
  for (const { kind, key, afterMs } of steps) {
    timeMs += afterMs;
    if (kind === 'wait' || kind === 'commit') {
      if (kind === 'commit') driver.commit();
      // Commits as well.
      else driver.advanceWallClockTime(afterMs);
      uncommitted = [];
    } else if (kind === 'crash') {
      if (!crashes) continue;
      driver.crash();
      for (const record of uncommitted) pipe(record);
    } else {
      const record = { topic: kind, key, timeMs };
      uncommitted.push(record);
      pipe(record);
    }
  }
  driver.commit();
  const told = driver
    .createOutputTopic('told', serde, serde)
    .readRecordsToList()
    .map(({ key, value, timestamp }) => `${key} ${value} ${timestamp}`);
  driver.close();
  return told;
}

const step = fc.record({
  kind: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom('left' as const, 'right' as const) },
    { weight: 3, arbitrary: fc.constantFrom('commit' as const) },
    { weight: 1, arbitrary: fc.constantFrom('crash' as const, 'wait' as const) },
  ),
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  afterMs: fc.nat(6),
});

test(`what a replayed store lacks after a crash is processed again: nothing is told twice, lost or changed (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 150 }), (steps) => {
      assert.deepEqual(run(steps, 'replayed', true), run(steps, 'persistent', false));
    }),
    { seed: SEED, numRuns: 100 },
  );
});

test('a replayed store must be a key-value store without a record cache, away from global stores, other stores and the wall clock', () => {
  const refused = (declare: () => unknown, message: RegExp): void =>
    assert.throws(declare, (error) => error instanceof StreamsError && message.test(error.message));
  const start = (made: Topology): unknown =>
    new TopologyTestDriver({ applicationId: 'numbers', topology: made });
  const source = (): Topology => new Topology().addSource('left', 'left', CODEC);
  const windows = Stores.windowStore({
    name: 'windows',
    ...CODEC,
    windowSizeMs: 1,
    retentionMs: 10,
    residence: 'replayed',
  });
  refused(() => topology().addStateStore(windows, 'number'), /only a key-value store/);
  const cached = Stores.keyValueStore({
    name: 'cached',
    ...CODEC,
    residence: 'replayed',
    cachingEnabled: true,
  });
  refused(() => topology().addStateStore(cached, 'number'), /without a record cache/);
  const other = Stores.keyValueStore({ name: 'other', ...CODEC });
  refused(() => start(topology().addStateStore(other, 'number')), /store other shares its tasks/);
  const initOf = (init: (context: ProcessorContext<never, never>) => void): Topology =>
    source()
      .addProcessor('p', { get: () => ({ init, process: () => undefined }) }, 'left')
      .addStateStore(counts(), 'p');
  refused(
    () => start(initOf((context) => context.schedule(10, 'wall-clock-time', () => undefined))),
    /wall clock/,
  );
  const withGlobal = initOf((context) => context.getStateStore('facts')).addGlobalStore(
    Stores.keyValueStore({ name: 'facts', ...CODEC }),
    'facts',
    'facts',
    CODEC,
    'keep',
    { get: () => ({ process: () => undefined }) },
  );
  refused(() => start(withGlobal), /must not depend on it/);
});

async function open(
  directory: string,
  wallClock: () => number,
): Promise<{
  readonly log: EmbeddedLog;
  readonly runtime: StreamsRuntime;
  readonly lags: () => readonly number[];
  readonly told: () => Promise<readonly string[]>;
}> {
  const log = await EmbeddedLog.open({ directory, maintenanceIntervalMs: null });
  await log.admin.createTopics(
    ['left', 'right', 'told'].map((name) => ({
      name,
      partitions: 1,
      retentionMs: null,
      cleanupPolicy: 'delete',
    })),
  );
  const runtime = new StreamsRuntime({
    engine: log,
    applications: [{ applicationId: 'numbers', topology: topology() }],
    wallClock,
  });
  await runtime.start();
  return {
    log,
    runtime,
    lags: () => log.positions('numbers').map(({ offset, stateOffset = offset }) => offset - stateOffset),
    told: async () =>
      (await log.reader.read({ topic: 'told', partition: 0 }, 0, 100_000)).map(
        ({ key, value, timestamp }) => `${key!.toString()} ${value!.toString()} ${timestamp}`,
      ),
  };
}

const many = (count: number, fromMs: number) =>
  Array.from({ length: count }, (_, index) => ({
    topic: index % 3 === 0 ? 'right' : 'left',
    key: Buffer.from(`k${index % 7}`),
    value: Buffer.from('v'),
    timestamp: fromMs + index,
  }));

test('under load the embedded log writes a replayed store down later, soon after the load, and before a clean end', async () => {
  await withTemporaryDirectory(async (directory) => {
    let nowMs = 1_000;
    const first = await open(directory, () => nowMs);
    const producer = first.log.createProducer();
    await producer.send(many(2_000, 0));
    await producer.send(many(10, 2_000));
    assert.deepEqual(first.lags(), [6, 4]);
    const location = { applicationId: 'numbers', storeName: 'counts', partition: 0 };
    const asOfPositions = await stateAsOfPositions(first.log, [
      { applicationId: 'numbers', topology: topology() },
    ]);
    const expected = hashStore(asOfPositions, location);
    assert.notEqual(hashStore(first.log.state, location).sha256, expected.sha256);
    assert.deepEqual(first.lags(), [6, 4], 'looking changes nothing');
    nowMs += 1_000;
    await until('the store is written down', () => first.lags().every((lag) => lag === 0));
    assert.deepEqual(hashStore(first.log.state, location), expected);
    const before = first.runtime.stores.keyValue<string, string>('numbers', 'counts').get('k0');
    await producer.send(many(2_000, 3_000));
    await producer.send(many(14, 5_000));
    await first.runtime.close();
    assert.deepEqual(first.lags(), [0, 0]);
    const told = await first.told();
    await first.log.close();
    const second = await open(directory, () => nowMs);
    assert.notEqual(second.runtime.stores.keyValue<string, string>('numbers', 'counts').get('k0'), before);
    await second.log.createProducer().send(many(7, 6_000));
    assert.equal((await second.told()).slice(0, told.length).join(), told.join());
    await second.runtime.close();
    await second.log.close();
  });
});
