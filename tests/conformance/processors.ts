/** The processors that cases name; infra/kafka-streams-oracle has each of them in Java under the same name. */
import {
  type FixedKeyProcessorSupplier,
  type KeyValueStore,
  NO_HEADERS,
  type Processor,
  type ProcessorContext,
  type ProcessorSupplier,
  type Record,
  Serdes,
  type StoreBuilder,
  Stores,
} from '../../streams/index.ts';
import { text } from './functions.ts';

type Counts = KeyValueStore<string, number>;
type Context = ProcessorContext<unknown, unknown>;
type AnyProcessor = Processor<unknown, unknown, unknown, unknown>;

function countStore(name: string): StoreBuilder {
  return Stores.keyValueStore({
    name,
    keySerde: Serdes.string,
    valueSerde: Serdes.longNumber,
    residence: 'memory',
  });
}

function next(counts: Counts, key: unknown): number {
  const now = (counts.get(text(key)) ?? 0) + 1;
  counts.put(text(key), now);
  return now;
}

/** Numbers the records of a key. */
class Numbering implements AnyProcessor {
  readonly #store: string;
  #context!: Context;
  #counts!: Counts;

  constructor(store: string) {
    this.#store = store;
  }

  init(context: Context): void {
    this.#context = context;
    this.#counts = context.getStateStore(this.#store);
  }

  process(record: Record<unknown, unknown>): void {
    const value = `${text(record.value)}#${next(this.#counts, record.key)}`;
    this.#context.forward({ ...record, value });
  }
}

/** Counts, and every ten milliseconds of stream time tells of every count. */
class EveryTen implements AnyProcessor {
  readonly #store: string;
  #counts!: Counts;

  constructor(store: string) {
    this.#store = store;
  }

  init(context: Context): void {
    this.#counts = context.getStateStore(this.#store);
    context.schedule(10, 'stream-time', (timestamp) => {
      for (const { key, value } of this.#counts.all())
        context.forward({ key, value: String(value), timestamp, headers: NO_HEADERS });
    });
  }

  process(record: Record<unknown, unknown>): void {
    next(this.#counts, record.key);
  }
}

/** Puts records off by five milliseconds and marks them in a header. */
class Later implements AnyProcessor {
  #context!: Context;

  init(context: Context): void {
    this.#context = context;
  }

  process({ key, value, timestamp, headers }: Record<unknown, unknown>): void {
    const marked = [...headers, { key: 'later', value: Buffer.from('5') }];
    this.#context.forward({ key, value: text(value), timestamp: timestamp + 5, headers: marked });
  }
}

/** @throws Error for a name that is none */
export function processorSupplier(
  name: string,
  store: string | undefined,
): ProcessorSupplier<unknown, unknown, unknown, unknown> {
  const make = (): AnyProcessor => {
    if (name === 'number') return new Numbering(store!);
    if (name === 'everyTen') return new EveryTen(store!);
    if (name === 'later') return new Later();
    throw new Error(`no processor ${name}`);
  };
  return store === undefined ? { get: make } : { get: make, stores: () => [countStore(store)] };
}

/** Numbers the records of a key, which it cannot change. */
export function fixedKeyNumbering(store: string): FixedKeyProcessorSupplier<unknown, unknown, unknown> {
  return {
    stores: () => [countStore(store)],
    get: () => {
      let forward: (record: Record<unknown, unknown>) => void;
      let counts: Counts;
      return {
        init: (context) => {
          forward = (record) => context.forward(record);
          counts = context.getStateStore(store);
        },
        process: (record) =>
          forward({ ...record, value: `${text(record.value)}#${next(counts, record.key)}` }),
      };
    },
  };
}
