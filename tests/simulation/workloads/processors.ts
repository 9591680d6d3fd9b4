/** Processors of their own, with stores and punctuations. */
import {
  type KeyValueStore,
  type ProcessorContext,
  type ProcessorSupplier,
  Serdes,
  type SimulatedWorkload,
  Stores,
  StreamsBuilder,
  type TimestampedKeyValueStore,
} from '../../../streams/index.ts';
import { CLOSING_MS, closing, drawInputs, TEXTS } from './inputs.ts';

const PARTITIONS = 3;
const REMEMBERED_MS = 60;

/** Lets the first record of each value pass, forgets values after a time, and tells how many it holds every 50 ms of stream time. */
const deduplicate: ProcessorSupplier<string | null, string | null, string, string> = {
  stores: () => [
    Stores.timestampedKeyValueStore({ name: 'seen', keySerde: Serdes.string, valueSerde: Serdes.string }),
  ],
  get: () => {
    let context: ProcessorContext<string, string>;
    let seen: TimestampedKeyValueStore<string, string>;
    const forget = (nowMs: number): void => {
      let held = 0;
      for (const { key, value } of seen.all()) {
        if (value.timestamp + REMEMBERED_MS <= nowMs) seen.delete(key);
        else held += 1;
      }
      context.forward({ key: 'held', value: String(held), timestamp: nowMs, headers: [] });
    };
    return {
      init: (given) => {
        context = given;
        seen = given.getStateStore('seen');
        given.schedule(50, 'stream-time', forget);
      },
      process: ({ key, value, timestamp, headers }) => {
        if (key === null || value === null) return;
        const id = `${key}/${value}`;
        if (seen.putIfAbsent(id, { value, timestamp }) !== null) return;
        context.forward({ key, value, timestamp, headers });
      },
    };
  },
};

function deduplicated() {
  const builder = new StreamsBuilder();
  builder.stream('events', TEXTS).process(deduplicate, { name: 'deduplicate' }).to('first', TEXTS);
  return builder.build();
}

export const DEDUPLICATED: SimulatedWorkload = {
  name: 'deduplicated',
  applications: [{ applicationId: 'deduplicated', topology: deduplicated() }],
  partitions: { events: PARTITIONS, first: 2 },
  inputs: (chance) => [
    ...drawInputs(chance, {
      topics: ['events'],
      count: 60,
      keys: 5,
      late: 200,
      lateMsMax: 30,
      value: (drawn) => `v${drawn.below(3)}`,
    }),
    ...closing(['events'], PARTITIONS, CLOSING_MS),
  ],
  kafkaOutcome: { first: 'any-order' },
  kafkaStores: ['seen'],
};

/** Gathers values by key and sends them on by the wall clock, which moves without records: the sum of all that was sent is what counts. */
const batching: ProcessorSupplier<string | null, string | null, string, string> = {
  stores: () => [
    Stores.keyValueStore({ name: 'waiting', keySerde: Serdes.string, valueSerde: Serdes.string }),
    Stores.keyValueStore({ name: 'sent', keySerde: Serdes.string, valueSerde: Serdes.string }),
  ],
  get: () => {
    let waiting: KeyValueStore<string, string>;
    let sent: KeyValueStore<string, string>;
    return {
      init: (context) => {
        waiting = context.getStateStore('waiting');
        sent = context.getStateStore('sent');
        context.schedule(120, 'wall-clock-time', () => {
          for (const { key, value } of waiting.all()) {
            waiting.delete(key);
            const all = `${sent.get(key) ?? ''}${value}`;
            sent.put(key, all);
            context.forward({ key, value: all, timestamp: 0, headers: [] });
          }
        });
      },
      process: ({ key, value }) => {
        if (key !== null && value !== null) waiting.put(key, `${waiting.get(key) ?? ''}${value};`);
      },
    };
  },
};

function batched() {
  const builder = new StreamsBuilder();
  builder.stream('events', TEXTS).process(batching, { name: 'batching' }).to('batches', TEXTS);
  return builder.build();
}

export const BATCHED: SimulatedWorkload = {
  name: 'batched',
  applications: [{ applicationId: 'batched', topology: batched() }],
  partitions: { events: PARTITIONS, batches: 2 },
  inputs: (chance) => drawInputs(chance, { topics: ['events'], count: 60, keys: 6 }),
  // When a batch is sent depends on restarts; what all of them hold in the end does not.
  embeddedOutcome: { batches: 'last-by-key' },
  kafkaOutcome: { batches: 'last-by-key' },
  kafkaStores: ['waiting', 'sent'],
};
