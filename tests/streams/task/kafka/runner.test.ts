/** Applications on one real broker, their processes in this one: what each does for itself and leaves to the others. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Kafka, logLevel } from 'kafkajs';
import { type ApplicationDefinition, Serdes, StreamsBuilder } from '../../../../streams/index.ts';
import type { LogError } from '../../../../streams/log/errors.ts';
import type { KafkaLog } from '../../../../streams/log/kafka/index.ts';
import { rangeOwner } from '../../../../streams/task/kafka/rangeAssignor.ts';
import { KafkaUnderTest, kafkaMissing } from '../../../support/kafka.ts';
import { TemporaryDirectory } from '../../../support/temporary.ts';
import { until } from '../../../support/until.ts';
import {
  counting,
  type Fed,
  feed,
  NUMBERS,
  openEngine,
  PARTITIONS,
  readCommitted,
  type Started,
  startRuntime,
  TEXT,
  topicsOf,
} from './support.ts';

const KEYS = 12;

function records(count: number, from = 0): Fed[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `key-${(from + index) % KEYS}`,
    value: `${from + index}`,
    timestamp: 1_000 + from + index,
  }));
}

describe('the runtime on Kafka', { skip: kafkaMissing() }, () => {
  let kafka: KafkaUnderTest;
  let directory: TemporaryDirectory;
  let setup: KafkaLog;
  const open: Started[] = [];

  before(async () => {
    directory = new TemporaryDirectory();
    kafka = await KafkaUnderTest.start();
    setup = await openEngine(kafka.brokers, 'setup', directory.path);
  });
  after(async () => {
    for (const each of open) await each.close();
    await setup.close();
    await kafka.stop();
    directory.remove();
  });

  async function prefixed(...topics: readonly string[]): Promise<string> {
    const prefix = kafka.unique('test');
    await setup.admin.createTopics(topicsOf(prefix, ...topics));
    return prefix;
  }

  async function start(
    prefix: string,
    instance: string,
    applications: readonly ApplicationDefinition[],
    standbyReplicas = 0,
  ): Promise<Started> {
    const settings = { instanceId: `${prefix}-${instance}`, prefix, commitIntervalMs: 20, standbyReplicas };
    const started = await startRuntime(kafka.brokers, directory.path, settings, applications);
    open.push(started);
    return started;
  }

  async function stop(started: Started): Promise<void> {
    open.splice(open.indexOf(started), 1);
    await started.close();
  }

  const counter = (prefix: string, more: Partial<ApplicationDefinition> = {}): ApplicationDefinition => ({
    applicationId: `${prefix}-counter`,
    topology: counting(prefix),
    ...more,
  });

  const tasksOf = ({ runtime }: Started): readonly string[] => [...runtime.applications()[0]!.tasks].sort();

  /** Input records that are committed as read. */
  const read = ({ runtime }: Started): number =>
    runtime.lag().reduce((sum, { position }) => sum + position, 0);

  /** Caught up with all that other clients have appended, heard of it or not. */
  const settled = ({ runtime, engine }: Started): Promise<void> =>
    until('caught up', async () => {
      if (!runtime.caughtUp) return false;
      const fed = runtime.lag().filter(({ topic }) => topic.endsWith('-in'));
      if (fed.length === 0) return true;
      const { offsets } = await engine.admin.describeTopic(fed[0]!.topic);
      return fed.every(({ partition, position }) => position >= offsets[partition]!.latest);
    });

  /** The input counted once, each key's counts going up one by one. Other clients' input may hold a record twice, when they sent it again. */
  async function assertCounted(prefix: string, atLeast: number): Promise<void> {
    const expected = new Map<string, number>();
    const input = await readCommitted(kafka.brokers, `${prefix}-in`);
    assert.ok(input.length >= atLeast);
    for (const { key } of input) expected.set(key!, (expected.get(key!) ?? 0) + 1);
    const found = new Map<string, number>();
    for (const { key, value } of await readCommitted(kafka.brokers, `${prefix}-counted`)) {
      const count = Number(value!.readBigInt64BE());
      assert.equal(count, (found.get(key!) ?? 0) + 1);
      found.set(key!, count);
    }
    assert.deepEqual([...found].sort(), [...expected].sort());
  }

  test('an instance that comes takes its part, the tasks that stay go on as they were', async () => {
    const prefix = await prefixed('in', 'counted');
    await feed(kafka.brokers, `${prefix}-in`, records(10 * KEYS));
    const first = await start(prefix, 'a', [counter(prefix)]);
    await settled(first);
    assert.deepEqual(tasksOf(first), ['0_0', '0_1', '0_2', '0_3']);
    const second = await start(prefix, 'b', [counter(prefix)]);
    await until('the tasks are shared', () => tasksOf(first).length === 2 && tasksOf(second).length === 2);
    assert.deepEqual(tasksOf(first), ['0_0', '0_1']);
    // A task that had been closed and opened again would count its records from nothing.
    const before = first.runtime.metrics().filter(({ name }) => name === 'process-total');
    assert.ok(before.some(({ value }) => value > 0));
    await feed(kafka.brokers, `${prefix}-in`, records(10 * KEYS, 10 * KEYS));
    await settled(first);
    await settled(second);
    // The simulation of the broker's assignor says what the broker did.
    const members = [`${prefix}-a`, `${prefix}-b`];
    for (const [index, started] of [first, second].entries())
      for (const id of tasksOf(started))
        assert.equal(rangeOwner(members, PARTITIONS, Number(id.split('_')[1])), members[index]);
    await stop(second);
    await stop(first);
    await assertCounted(prefix, 20 * KEYS);
  });

  test('one that stays is not unavailable while others come and go, and counts on meanwhile', async () => {
    const prefix = await prefixed('in', 'counted');
    const first = await start(prefix, 'a', [counter(prefix)]);
    await settled(first);
    let fed = 0;
    let feeding = true;
    const fedAll = (async () => {
      for (; feeding; fed += KEYS) await feed(kafka.brokers, `${prefix}-in`, records(KEYS, fed));
    })();
    for (let times = 0; times < 3; times += 1) {
      const second = await start(prefix, 'b', [counter(prefix)]);
      await until('the tasks are shared', () => tasksOf(first).length === 2 && tasksOf(second).length === 2);
      await stop(second);
      await until('the tasks are back', () => tasksOf(first).length === 4);
    }
    feeding = false;
    await fedAll;
    await settled(first);
    assert.deepEqual(
      first.changes.filter(({ state }) => state === 'unavailable'),
      [],
    );
    await stop(first);
    await assertCounted(prefix, fed);
  });

  test('a member that comes back within its session time-out finds its tasks, and the others notice nothing', async () => {
    const prefix = await prefixed('in', 'counted');
    const first = await start(prefix, 'a', [counter(prefix)]);
    const second = await start(prefix, 'b', [counter(prefix)]);
    await until('the tasks are shared', () => tasksOf(first).length === 2 && tasksOf(second).length === 2);
    await feed(kafka.brokers, `${prefix}-in`, records(10 * KEYS));
    await settled(first);
    await settled(second);
    const changes = first.changes.length;
    await stop(second);
    await feed(kafka.brokers, `${prefix}-in`, records(10 * KEYS, 10 * KEYS));
    const again = await start(prefix, 'b', [counter(prefix)]);
    await until('the tasks are back', () => tasksOf(again).length === 2);
    await settled(again);
    await settled(first);
    assert.deepEqual(tasksOf(first), ['0_0', '0_1']);
    assert.equal(first.changes.length, changes);
    await stop(again);
    await stop(first);
    await assertCounted(prefix, 20 * KEYS);
  });

  test('a poison record goes where its handler says: aside, nowhere, or it stops its application alone', async () => {
    const prefix = await prefixed('in', 'counted');
    const builder = () => {
      const made = new StreamsBuilder();
      made.stream(`${prefix}-in`, NUMBERS).to(`${prefix}-counted`);
      return made.build();
    };
    const application = (id: string, more: Partial<ApplicationDefinition> = {}): ApplicationDefinition => ({
      applicationId: `${prefix}-${id}`,
      topology: builder(),
      ...more,
    });
    const dropped = { handlers: { deserialization: () => 'continue' as const } };
    const failing = { handlers: { deserialization: () => 'fail' as const } };
    const started = await start(prefix, 'a', [
      application('aside'),
      application('dropping', dropped),
      application('failing', failing),
    ]);
    await until('all run', () => started.runtime.state === 'running');
    await feed(kafka.brokers, `${prefix}-in`, [{ key: 'a', value: 'no number', timestamp: 7 }]);
    await until('one has failed', () =>
      started.runtime.applications().some(({ failure }) => failure !== null),
    );
    await until('the others are through', () => started.runtime.caughtUp);
    const [letter] = await readCommitted(kafka.brokers, `${prefix}-aside.dead-letter`);
    assert.equal(letter!.value!.toString(), 'no number');
    assert.deepEqual(await readCommitted(kafka.brokers, `${prefix}-dropping.dead-letter`), []);
    const of = (name: string, id: string) =>
      started.runtime
        .metrics()
        .filter((metric) => metric.name === name && metric.tags.application === `${prefix}-${id}`)
        .reduce((sum, { value }) => sum + value, 0);
    assert.equal(of('dead-letter-records-total', 'aside'), 1);
    assert.equal(of('dropped-records-total', 'dropping'), 1);
    assert.equal(of('failed-stream-threads', 'failing'), 1);
    assert.deepEqual(
      started.runtime.applications().map(({ state }) => state),
      ['running', 'running', 'error'],
    );
    const committed = await setup.admin.committedPositions(`${prefix}-failing`);
    assert.ok(committed.every(({ offset }) => offset === 0));
    await stop(started);
  });

  test('a value that a store cannot encode is asked about with its record, though it shows with the commit', async () => {
    const prefix = await prefixed('in', 'counted');
    const made = new StreamsBuilder();
    made
      .stream(`${prefix}-in`, TEXT)
      .groupByKey()
      .aggregate(
        () => 0,
        (_key, text, sum) => sum + Number(text),
        { name: 'sums', valueSerde: Serdes.longNumber },
      )
      .toStream()
      .mapValues(String)
      .to(`${prefix}-counted`, TEXT);
    const handlers = { processing: () => 'dead-letter' as const };
    const started = await start(prefix, 'a', [
      { applicationId: `${prefix}-sums`, topology: made.build(), handlers },
    ]);
    await until('it runs', () => started.runtime.state === 'running');
    const fed = ['1', '2', 'none', '4'].map((value) => ({ key: 'k', value, timestamp: 7 }));
    await feed(kafka.brokers, `${prefix}-in`, fed);
    await settled(started);
    const told = await readCommitted(kafka.brokers, `${prefix}-counted`);
    assert.deepEqual(
      told.map(({ value }) => value!.toString()),
      ['1', '3', '7'],
    );
    const letters = await readCommitted(kafka.brokers, `${prefix}-sums.dead-letter`);
    assert.deepEqual(
      letters.map(({ value }) => value!.toString()),
      ['none'],
    );
    await stop(started);
  });

  test('at least once loses nothing over a restart, and writes without transactions', async () => {
    const prefix = await prefixed('in', 'counted');
    const application = counter(prefix, { processingGuarantee: 'atLeastOnce' });
    const first = await start(prefix, 'a', [application]);
    await feed(kafka.brokers, `${prefix}-in`, records(5 * KEYS));
    await until('tasks', () => tasksOf(first).length === PARTITIONS);
    await settled(first);
    await stop(first);
    await feed(kafka.brokers, `${prefix}-in`, records(5 * KEYS, 5 * KEYS));
    const second = await start(prefix, 'a', [application]);
    await until('tasks', () => tasksOf(second).length === PARTITIONS);
    await settled(second);
    await stop(second);
    // No marker of a transaction lies between the records.
    const ends = await Promise.all(
      ['in', 'counted'].map(async (name) => (await setup.admin.describeTopic(`${prefix}-${name}`)).offsets),
    );
    assert.deepEqual(...(ends.map((offsets) => offsets.map(({ latest }) => latest)) as [number[], number[]]));
    await assertCounted(prefix, 10 * KEYS);
  });

  test('a global table is whole in every instance before others look into it', async () => {
    const prefix = await prefixed('in', 'names', 'out');
    const topology = () => {
      const builder = new StreamsBuilder();
      const names = builder.globalTable(`${prefix}-names`, TEXT, { name: 'names' });
      builder
        .stream(`${prefix}-in`, TEXT)
        .join(
          names,
          (key) => key,
          (value, name) => `${value} ${name}`,
        )
        .to(`${prefix}-out`, { valueSerde: Serdes.string });
      return builder.build();
    };
    await feed(
      kafka.brokers,
      `${prefix}-names`,
      Array.from({ length: KEYS }, (_, key) => ({ key: `key-${key}`, value: `name ${key}`, timestamp: 1 })),
    );
    await feed(kafka.brokers, `${prefix}-in`, records(2 * KEYS));
    const application = { applicationId: `${prefix}-app`, topology: topology() };
    const first = await start(prefix, 'a', [application]);
    const second = await start(prefix, 'b', [{ ...application, topology: topology() }]);
    await until('the tasks are shared', () => tasksOf(first).length === 3 && tasksOf(second).length === 3);
    await settled(first);
    await settled(second);
    const out = (await readCommitted(kafka.brokers, `${prefix}-out`)).map(({ value }) => String(value));
    const input = await readCommitted(kafka.brokers, `${prefix}-in`);
    const expected = input.map(({ key, value }) => `${value} name ${key!.slice('key-'.length)}`);
    assert.deepEqual(out.sort(), expected.sort());
    await stop(second);
    await stop(first);
    for (const instance of ['a', 'b']) {
      const again = await start(prefix, instance, [{ ...application, topology: topology() }]);
      await until('it runs again', () => again.runtime.applications()[0]!.state === 'running');
      const anew = again.notices.filter((notice) => notice.includes('from the start'));
      assert.deepEqual(anew, [], 'it goes on from its own copy');
      await stop(again);
    }
  });

  test('an heir keeps copies of what it would take over', async () => {
    const prefix = await prefixed('in', 'counted');
    await feed(kafka.brokers, `${prefix}-in`, records(10 * KEYS));
    const first = await start(prefix, 'a', [counter(prefix)], 1);
    const second = await start(prefix, 'b', [counter(prefix)], 1);
    await until('the tasks are shared', () => tasksOf(first).length === 2 && tasksOf(second).length === 2);
    const { instances } = second.runtime;
    const standbys = () => instances!.alive().map(({ applications }) => applications[`${prefix}-counter`]);
    await until('both tell of active tasks and copies', () =>
      standbys().every((tasks) => tasks?.active.length === 2 && tasks.standby.length === 2),
    );
    assert.deepEqual(standbys(), [
      { active: ['0_0', '0_1'], standby: ['0_2', '0_3'] },
      { active: ['0_2', '0_3'], standby: ['0_0', '0_1'] },
    ]);
    assert.equal(instances!.hostOf(`${prefix}-counter`, '0_1')!.instanceId, `${prefix}-a`);
    await settled(first);
    await until('the copies have caught up', () => second.engine.state.lag().every(({ lag }) => lag === 0));
    await stop(second);
    await stop(first);
  });

  test('an input topic that is deleted stops its application with a clear reason', async () => {
    const prefix = await prefixed('in', 'counted');
    const started = await start(prefix, 'a', [counter(prefix)]);
    await until('runs', () => started.runtime.state === 'running');
    await setup.admin.deleteTopic(`${prefix}-in`);
    await until('stopped', () => started.changes.at(-1)!.state === 'error');
    assert.equal((started.runtime.applications()[0]!.failure as LogError).code, 'LOG_UNKNOWN_TOPIC');
    await stop(started);
  });

  test('records that were deleted before they were read stop the application instead of being skipped', async () => {
    const prefix = await prefixed('in', 'counted');
    const first = await start(prefix, 'a', [counter(prefix)]);
    await feed(kafka.brokers, `${prefix}-in`, records(2 * KEYS));
    await until('tasks', () => tasksOf(first).length === PARTITIONS);
    await settled(first);
    await stop(first);
    await feed(kafka.brokers, `${prefix}-in`, records(4 * KEYS, 2 * KEYS));
    const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(`${prefix}-in`);
    await admin.deleteTopicRecords({
      topic: `${prefix}-in`,
      partitions: ends.map(({ partition, high: offset }) => ({ partition, offset })),
    });
    await admin.disconnect();
    const second = await start(prefix, 'a', [counter(prefix)]);
    await until('stopped', () => second.runtime.applications()[0]!.failure !== null);
    const failure = second.runtime.applications()[0]!.failure as LogError;
    assert.equal(failure.code, 'LOG_OFFSET_OUT_OF_RANGE');
    assert.match(failure.message, /reset the application/);
    await stop(second);
  });

  test('while the broker does not answer the state says so, and nothing is lost', async () => {
    const prefix = await prefixed('in', 'counted');
    const started = await start(prefix, 'a', [counter(prefix)]);
    await feed(kafka.brokers, `${prefix}-in`, records(5 * KEYS));
    await until('tasks', () => tasksOf(started).length === PARTITIONS);
    await settled(started);
    await kafka.broker().stop('SIGSTOP');
    await until('unavailable', () => started.runtime.state === 'unavailable');
    await kafka.broker().stop('SIGCONT');
    await until('runs again', () => started.runtime.state === 'running');
    await feed(kafka.brokers, `${prefix}-in`, records(5 * KEYS, 5 * KEYS));
    await until('all counted', () => started.runtime.caughtUp && read(started) >= 10 * KEYS);
    await stop(started);
    await assertCounted(prefix, 10 * KEYS);
  });
});
