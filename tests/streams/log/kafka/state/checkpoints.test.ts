import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { Stores, stringSerde } from '../../../../../stores/index.ts';
import type {
  ChangelogBounds,
  ChangelogReader,
} from '../../../../../streams/log/kafka/state/changelogReader.ts';
import {
  changelogTopicName,
  KafkaState,
  type KafkaTaskState,
} from '../../../../../streams/log/kafka/state/index.ts';
import { TemporaryDirectory } from '../../../../support/temporary.ts';
import { contentOf, openBytes, restoredRecords, sendCommitted, writeCommitted } from './committing.ts';
import { positionOf, taskOf } from './kafkaWriter.ts';
import { MemoryChangelogs, MemoryTransaction } from './memoryChangelogs.ts';

const STORE = Stores.keyValueStore({ name: 'plain', keySerde: stringSerde, valueSerde: stringSerde });
const TASK = taskOf('app', [STORE]);
const CHANGELOG = { topic: changelogTopicName('app', 'plain'), partition: 1 };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let temporary: TemporaryDirectory;
let changelogs: MemoryChangelogs;
let states: KafkaState[];

beforeEach(() => {
  temporary = new TemporaryDirectory();
  changelogs = new MemoryChangelogs();
  changelogs.create(CHANGELOG.topic, 2);
  states = [];
});
afterEach(async () => {
  for (const state of states) await state.shutdown();
  temporary.remove();
});

async function open(
  name: string,
  reader: ChangelogReader = changelogs.reader(),
  notices: string[] = [],
): Promise<KafkaState> {
  const state = await KafkaState.over({
    directory: join(temporary.path, name),
    memoryBudgetBytes: 8 * 2 ** 20,
    clusterId: 'one',
    reader,
    checkpointIntervalMs: 0,
    onNotice: (line) => void notices.push(line),
  });
  states.push(state);
  return state;
}

async function reopen(state: KafkaState, name: string): Promise<KafkaState> {
  await state.shutdown();
  states.splice(states.indexOf(state), 1);
  return open(name);
}

test('an end that is heard becomes the checkpoint with the next commit', async () => {
  let state = await open('a');
  await state.restore(TASK);
  const bytes = openBytes(state, TASK);
  for (let offset = 1; offset <= 10; offset += 1) {
    bytes.put(Buffer.from(`${offset}`), Buffer.from('x'));
    writeCommitted(state, changelogs, [positionOf('app', offset)]);
    await turn();
  }
  state = await reopen(state, 'a');
  // The end was heard after the ninth commit, and written with the tenth.
  assert.equal(await restoredRecords(state, TASK), 1);
  assert.equal(contentOf(openBytes(state, TASK)).length, 10);
});

test('an end that is heard after the task was lost never becomes a checkpoint', async () => {
  const reader = changelogs.reader();
  const asked: (() => void)[] = [];
  let late = false;
  const slow: ChangelogReader = {
    bounds: async (partitions): Promise<readonly (ChangelogBounds | null)[]> => {
      if (late) await new Promise<void>((resolve) => void asked.push(resolve));
      return reader.bounds(partitions);
    },
    follow: (partition, offset) => reader.follow(partition, offset),
    unfollow: (partition) => reader.unfollow(partition),
    read: () => reader.read(),
    heardEnd: (partition) => reader.heardEnd(partition),
    close: () => reader.close(),
  };
  let frozen = await open('frozen', slow);
  await frozen.restore(TASK);
  late = true;
  const bytes = openBytes(frozen, TASK);
  bytes.put(Buffer.from('a'), Buffer.from('old'));
  writeCommitted(frozen, changelogs, [positionOf('app', 1)]);
  assert.equal(asked.length, 1);

  // Frozen here; another instance takes over and writes.
  const heir = await open('heir');
  await heir.restore(TASK);
  const heirs = openBytes(heir, TASK);
  heirs.put(Buffer.from('a'), Buffer.from('new'));
  heirs.put(Buffer.from('b'), Buffer.from('new'));
  writeCommitted(heir, changelogs, [positionOf('app', 2)]);

  // The frozen one goes on: it hears an end beyond what it holds, commits for another task only, and fails to commit for this one.
  asked[0]!();
  await turn();
  frozen.drain(() => undefined);
  frozen.committed([{ ...positionOf('app', 7), partition: 0 }]);
  bytes.put(Buffer.from('c'), Buffer.from('refused'));
  const refused = new MemoryTransaction();
  frozen.drain((topic, partition, key, value) =>
    changelogs.append({ topic, partition }, key, value, refused),
  );
  changelogs.finish(refused, 'aborted');
  frozen.discard();
  frozen.close(TASK);
  heir.close(TASK);
  frozen = await reopen(frozen, 'frozen');
  await frozen.restore(TASK);
  assert.deepEqual(contentOf(openBytes(frozen, TASK)), ['a=new', 'b=new']);
});

