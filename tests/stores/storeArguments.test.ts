import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Serdes, type StoreOptions, Stores } from '../../stores/index.ts';

/** Every kind of store, with what it needs beside name and serdes. */
const KINDS: Readonly<Record<string, (options: StoreOptions<string, string>) => unknown>> = {
  keyValueStore: (options) => Stores.keyValueStore(options),
  timestampedKeyValueStore: (options) => Stores.timestampedKeyValueStore(options),
  windowStore: (options) => Stores.windowStore({ windowSizeMs: 5, retentionMs: 5, ...options }),
  timestampedWindowStore: (options) =>
    Stores.timestampedWindowStore({ windowSizeMs: 5, retentionMs: 5, ...options }),
  sessionStore: (options) => Stores.sessionStore({ retentionMs: 5, ...options }),
  versionedKeyValueStore: (options) => Stores.versionedKeyValueStore({ historyRetentionMs: 5, ...options }),
};
const RIGHT = { name: 'rows', keySerde: Serdes.string, valueSerde: Serdes.string };

/** What a caller without types may pass, and the refusal. */
const WRONG: readonly (readonly [options: object, message: string])[] = [
  [{ name: 'rows' }, 'store rows: it has no keySerde; pass keySerde'],
  [{ ...RIGHT, valueSerde: undefined }, 'store rows: it has no valueSerde; pass valueSerde'],
  [
    { ...RIGHT, keySerde: 'utf8' },
    "store rows: its keySerde is 'utf8'; pass one with serialize and deserialize",
  ],
  [
    { ...RIGHT, valueSerde: { serialize: () => Buffer.alloc(0) } },
    'store rows: its valueSerde is the object given; pass one with serialize and deserialize',
  ],
  [
    { ...RIGHT, residence: 'disk' },
    "store rows: its residence is 'disk'; give one of persistent, memory, copy, replayed",
  ],
  [
    { ...RIGHT, cacheEntriesMax: Number.NaN },
    'store rows: it may keep NaN decoded entries (cacheEntriesMax); it is a whole number of at least 0',
  ],
  [{ ...RIGHT, name: 5 }, 'a store needs a name'],
  [{}, 'a store needs a name'],
];

test('a store of any kind without what it needs is refused where it is declared, by its name', () => {
  for (const [kind, make] of Object.entries(KINDS)) {
    for (const [options, message] of WRONG)
      assert.throws(() => make(options as never), { code: 'STORE_ARGUMENT', message }, `${kind}: ${message}`);
    make(RIGHT);
  }
  assert.throws(() => Stores.keyValueStore(undefined as never), { message: 'a store needs a name' });
});

test('times of the wrong type are refused, as text is not taken for a number', () => {
  const refused: readonly (readonly [() => unknown, string])[] = [
    [
      () => Stores.windowStore({ ...RIGHT, windowSizeMs: '5' as never, retentionMs: 5 }),
      "store rows: a window of '5' ms; it is a whole number of at least 1",
    ],
    [
      () => Stores.windowStore({ ...RIGHT, windowSizeMs: 5, retentionMs: '100' as never }),
      "store rows: a retention of '100' ms; it is a whole number of at least the window of 5 ms",
    ],
    [
      () => Stores.sessionStore({ ...RIGHT, retentionMs: '100' as never }),
      "store rows: a retention of '100' ms keeps no session; it is a whole number of at least 1",
    ],
    [
      () => Stores.sessionStore({ ...RIGHT, retentionMs: 5, keptLongerMs: -1 }),
      'store rows: sessions are kept -1 ms longer (keptLongerMs); it is a whole number of at least 0',
    ],
    [
      () => Stores.versionedKeyValueStore({ ...RIGHT, historyRetentionMs: '100' as never }),
      "store rows: a history retention of '100' ms; it is a whole number of at least 0",
    ],
  ];
  for (const [make, message] of refused) assert.throws(make, { code: 'STORE_ARGUMENT', message });
});
