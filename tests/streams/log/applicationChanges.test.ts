import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { EmbeddedLog } from '../../../streams/log/embedded/index.ts';
import { LogUnderTest, participantOf } from './support.ts';

const place = (applicationId: string, storeName = 'store') => ({ applicationId, storeName, partition: 0 });
const ENTRIES = 25_000;
let under: LogUnderTest;
let log: EmbeddedLog;

/** Fills a store of each application and commits a position in `in`. */
async function fill(applications: readonly string[]): Promise<void> {
  const participant = participantOf({
    beforeCommit: (writer) => {
      writer.takeState();
      for (const applicationId of applications)
        writer.putPosition({ applicationId, topic: 'in', partition: 0, offset: 7, partitionTimeMs: 70 });
    },
  });
  log.attach(participant);
  for (const applicationId of applications) {
    const store = log.state.open(place(applicationId), 'persistent');
    for (let index = 0; index < ENTRIES; index += 1)
      store.put(Buffer.from(`${applicationId}-${index}`), Buffer.from('x'));
  }
  const producer = log.createProducer();
  await producer.send([{ topic: 'in', key: null, value: null, timestamp: 1 }]);
  await producer.close();
  log.detach(participant);
  log = await under.reopen();
}

function entries(applicationId: string): string[] {
  return [...log.state.openCommitted(place(applicationId)).scan(null, null, false)].map(({ key }) =>
    String(key),
  );
}

beforeEach(async () => {
  under = new LogUnderTest();
  log = await under.open();
  await log.admin.createTopics([{ name: 'in', partitions: 1, retentionMs: null, cleanupPolicy: 'delete' }]);
  await fill(['app', 'app-two']);
});
afterEach(() => under.dispose());

test('a reset drops the stores and positions of one application and begins where it is told', async () => {
  await log.resetApplication('app', [{ topic: 'in', partition: 0, offset: 3 }]);
  for (const again of [false, true]) {
    if (again) log = await under.reopen();
    assert.deepEqual(entries('app'), []);
    assert.deepEqual(log.positions('app'), [
      { applicationId: 'app', topic: 'in', partition: 0, offset: 3, partitionTimeMs: -1 },
    ]);
    assert.equal(entries('app-two').length, ENTRIES, 'another id that begins alike is left alone');
    assert.equal(log.positions('app-two')[0]?.offset, 7);
    assert.deepEqual(
      log.state.list().map(({ applicationId }) => applicationId),
      ['app-two'],
    );
  }
});

test('an application adopts what another had, whose id is free then', async () => {
  await log.changeApplication({ kind: 'adopt', applicationId: 'app', from: 'app-two' });
  log = await under.reopen();
  assert.equal(entries('app')[0], 'app-two-0');
  assert.equal(entries('app').length, ENTRIES);
  assert.deepEqual(entries('app-two'), []);
  assert.deepEqual([log.positions('app')[0]?.partitionTimeMs, log.positions('app-two').length], [70, 0]);
});

test('a removed application leaves nothing', async () => {
  await log.changeApplication({ kind: 'remove', applicationId: 'app-two' });
  assert.deepEqual([entries('app-two'), log.positions('app-two')], [[], []]);
  assert.equal(entries('app').length, ENTRIES);
});

test('nothing is changed while applications run', async () => {
  log.attach(participantOf({}));
  await assert.rejects(log.resetApplication('app', []), { code: 'LOG_PARTICIPANT_ATTACHED' });
  assert.equal(entries('app').length, ENTRIES);
});
