import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type AsyncEntries, LocalQueries, type ValueAndTimestamp } from '../../../streams/index.ts';
import { CountedNames, NAMES } from './names.ts';

const ROUNDS = 300;

let counted: CountedNames;
let queries: LocalQueries;

before(async () => {
  counted = await CountedNames.open();
  queries = new LocalQueries(counted.runtime.stores);
});

after(() => counted.close());

const counts = (store = 'counts') => queries.keyValue<string, ValueAndTimestamp<number>>('app', store);

async function keysOf<K>(entries: AsyncEntries<K, unknown>, entriesMax?: number): Promise<readonly K[]> {
  return (await entries.toArray(entriesMax)).map(({ key }) => key);
}

test('reads without a wait between them see one commit, however many there are', async () => {
  let writing = true;
  const writer = (async () => {
    for (let at = 100; writing; at += 1) await counted.send([['ann', at]]);
  })();
  let commits = 0;
  let torn = 0;
  for (let round = 0, last = -1; round < ROUNDS; round += 1) {
    const first = (await counts().get('ann'))!.value;
    const listed = await counts().all().toArray();
    let iterated = -1;
    for await (const { key, value } of counts('counted-again').range('ann', 'ann')) {
      assert.equal(key, 'ann');
      iterated = value.value;
    }
    let paged = -1;
    for await (const page of counts().prefixScan(Buffer.from('an')).pages(1)) paged = page[0]!.value.value;
    const [again, part] = await Promise.all([
      counts('counted-again').get('ann'),
      counts().forRecordKey('ann').get('ann'),
    ]);
    assert.deepEqual(
      [listed[0]!.value.value, iterated, paged, again!.value, part!.value],
      [first, first, first, first, first],
    );
    if (first !== last) commits += 1;
    last = first;
    await nextTurn();
    // With a turn of the event loop between them two reads may well differ.
    if ((await counts('counted-again').get('ann'))!.value !== first) torn += 1;
  }
  writing = false;
  await writer;
  assert.ok(commits > 5, `${commits} commits were seen`);
  assert.ok(torn > 5, `${torn} pairs of reads with a turn between them differed`);
});

test('ranges come in order, whole, in pages and up to a number of entries', async () => {
  assert.deepEqual(await keysOf(counts().all()), NAMES);
  assert.deepEqual(await keysOf(counts().reverseAll(), 2), ['gil', 'fred']);
  assert.deepEqual(await keysOf(counts().range('bob', 'eve'), 3), ['bob', 'cid', 'dora']);
  assert.deepEqual(await keysOf(counts().reverseRange(null, 'bob')), ['bob', 'ann']);
  assert.deepEqual(await keysOf(counts().all(), 0), []);
  const pages: string[][] = [];
  for await (const page of counts().all().pages(3)) pages.push(page.map(({ key }) => key));
  assert.deepEqual(pages, [['ann', 'bob', 'cid'], ['dora', 'eve', 'fred'], ['gil']]);
  for await (const page of counts().all().pages(2)) {
    assert.deepEqual(
      page.map(({ key }) => key),
      ['ann', 'bob'],
    );
    break;
  }
});

test('windows and sessions of a key are read, and what is asked for wrongly is refused', async () => {
  const windows = queries.window<string, ValueAndTimestamp<number>>('app', 'by-window');
  assert.equal((await windows.fetchSingle('bob', 0))?.value, 1);
  assert.deepEqual(await keysOf(windows.fetch('ann', 0, 99)), [0, 10, 20]);
  assert.deepEqual(await keysOf(windows.forRecordKey('ann').backwardFetch('ann', 5, 99)), [20, 10]);
  const sessions = queries.session<string, number>('app', 'sessions');
  assert.equal(await sessions.fetchSession('ann', 12, 12), 1);
  assert.deepEqual(
    (await keysOf(sessions.findSessions('ann', 1, 30))).map(({ window }) => window.startMs),
    [12, 25],
  );
  assert.throws(() => queries.keyValue('app', 'by-window'), { code: 'STREAMS_UNKNOWN_STORE' });
  assert.throws(() => queries.keyValue('other', 'counts'), { code: 'STREAMS_UNKNOWN_APPLICATION' });
});
