import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isCachedStateStore, MemoryStateBackend, Serdes, Stores } from '../../stores/index.ts';

const MINUTE_MS = 60_000;
const RETENTION_MS = 20 * MINUTE_MS;
const SEED = 20_131_011;
const location = { applicationId: 'app', storeName: 'rows', partition: 0 };
const common = {
  name: 'rows',
  keySerde: Serdes.string,
  valueSerde: Serdes.longNumber,
  retentionMs: RETENTION_MS,
};

/** What a store is asked to do: so many rows at a time, and then nothing, a commit, or a commit and a restart. */
interface Step {
  readonly key: string;
  readonly timeMs: number;
  readonly rows: number;
  readonly after: 'nothing' | 'commit' | 'restart';
}

/** The kinds of stores whose rows expire; each puts a value at a time. */
const KINDS = {
  windows: (backend: MemoryStateBackend) => {
    const store = Stores.windowStore({ ...common, windowSizeMs: 10 }).build(backend, location);
    return { store, put: (key: string, timeMs: number, value: number) => store.put(key, value, timeMs) };
  },
  'windows read in ranges': (backend: MemoryStateBackend) => {
    const options = { ...common, windowSizeMs: 10, readInRanges: true, cacheEntriesMax: 1_000 };
    const store = Stores.windowStore(options).build(backend, location);
    return { store, put: (key: string, timeMs: number, value: number) => store.put(key, value, timeMs) };
  },
  'windows beside one another': (backend: MemoryStateBackend) => {
    const options = { ...common, windowSizeMs: 0, retainDuplicates: true };
    const store = Stores.windowStore(options).build(backend, location);
    return { store, put: (key: string, timeMs: number, value: number) => store.put(key, value, timeMs) };
  },
  sessions: (backend: MemoryStateBackend) => {
    const store = Stores.sessionStore({ ...common, keptLongerMs: MINUTE_MS }).build(backend, location);
    const put = (key: string, timeMs: number, value: number) =>
      store.put(
        { key, window: { startMs: Math.max(0, timeMs - 7), endMs: timeMs } },
        value % 5 === 0 ? null : value,
      );
    return { store, put };
  },
};

/** The bytes of a store after steps. */
function bytesAfter(steps: readonly Step[], kind: keyof typeof KINDS, recordCache: boolean): string[] {
  const backend = new MemoryStateBackend();
  const open = () => {
    const made = KINDS[kind](backend);
    if (recordCache && isCachedStateStore(made.store)) made.store.setFlushListener(() => undefined);
    return made;
  };
  let { store, put } = open();
  const commit = (): void => {
    store.flush();
    backend.commit();
  };
  for (const { key, timeMs, rows, after } of steps) {
    for (let row = 0; row < rows; row += 1) put(`${key}${row}`, timeMs, row);
    if (after !== 'nothing') commit();
    if (after === 'restart') {
      backend.crash();
      ({ store, put } = open());
    }
  }
  commit();
  const left = backend.openCommitted(location).scan(null, null, false);
  return [...left].map((row) => `${row.key.toString('hex')}: ${row.value.toString('hex')}`);
}

const halfMinutes = (min: number, max: number) =>
  fc.integer({ min, max }).map((half) => half * (MINUTE_MS / 2));
const steps = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'b', 'ab'),
    timeMs: fc.oneof(
      { weight: 8, arbitrary: halfMinutes(0, 50) },
      // Leaps of time, by which many windows expire.
      { weight: 1, arbitrary: halfMinutes(50, 250) },
    ),
    // At times more than is removed at once.
    rows: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 1, max: 4 }) },
      { weight: 1, arbitrary: fc.integer({ min: 200, max: 700 }) },
    ),
    after: fc.constantFrom('nothing', 'commit', 'restart'),
  }),
  { maxLength: 60, size: 'max' },
);

for (const kind of Object.keys(KINDS) as (keyof typeof KINDS)[])
  test(`what ${kind} leave on disk does not depend on when commits and restarts fell`, () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (given, recordCache) => {
        const inOneCommit = given.map((step) => ({ ...step, after: 'nothing' as const }));
        assert.deepEqual(bytesAfter(given, kind, recordCache), bytesAfter(inOneCommit, kind, recordCache));
      }),
      { seed: SEED, numRuns: 25 },
    );
  });

for (const kind of Object.keys(KINDS) as (keyof typeof KINDS)[])
  test(`${kind} that expired leave the disk while as many new ones come, and all of them in the end`, () => {
    const of = (minute: number, rows: number): Step => ({
      key: 'k',
      timeMs: minute * MINUTE_MS,
      rows,
      after: 'commit',
    });
    const crowded = Array.from({ length: 45 }, (_, minute) => of(minute, 150));
    // The least that may stand there: what is kept. At most one segment more, of a tenth of it or half, and what is about to go.
    const left = bytesAfter(crowded, kind, false).length;
    assert.ok(left >= 20 * 120 && left <= 34 * 150, `${left} rows`);
    // What is removed with every write adds up to four rows.
    assert.equal(
      bytesAfter([...crowded, of(500, 1_500)], kind, false).length,
      (kind === 'sessions' ? 1_200 : 1_500) + 1,
    );
  });
