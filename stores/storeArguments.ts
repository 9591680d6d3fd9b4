import { StoreError } from './errors.ts';
import { isSerde } from './serde.ts';
import { STORE_RESIDENCES } from './store.ts';

/** A value as a refusal names it: text in quotes, so that '5' is told from 5; of an object or function its type alone. */
export function shown(given: unknown): string {
  if (typeof given === 'string') return `'${given}'`;
  return (typeof given === 'object' && given !== null) || typeof given === 'function'
    ? `the ${typeof given} given`
    : String(given);
}

/** @throws StoreError STORE_ARGUMENT naming the store */
export function refuseStore(name: string, problem: string): never {
  throw new StoreError('STORE_ARGUMENT', `store ${name}: ${problem}`);
}

/** What is checked of the options of any store, as a caller without types may pass them. */
interface Declared {
  readonly name?: unknown;
  readonly keySerde?: unknown;
  readonly valueSerde?: unknown;
  readonly residence?: unknown;
  readonly cacheEntriesMax?: unknown;
}

/**
 * Types keep a caller in TypeScript from leaving these out; one without them would learn of it with the first record, or at the first commit.
 * @throws StoreError STORE_ARGUMENT naming the store, what is wrong and what is right
 */
export function checkStoreOptions(options: Declared | undefined): void {
  const { name, residence, cacheEntriesMax } = options ?? {};
  if (typeof name !== 'string' || name === '') throw new StoreError('STORE_ARGUMENT', 'a store needs a name');
  for (const what of ['keySerde', 'valueSerde'] as const) {
    const serde = options?.[what];
    if (serde === undefined || serde === null) refuseStore(name, `it has no ${what}; pass ${what}`);
    if (!isSerde(serde))
      refuseStore(name, `its ${what} is ${shown(serde)}; pass one with serialize and deserialize`);
  }
  if (residence !== undefined && !STORE_RESIDENCES.some((each) => each === residence))
    refuseStore(name, `its residence is ${shown(residence)}; give one of ${STORE_RESIDENCES.join(', ')}`);
  if (
    cacheEntriesMax !== undefined &&
    !(Number.isSafeInteger(cacheEntriesMax) && Number(cacheEntriesMax) >= 0)
  )
    refuseStore(
      name,
      `it may keep ${shown(cacheEntriesMax)} decoded entries (cacheEntriesMax); it is a whole number of at least 0`,
    );
}