test('changes that were drained are read until their commit, drained twice or not, and gone when discarded', async () => {
  const state = await open('a');
  await state.restore(TASK);
  const bytes = openBytes(state, TASK);
  const location = { applicationId: 'app', storeName: 'plain', partition: 1 };
  bytes.put(Buffer.from('a'), Buffer.from('1'));
  sendCommitted(state, changelogs);
  bytes.put(Buffer.from('b'), Buffer.from('1'));
  bytes.put(Buffer.from('a'), Buffer.from('2'));
  sendCommitted(state, changelogs);
  bytes.put(Buffer.from('c'), Buffer.from('1'));
  assert.deepEqual(contentOf(bytes), ['a=2', 'b=1', 'c=1']);
  assert.deepEqual(contentOf(state.openCommitted(location)), []);
  state.committed([positionOf('app', 1)]);
  assert.deepEqual(contentOf(bytes), ['a=2', 'b=1', 'c=1']);
  assert.deepEqual(contentOf(state.openCommitted(location)), ['a=2', 'b=1']);
  state.discard();
  assert.deepEqual(contentOf(bytes), ['a=2', 'b=1']);
  assert.deepEqual(state.positions(TASK), [positionOf('app', 1)]);
});

test('a store that is closed with changes in flight still gets them', async () => {
  const state = await open('a');
  await state.restore(TASK);
  const bytes = openBytes(state, TASK);
  bytes.put(Buffer.from('a'), Buffer.from('1'));
  sendCommitted(state, changelogs);
  bytes.close();
  state.committed([positionOf('app', 1)]);
  assert.deepEqual(contentOf(openBytes(state, TASK)), ['a=1']);
});

test('a task is opened once, after its restore, and may be closed in the middle of it', async () => {
  const state = await open('a');
  assert.throws(() => openBytes(state, TASK), { code: 'LOG_STORE_NOT_HERE' });
  const hanging = new MemoryTransaction();
  changelogs.append(CHANGELOG, Buffer.from('a'), Buffer.from('1'), hanging);
  const restoring = state.restore(TASK);
  await turn();
  assert.throws(() => openBytes(state, TASK), { code: 'LOG_STORE_RESTORING' });
  await assert.rejects(state.restore(TASK), { code: 'LOG_STORE_IN_USE' });
  state.close(TASK);
  await assert.rejects(restoring, { code: 'LOG_CLOSED' });
  changelogs.finish(hanging, 'committed');
  await state.restore(TASK);
  assert.deepEqual(contentOf(openBytes(state, TASK)), ['a=1']);
  assert.throws(() => openBytes(state, TASK), { code: 'LOG_STORE_IN_USE' });
});

test('a global store goes on from its own positions, and begins anew with another topic', async () => {
  changelogs.create('in', 2);
  const task: KafkaTaskState = {
    applicationId: 'app',
    subtopologyId: -1,
    partition: 0,
    stores: [
      Stores.keyValueStore({
        name: 'plain',
        residence: 'copy',
        keySerde: stringSerde,
        valueSerde: stringSerde,
      }),
    ],
    topics: ['in'],
  };
  const written = new MemoryTransaction();
  for (const partition of [0, 1])
    changelogs.append({ topic: 'in', partition }, Buffer.from(`${partition}`), Buffer.from('x'), written);
  changelogs.finish(written, 'committed');
  const positions = [0, 1].map((partition) => ({ ...positionOf('app', 1), partition }));
  let state = await open('a');
  await state.restore(task);
  assert.equal(state.positions(task), null);
  openBytes(state, task).put(Buffer.from('0'), Buffer.from('x'));
  state.drain(() => assert.fail('a global store has no changelog'));
  state.committed(positions);
  state = await reopen(state, 'a');
  await state.restore(task);
  assert.deepEqual(state.positions(task), positions);
  assert.deepEqual(contentOf(openBytes(state, task)), ['0=x']);
  state.close(task);

  changelogs.delete('in');
  changelogs.create('in', 2);
  const notices: string[] = [];
  await state.shutdown();
  states.splice(states.indexOf(state), 1);
  state = await open('a', changelogs.reader(), notices);
  await state.restore(task);
  assert.equal(state.positions(task), null);
  assert.deepEqual(contentOf(openBytes(state, task)), []);
  assert.match(notices.join('\n'), /its topic was deleted and made anew/);
});
