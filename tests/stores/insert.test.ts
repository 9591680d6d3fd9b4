import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryBytesStore, stringSerde } from '../../stores/index.ts';
import { CachingKeyValueStore } from '../../stores/keyValueStore.ts';

const SEED = 20131011;

/** Bytes below a store, with a count of what reaches them. */
class CountingBytes extends MemoryBytesStore {
  writes = 0;

  override put(key: Buffer, value: Buffer | null): void {
    this.writes += 1;
    super.put(key, value);
  }
}

function open(cacheEntriesMax: number): {
  bytes: CountingBytes;
  store: CachingKeyValueStore<string, string>;
} {
  const bytes = new CountingBytes();
  const store = new CachingKeyValueStore<string, string>(bytes, {
    name: 'store',
    keySerde: stringSerde,
    valueSerde: stringSerde,
    persistent: false,
    cacheEntriesMax,
  });
  return { bytes, store };
}

test('a key that was inserted and deleted before a flush never reaches the layer below', () => {
  const { bytes, store } = open(100);
  store.insert('a', '1');
  store.put('a', '2');
  store.put('a', null);
  store.flush();
  assert.equal(bytes.writes, 0);
  assert.equal(store.get('a'), null);
});

test('a key that was inserted and flushed is deleted below when it is deleted', () => {
  const { bytes, store } = open(100);
  store.insert('a', '1');
  store.flush();
  store.put('a', null);
  store.flush();
  assert.equal(bytes.get(Buffer.from('a')), null);
  assert.equal(bytes.writes, 2);
});

test('a scan between an insertion and a deletion does not bring the key back', () => {
  const { bytes, store } = open(100);
  store.insert('a', '1');
  assert.deepEqual(
    [...store.all()].map(({ key }) => key),
    ['a'],
  );
  store.put('a', null);
  assert.deepEqual([...store.all()], []);
  store.flush();
  assert.equal(bytes.get(Buffer.from('a')), null);
});

test(`random insertions, writes, reads, scans and flushes leave what a Map holds (seed ${SEED})`, () => {
  const step = fc.record({
    kind: fc.constantFrom('write', 'write', 'delete', 'get', 'scan', 'flush'),
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
  });
  const run = (
    steps: readonly { readonly kind: string; readonly key: string }[],
    cacheEntriesMax: number,
  ): void => {
    const { bytes, store } = open(cacheEntriesMax);
    const expected = new Map<string, string>();
    steps.forEach(({ kind, key }, index) => {
      if (kind === 'write') {
        if (expected.has(key)) store.put(key, String(index));
        else store.insert(key, String(index));
        expected.set(key, String(index));
      } else if (kind === 'delete') {
        store.put(key, null);
        expected.delete(key);
      } else if (kind === 'get') assert.equal(store.get(key), expected.get(key) ?? null);
      else if (kind === 'flush') store.flush();
      else assert.deepEqual(new Map([...store.all()].map((entry) => [entry.key, entry.value])), expected);
    });
    store.flush();
    const below = new Map(
      [...bytes.scan(null, null, false)].map(({ key, value }) => [key.toString(), value.toString()]),
    );
    assert.deepEqual(below, new Map([...expected].sort()));
  };
  fc.assert(fc.property(fc.array(step, { maxLength: 80 }), fc.constantFrom(1, 2, 100), run), {
    seed: SEED,
    numRuns: 2_000,
  });
});
