import { type SimulatedWorkload, StreamsBuilder } from '../../../streams/index.ts';
import { drawInputs, TEXTS } from './inputs.ts';

const WORDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

function topology(cachingEnabled: boolean) {
  const builder = new StreamsBuilder();
  const sentences = builder.stream('sentences', TEXTS);
  sentences
    .flatMapValues((sentence) => (sentence ?? '').split(' '))
    .groupBy((_key, word) => word, { ...TEXTS, name: 'words' })
    .count({ name: 'word-counts', cachingEnabled })
    .toStream()
    .to('counts');
  sentences.groupByKey().count({ name: 'by-key', residence: 'memory', cachingEnabled }).toStream().to('keys');
  return builder.build();
}

function counting(name: string, cached: boolean): SimulatedWorkload {
  return {
    name,
    applications: [{ applicationId: name, topology: topology(cached) }],
    partitions: { sentences: 3, counts: 2, keys: 2 },
    inputs: (chance) =>
      drawInputs(chance, {
        topics: ['sentences'],
        count: 50,
        keys: 8,
        deletions: 20,
        value: (drawn) => `${drawn.pick(WORDS)} ${drawn.pick(WORDS)}`,
      }),
    ...(cached ? { embeddedOutcome: { counts: 'last-by-key', keys: 'last-by-key' } } : {}),
    // The time of a count is the latest of its records in each case.
    kafkaOutcome: cached
      ? { counts: 'last-by-key', keys: 'last-by-key' }
      : { counts: 'last-by-key', keys: 'records-by-key' },
    kafkaStores: ['word-counts', 'by-key'],
  };
}

/** Words counted behind a repartition topic, and keys counted in place. */
export const COUNT: SimulatedWorkload = counting('count', false);
/** The same with record caches, which tell of the last change before each commit only. */
export const CACHED_COUNT: SimulatedWorkload = counting('cached-count', true);
