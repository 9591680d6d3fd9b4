import {
  JoinWindows,
  Serdes,
  SessionWindows,
  StreamsBuilder,
  TimeWindows,
  type Topology,
} from '../../streams/index.ts';
import type { ProducerRecord } from '../../streams/log/log.ts';

/** What is measured beside Kafka Streams: the same topologies on the same records as in infra/kafka-streams-bench. */
export type WorkloadName =
  | 'stateless-chain'
  | 'count'
  | 'windowed-count'
  | 'stream-table-join'
  | 'stream-stream-join'
  | 'session-count';

export interface Workload {
  readonly name: WorkloadName;
  readonly what: string;
  readonly inputs: readonly string[];
  build(): Topology;
}

const START_MS = Date.UTC(2026, 0, 1);
const KEYS = 2_000;
const JOINED_KEYS = 200_000;
const SESSION_BLOCK = 20_000;
const BODY = Buffer.alloc(88, 'v');
const MINUTE_MS = 60_000;

const { string: TEXT, bytes: BYTES } = Serdes;
const EVENTS = { keySerde: TEXT, valueSerde: BYTES };
const TEXTS = { keySerde: TEXT, valueSerde: TEXT };

const marked = (value: Buffer | null): Buffer => {
  const copy = Buffer.from(value ?? BODY);
  copy[0] = 0x6d;
  return copy;
};

export const WORKLOADS: readonly Workload[] = [
  {
    name: 'stateless-chain',
    what: 'filter, mapValues, map',
    inputs: ['events'],
    build: () => {
      const builder = new StreamsBuilder();
      builder
        .stream('events', EVENTS)
        .filter((key) => key !== null && !key.endsWith('0'))
        .mapValues(marked)
        .map((key, value) => ({ key: (key ?? '').slice(4), value }))
        .to('out', EVENTS);
      return builder.build();
    },
  },
  {
    name: 'count',
    what: 'count by 2,000 keys',
    inputs: ['events'],
    build: () => {
      const builder = new StreamsBuilder();
      builder.stream('events', EVENTS).groupByKey().count({ name: 'counts' }).toStream().to('out');
      return builder.build();
    },
  },
  {
    name: 'windowed-count',
    what: 'count by 2,000 keys and minute',
    inputs: ['events'],
    build: () => {
      const builder = new StreamsBuilder();
      builder
        .stream('events', EVENTS)
        .groupByKey()
        .windowedBy(TimeWindows.ofSizeWithNoGrace(MINUTE_MS))
        .count({ name: 'counts', retentionMs: 10 * MINUTE_MS })
        .toStream()
        .to('out');
      return builder.build();
    },
  },
  {
    name: 'stream-table-join',
    what: 'left join of a stream with a table of 2,000 rows',
    inputs: ['profiles', 'events'],
    build: () => {
      const builder = new StreamsBuilder();
      const profiles = builder.table('profiles', TEXTS, { name: 'profiles' });
      builder
        .stream('events', EVENTS)
        .leftJoin(profiles, (_value, profile) => profile ?? '')
        .to('out', TEXTS);
      return builder.build();
    },
  },
  {
    name: 'stream-stream-join',
    what: 'join of two streams within 5 minutes, 200,000 keys',
    inputs: ['left', 'right'],
    build: () => {
      const builder = new StreamsBuilder();
      const right = builder.stream('right', EVENTS);
      builder
        .stream('left', EVENTS)
        .join(right, (left) => left, JoinWindows.ofTimeDifferenceWithNoGrace(5 * MINUTE_MS), {
          name: 'pairs',
        })
        .to('out', EVENTS);
      return builder.build();
    },
  },
  {
    name: 'session-count',
    what: 'count by session, gap 5 s, 2,000 keys',
    inputs: ['events'],
    build: () => {
      const builder = new StreamsBuilder();
      builder
        .stream('events', EVENTS)
        .groupByKey()
        .windowedBy(SessionWindows.ofInactivityGapWithNoGrace(5_000))
        .count({ name: 'sessions', retentionMs: 10 * MINUTE_MS })
        .toStream()
        .to('out');
      return builder.build();
    },
  },
];

const keyOf = (number: number): Buffer => Buffer.from(`key-${String(number).padStart(8, '0')}`);

/**
 * The records of a workload in the order of their times, one a millisecond.
 * @param records how many of them, a stream-table join's rows not counted
 */
export function* inputsOf(name: WorkloadName, records: number): Generator<ProducerRecord, undefined> {
  if (name === 'stream-table-join') {
    for (let each = 0; each < KEYS; each += 1) {
      const key = keyOf(each);
      yield { topic: 'profiles', key, value: key, timestamp: START_MS - KEYS + each };
    }
  }
  if (name === 'stream-stream-join') {
    for (let each = 0; each < records / 2; each += 1) {
      const key = keyOf(each % JOINED_KEYS);
      yield { topic: 'left', key, value: BODY, timestamp: START_MS + each };
      yield { topic: 'right', key, value: BODY, timestamp: START_MS + each };
    }
    return undefined;
  }
  for (let each = 0; each < records; each += 1) {
    const spread = each * 7_919;
    // Sessions: half of the keys take turns in being busy for 20 seconds.
    const number =
      name === 'session-count'
        ? (spread % (KEYS / 2)) + (Math.floor(each / SESSION_BLOCK) % 2) * (KEYS / 2)
        : spread % KEYS;
    yield { topic: 'events', key: keyOf(number), value: BODY, timestamp: START_MS + each };
  }
  return undefined;
}
