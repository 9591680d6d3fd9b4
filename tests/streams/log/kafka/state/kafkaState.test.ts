import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type BytesStore,
  type KeyValueStore,
  type SessionStore,
  type StateStore,
  type StoreBuilder,
  Stores,
  stringSerde,
  type ValueAndTimestamp,
  type VersionedKeyValueStore,
  type WindowStore,
} from '../../../../../stores/index.ts';
import type { KafkaTaskState } from '../../../../../streams/log/kafka/state/index.ts';
import { KafkaUnderTest, kafkaMissing } from '../../../../support/kafka.ts';
import { TemporaryDirectory } from '../../../../support/temporary.ts';
import { until } from '../../../../support/until.ts';
import {
  createChangelogs,
  deleteChangelogs,
  kafkajsOf,
  positionOf,
  StateInstance,
  taskOf,
} from './kafkaWriter.ts';

const serdes = { keySerde: stringSerde, valueSerde: stringSerde };
const PLAIN = Stores.keyValueStore({ name: 'plain', ...serdes });
const HELD = Stores.keyValueStore({ name: 'held', residence: 'memory', ...serdes });

const KINDS = {
  plain: PLAIN,
  stamped: Stores.timestampedKeyValueStore({ name: 'stamped', ...serdes }),
  held: HELD,
  windows: Stores.windowStore({ name: 'windows', windowSizeMs: 10, retentionMs: 1000, ...serdes }),
  ranges: Stores.windowStore({
    name: 'ranges',
    windowSizeMs: 10,
    retentionMs: 1000,
    readInRanges: true,
    ...serdes,
  }),
  sessions: Stores.sessionStore({ name: 'sessions', retentionMs: 1000, ...serdes }),
  versions: Stores.versionedKeyValueStore({ name: 'versions', historyRetentionMs: 1000, ...serdes }),
} as const;

