import {
  type KeyValueStore,
  type ProcessorContext,
  type ProcessorSupplier,
  Serdes,
  type SimulatedWorkload,
  Stores,
  StreamsBuilder,
} from '../../../streams/index.ts';
import { drawInputs, TEXTS } from './inputs.ts';

const WORDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

/** Keeps the last count it heard of: in a store that is declared first, and changes when the caches before it are flushed. */
const keeping: ProcessorSupplier<string, number, string, number> = {
  get: () => {
    let context: ProcessorContext<string, number>;
    let latest: KeyValueStore<string, number>;
    return {
      init: (given) => {
        context = given;
        latest = given.getStateStore('latest');
      },
      process: ({ key, value, timestamp, headers }) => {
        latest.put(key, value);
        context.forward({ key, value, timestamp, headers });
      },
    };
  },
};

function topology(cachingEnabled: boolean) {
  const builder = new StreamsBuilder();
  builder.addStateStore(
    Stores.keyValueStore({ name: 'latest', keySerde: Serdes.string, valueSerde: Serdes.longNumber }),
  );
  const sentences = builder.stream('sentences', TEXTS);
  sentences
    .flatMapValues((sentence) => (sentence ?? '').split(' '))
    .groupBy((_key, word) => word, { ...TEXTS, name: 'words' })
    .count({ name: 'word-counts', cachingEnabled })
    .toStream()
    .to('counts');
  sentences
    .groupByKey()
    .count({ name: 'to-keep', cachingEnabled })
    .toStream()
    .process(keeping, { name: 'keeping', stores: ['latest'] })
    .to('latest', { keySerde: Serdes.string, valueSerde: Serdes.longNumber });
  sentences.groupByKey().count({ name: 'by-key', residence: 'memory', cachingEnabled }).toStream().to('keys');
  return builder.build();
}

const LAST = { counts: 'last-by-key', keys: 'last-by-key', latest: 'last-by-key' } as const;

function counting(name: string, cached: boolean): SimulatedWorkload {
  return {
    name,
    applications: [{ applicationId: name, topology: topology(cached) }],
    partitions: { sentences: 3, counts: 2, keys: 2, latest: 2 },
    inputs: (chance) =>
      drawInputs(chance, {
        topics: ['sentences'],
        count: 50,
        keys: 8,
        deletions: 20,
        value: (drawn) => `${drawn.pick(WORDS)} ${drawn.pick(WORDS)}`,
      }),
    ...(cached ? { embeddedOutcome: LAST } : {}),
    // The time of a count is the latest of its records in each case.
    kafkaOutcome: cached ? LAST : { ...LAST, keys: 'records-by-key' },
    kafkaStores: ['word-counts', 'by-key', 'latest'],
  };
}

/** Words counted behind a repartition topic, and keys counted in place. */
export const COUNT: SimulatedWorkload = counting('count', false);
/** The same with record caches, which tell of the last change before each commit only. */
export const CACHED_COUNT: SimulatedWorkload = counting('cached-count', true);
