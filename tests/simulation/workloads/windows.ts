import {
  EmitStrategy,
  type Serde,
  Serdes,
  SessionWindows,
  type SimulatedWorkload,
  SlidingWindows,
  StreamsBuilder,
  Suppressed,
  TimeWindows,
  type Windowed,
} from '../../../streams/index.ts';
import { CLOSING_MS, closing, drawInputs, TEXTS } from './inputs.ts';

/** Keys of windows in the clear, so that a difference can be read. */
const windowedText: Serde<Windowed<string>> = {
  serialize: (_topic, { key, window }) => Buffer.from(`${key}@${window.startMs}-${window.endMs}`),
  deserialize: () => {
    throw new Error('never read');
  },
};
const COUNTS = { keySerde: windowedText, valueSerde: Serdes.longNumber };
const PARTITIONS = 3;

function windowed() {
  const builder = new StreamsBuilder();
  const grouped = builder.stream('events', TEXTS).groupByKey();
  const tumbling = grouped.windowedBy(TimeWindows.ofSizeAndGrace(40, 15)).count({ name: 'tumbling' });
  tumbling.toStream().to('tumbling', COUNTS);
  tumbling
    .suppress(Suppressed.untilWindowCloses({ name: 'final' }))
    .toStream()
    .to('final', COUNTS);
  grouped
    .windowedBy(TimeWindows.ofSizeAndGrace(30, 10).advanceBy(10))
    .emitStrategy(EmitStrategy.onWindowClose())
    .count({ name: 'hopping' })
    .toStream()
    .to('hopping', COUNTS);
  return builder.build();
}

function sessions() {
  const builder = new StreamsBuilder();
  const grouped = builder.stream('events', TEXTS).groupByKey();
  const gaps = grouped.windowedBy(SessionWindows.ofInactivityGapAndGrace(15, 20));
  gaps.count({ name: 'sessions' }).toStream().to('sessions', COUNTS);
  gaps.emitStrategy(EmitStrategy.onWindowClose()).count({ name: 'closed' }).toStream().to('closed', COUNTS);
  grouped
    .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(20, 15))
    .count({ name: 'sliding' })
    .toStream()
    .to('sliding', COUNTS);
  return builder.build();
}

function suppressed() {
  const builder = new StreamsBuilder();
  builder
    .stream('events', TEXTS)
    .groupByKey()
    .count({ name: 'totals' })
    .suppress(Suppressed.untilTimeLimit(25, { name: 'held' }))
    .toStream()
    .to('held');
  return builder.build();
}

function workload(name: string, topology: ReturnType<typeof windowed>, topics: string[]): SimulatedWorkload {
  return {
    name,
    applications: [{ applicationId: name, topology }],
    partitions: Object.fromEntries(['events', ...topics].map((topic) => [topic, PARTITIONS])),
    inputs: (chance) => [
      ...drawInputs(chance, { topics: ['events'], count: 60, keys: 7, late: 250, lateMsMax: 60 }),
      ...closing(['events'], PARTITIONS, CLOSING_MS),
    ],
    // Each task reads one partition of one topic, so its output is fixed by that partition alone.
    kafkaOutcome: Object.fromEntries(topics.map((topic) => [topic, 'records-by-key' as const])),
    kafkaStores: ['tumbling', 'hopping', 'sessions', 'closed', 'sliding', 'totals'],
  };
}

/** Windows that tumble and hop, with grace, told of at each change, when they close, and held back by a suppression. */
export const WINDOWED = workload('windowed', windowed(), ['tumbling', 'final', 'hopping']);
/** Sessions that merge, and sliding windows. */
export const SESSIONS = workload('sessions', sessions(), ['sessions', 'closed', 'sliding']);
/** Updates of a table held back for a time. */
export const SUPPRESSED = workload('suppressed', suppressed(), ['held']);