describe('the state on Kafka', { skip: kafkaMissing() }, () => {
  const directory = new TemporaryDirectory();
  let kafka: KafkaUnderTest;
  const instances: StateInstance[] = [];
  before(async () => {
    kafka = await KafkaUnderTest.start();
  });
  after(async () => {
    for (const instance of instances) await instance.stop();
    await kafka.stop();
    directory.remove();
  });

  async function start(id = kafka.unique('instance'), compression = 'none'): Promise<StateInstance> {
    const instance = await StateInstance.start(kafka, directory.path, id, compression);
    instances.push(instance);
    return instance;
  }

  async function stop(instance: StateInstance): Promise<void> {
    instances.splice(instances.indexOf(instance), 1);
    await instance.stop();
  }

  function build<S extends StateStore>(
    { state }: StateInstance,
    task: KafkaTaskState,
    builder: StoreBuilder<S>,
  ): S {
    const { applicationId, partition } = task;
    return builder.build(state, { applicationId, storeName: builder.name, partition });
  }

  function bytesOf({ state }: StateInstance, { applicationId, partition }: KafkaTaskState): BytesStore {
    return state.open({ applicationId, storeName: 'plain', partition }, 'persistent');
  }

  function contentOf(bytes: BytesStore): string[] {
    return [...bytes.scan(null, null, false)].map(({ key, value }) => `${key}=${value}`);
  }

  async function newTask(stores: readonly StoreBuilder[] = [PLAIN]): Promise<KafkaTaskState> {
    const task = taskOf(kafka.unique('app'), stores);
    await createChangelogs(kafkajsOf(kafka), task);
    return task;
  }

  test('restores every kind of store through its changelog', async () => {
    const task = await newTask(Object.values(KINDS));
    const first = await start();
    await first.restore(task);
    const opened = Object.values(KINDS).map((builder) =>
      build<StateStore>(first, task, builder as StoreBuilder),
    );
    const [plain, stamped, held, windows, ranges, sessions, versions] = opened as [
      KeyValueStore<string, string>,
      KeyValueStore<string, ValueAndTimestamp<string>>,
      KeyValueStore<string, string>,
      WindowStore<string, string>,
      WindowStore<string, string>,
      SessionStore<string, string>,
      VersionedKeyValueStore<string, string>,
    ];
    for (let round = 0; round < 3; round += 1) {
      plain.put('a', `${round}`);
      plain.put(`b${round}`, 'kept');
      if (round === 2) plain.delete('b0');
      stamped.put('a', { value: `${round}`, timestamp: round });
      held.put('a', `${round}`);
      windows.put('a', `${round}`, 10 * round);
      ranges.put('a', `${round}`, 10 * round);
      sessions.put({ key: 'a', window: { startMs: round, endMs: 50 * round } }, `${round}`);
      versions.put('a', `${round}`, 10 * round);
      for (const store of opened) store.flush();
      await first.commit([positionOf(task.applicationId, round + 1)]);
    }
    first.state.close(task);

    const second = await start();
    const progress = await second.restore(task);
    assert.equal(progress.done, true);
    assert.ok(progress.records > 20, `${progress.records} records`);
    const plainAgain = build(second, task, KINDS.plain);
    assert.deepEqual(
      [...plainAgain.all()].map(({ key, value }) => `${key}=${value}`),
      ['a=2', 'b1=kept', 'b2=kept'],
    );
    assert.deepEqual(build(second, task, KINDS.stamped).get('a'), { value: '2', timestamp: 2 });
    assert.equal(build(second, task, KINDS.held).get('a'), '2');
    for (const kind of [KINDS.windows, KINDS.ranges]) {
      assert.deepEqual(
        [...build(second, task, kind).fetch('a', 0, 100)].map(({ key, value }) => `${key}=${value}`),
        ['0=0', '10=1', '20=2'],
      );
    }
    assert.deepEqual(
      [...build(second, task, KINDS.sessions).fetch('a')].map(({ value }) => value),
      ['0', '1', '2'],
    );
    const versionsAgain = build(second, task, KINDS.versions);
    assert.equal(versionsAgain.getAsOf('a', 15)?.value, '1');
    assert.equal(versionsAgain.get('a')?.value, '2');
    second.state.close(task);
  });

  test('takes committed transactions only, and waits for those that are still open', async () => {
    const task = await newTask();
    const writer = await start();
    await writer.restore(task);
    let store = bytesOf(writer, task);
    store.put(Buffer.from('a'), Buffer.from('committed'));
    await writer.commit([]);
    store.put(Buffer.from('a'), Buffer.from('aborted'));
    await writer.begin();
    writer.drain();
    // A transaction of which the broker has heard nothing yet cannot be aborted there.
    await new Promise((resolve) => writer.producer.flush(10_000, resolve as never));
    await writer.abort();
    assert.deepEqual(contentOf(store), ['a=committed']);
    writer.state.close(task);
    await writer.restore(task);
    store = bytesOf(writer, task);
    store.put(Buffer.from('b'), Buffer.from('late'));
    await writer.begin();
    writer.drain();
    await new Promise((resolve) => writer.producer.flush(10_000, resolve as never));

    const reader = await start();
    let restored = false;
    const restoring = reader.restore(task).then(() => {
      restored = true;
    });
    const location = { applicationId: task.applicationId, storeName: 'plain', partition: 1 };
    await until('the restore is at the open transaction', () => reader.state.status()[0]?.lag === 1);
    assert.equal(restored, false);
    assert.throws(() => reader.state.openCommitted(location).get(Buffer.from('a')), {
      code: 'LOG_STORE_RESTORING',
    });
    await writer.commitTransaction();
    writer.state.committed([]);
    await restoring;
    assert.deepEqual(contentOf(bytesOf(reader, task)), ['a=committed', 'b=late']);
    reader.state.close(task);
    assert.throws(() => reader.state.openCommitted(location).get(Buffer.from('a')), {
      code: 'LOG_STORE_NOT_HERE',
    });
  });

  test('uses local state again after an unclean end, and reads the tail only', async () => {
    const task = await newTask();
    const id = kafka.unique('instance');
    let instance = await start(id);
    await instance.restore(task);
    const store = bytesOf(instance, task);
    const write = async (offset: number): Promise<void> => {
      for (let index = 0; index < 100; index += 1)
        store.put(Buffer.from(`${offset}/${index}`), Buffer.from('x'));
      await instance.commit([positionOf(task.applicationId, offset)]);
    };
    for (let offset = 1; offset <= 20; offset += 1) await write(offset);
    // It ends between the commit of the transaction and the writing of the store.
    store.put(Buffer.from('last'), Buffer.from('x'));
    await instance.begin();
    instance.drain();
    await instance.commitTransaction();
    await stop(instance);

    instance = await start(id);
    const progress = await instance.restore(task);
    assert.ok(
      progress.records >= 1 && progress.records < 1000,
      `${progress.records} of 2001 records were read`,
    );
    assert.equal(contentOf(bytesOf(instance, task)).length, 2001);
    assert.deepEqual(instance.notices, []);
  });

  test('a standby follows, answers reads, and becomes active with what is left', async () => {
    const task = await newTask([PLAIN, HELD]);
    const active = await start();
    const other = await start();
    await active.restore(task);
    other.state.standby(task);
    const plain = build(active, task, PLAIN);
    const held = build(active, task, HELD);
    for (let round = 0; round < 50; round += 1) {
      plain.put(`${round % 7}`, `${round}`);
      held.put(`${round % 5}`, `${round}`);
      plain.flush();
      held.flush();
      await active.commit([positionOf(task.applicationId, round)]);
    }
    const viewed = PLAIN.buildCommitted(other.state, {
      applicationId: task.applicationId,
      storeName: 'plain',
      partition: 1,
    });
    await until('the standby has the last value', () => viewed.get('0') === '49');
    await until('the standby knows it', () => other.state.lag().every(({ lag }) => lag === 0));
    assert.equal(other.state.lag().length, 2);
    active.state.close(task);
    const progress = await other.restore(task);
    assert.equal(progress.records, 0);
    assert.equal(build(other, task, PLAIN).get('0'), '49');
    assert.equal(build(other, task, HELD).get('4'), '49');
    assert.deepEqual(other.notices, []);
  });

  test('a changelog made anew empties the store, and one that is gone is an error', async () => {
    const task = await newTask();
    const instance = await start();
    await instance.restore(task);
    bytesOf(instance, task).put(Buffer.from('a'), Buffer.from('x'));
    await instance.commit([]);
    instance.state.close(task);
    await deleteChangelogs(kafkajsOf(kafka), task);
    await assert.rejects(instance.restore(task), { code: 'LOG_UNKNOWN_TOPIC' });
    await createChangelogs(kafkajsOf(kafka), task);
    await instance.restore(task);
    assert.deepEqual(contentOf(bytesOf(instance, task)), []);
    assert.match(instance.notices.join('\n'), /its changelog was deleted and made anew/);
  });

  for (const compression of ['gzip', 'snappy', 'lz4']) {
    test(`restores a changelog compressed with ${compression}`, async () => {
      const task = await newTask();
      const writer = await start(kafka.unique('instance'), compression);
      await writer.restore(task);
      const store = bytesOf(writer, task);
      for (let index = 0; index < 500; index += 1)
        store.put(Buffer.from(`key-${String(index).padStart(4, '0')}`), Buffer.from('value'.repeat(20)));
      await writer.commit([]);
      const written = contentOf(store);
      const reader = await start();
      await reader.restore(task);
      assert.deepEqual(contentOf(bytesOf(reader, task)), written);
    });
  }

  test('a restore and a standby outlast a broker that is away', async () => {
    const task = await newTask();
    const followed = await newTask();
    const writer = await start();
    await writer.restore(task);
    const store = bytesOf(writer, task);
    store.put(Buffer.from('a'), Buffer.from('early'));
    await writer.commit([]);
    store.put(Buffer.from('a'), Buffer.from('never decided'));
    await writer.begin();
    writer.drain();
    await new Promise((resolve) => writer.producer.flush(10_000, resolve as never));

    const reader = await start();
    reader.state.standby(followed);
    const restoring = reader.restore(task);
    await until('the restore has come to the open transaction', () =>
      reader.state.status().some(({ role, lag }) => role === 'restoring' && lag === 1),
    );
    await kafka.broker().stop('SIGKILL');
    await until('the readers have noticed', () => reader.notices.length > 0);
    kafka.broker().launch();
    await kafka.broker().up();
    // The coordinator aborts the transaction when its time is over.
    await restoring;
    assert.deepEqual(contentOf(bytesOf(reader, task)), ['a=early']);

    const late = await start();
    await late.restore(followed);
    bytesOf(late, followed).put(Buffer.from('b'), Buffer.from('late'));
    await late.commit([]);
    const { applicationId, partition } = followed;
    const viewed = reader.state.openCommitted({ applicationId, storeName: 'plain', partition });
    await until('the standby has caught up', () => contentOf(viewed).join() === 'b=late');
  });
});
