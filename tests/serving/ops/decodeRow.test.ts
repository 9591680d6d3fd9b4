import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSerdes } from '../../../schemas/avroSerdes.ts';
import { ReadOnlySchemaRegistry } from '../../../schemas/registry/readOnly.ts';
import { getEntries, listStores, scanStore } from '../../../serving/ops/stores.ts';
import type { OperatorSubject } from '../../../serving/ops/subject.ts';
import { type StateStore, type StoreBuilder, Stores, stringSerde, Topology } from '../../../streams/index.ts';
import { TOPICS } from '../../../topologies/topics.ts';
import { LogUnderTest, participantOf } from '../../streams/log/support.ts';

const serdes = { keySerde: stringSerde, valueSerde: stringSerde };
const HOUR_MS = 3_600_000;
const ALL = { prefix: null, from: null, to: null, limit: null };

const sessions = Stores.sessionStore({ name: 'sessions', ...serdes, retentionMs: HOUR_MS });
const versions = Stores.versionedKeyValueStore({ name: 'versions', ...serdes, historyRetentionMs: HOUR_MS });
const ranges = Stores.windowStore({
  name: 'ranges',
  ...serdes,
  windowSizeMs: 1_000,
  retentionMs: HOUR_MS,
  retainDuplicates: true,
});

const under = new LogUnderTest();
let subject: OperatorSubject;

before(async () => {
  const log = await under.open();
  const open = <S extends StateStore>(builder: StoreBuilder<S>): S =>
    builder.build(log.state, { applicationId: 'app', storeName: builder.name, partition: 0 });
  const [session, version, range] = [open(sessions), open(versions), open(ranges)];
  log.attach(
    participantOf({
      beforeCommit: (writer) => {
        writer.takeState();
        for (const store of [session, version, range]) store.flush();
      },
    }),
  );
  session.put({ key: 'ann', window: { startMs: 1_000, endMs: 5_000 } }, 'a1');
  session.put({ key: 'bob', window: { startMs: 2_000, endMs: 2_500 } }, 'b1');
  version.put('ann', 'old', 1_000);
  version.put('ann', 'new', 3_000);
  range.put('ann', 'first', 1_000);
  range.put('ann', 'second', 1_000);
  range.put('bob', 'third', 4_000);
  await log.admin.createTopics([{ name: 'in', partitions: 1, retentionMs: null, cleanupPolicy: 'delete' }]);
  const producer = log.createProducer();
  await producer.send([{ topic: 'in', key: null, value: null, timestamp: 1 }]);
  await producer.close();
  const topology = new Topology()
    .addSource('source', 'in', serdes)
    .addProcessor('work', { get: () => ({ process: () => undefined }) }, 'source');
  for (const store of [sessions, versions, ranges] as const) topology.addStateStore(store, 'work');
  subject = {
    engine: log,
    serdes: await createSerdes(new ReadOnlySchemaRegistry([]), TOPICS),
    applications: [{ applicationId: 'app', topology }],
  };
});
after(() => under.dispose());

async function scanned(store: string, options: object = {}): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const { key, window, value, undecodable } of scanStore(subject, 'app', store, {
    ...ALL,
    ...options,
  })) {
    assert.equal(undecodable, null);
    found.push([key, window?.startMs, window?.endMs, value]);
  }
  return found;
}

test('sessions are shown with start and end', async () => {
  assert.deepEqual(await scanned('sessions'), [
    ['ann', 1_000, 5_000, 'a1'],
    ['bob', 2_000, 2_500, 'b1'],
  ]);
  assert.deepEqual(await scanned('sessions', { from: 1_500 }), [['bob', 2_000, 2_500, 'b1']]);
  const [entry] = await getEntries(subject, 'app', 'sessions', 'bob');
  assert.equal(entry?.value, 'b1');
});

test('versions are shown with the time they hold for, the present one without an end', async () => {
  assert.deepEqual(await scanned('versions'), [
    ['ann', 3_000, null, 'new'],
    ['ann', 1_000, 3_000, 'old'],
  ]);
  assert.deepEqual(await scanned('versions', { to: 2_000 }), [['ann', 1_000, 3_000, 'old']]);
  assert.equal((await getEntries(subject, 'app', 'versions', 'ann')).length, 2);
});

test('windows kept for reading in ranges are shown, duplicates too', async () => {
  assert.deepEqual(await scanned('ranges'), [
    ['ann', 1_000, 2_000, 'first'],
    ['ann', 1_000, 2_000, 'second'],
    ['bob', 4_000, 5_000, 'third'],
  ]);
  assert.deepEqual(await scanned('ranges', { prefix: 'b' }), [['bob', 4_000, 5_000, 'third']]);
});

test('entries are counted without what the stores note beside them', async () => {
  const stores = await listStores(subject, true);
  assert.deepEqual(
    stores.map(({ store, entries, layout }) => [store, entries, layout]),
    [
      ['sessions', 2, 'session'],
      ['versions', 2, 'versioned'],
      ['ranges', 3, 'range'],
    ],
  );
});
