/** A topology declared in a test, in a test driver, with topics of text and whole numbers. */
import {
  type Consumed,
  NO_HEADERS,
  type Serde,
  Serdes,
  StreamsBuilder,
  StreamsError,
  type TestDriverOptions,
  TopologyTestDriver,
} from '../../../streams/index.ts';

export const TEXT: Consumed<string, string> = { keySerde: Serdes.string, valueSerde: Serdes.string };
export const NUMBERS: Consumed<string, number> = { keySerde: Serdes.string, valueSerde: Serdes.longNumber };

/** A record as a test writes it down: key, value, time. */
export type Row<K, V> = readonly [K | null, V | null, number];

/** A driver that speaks in rows. */
export class Bench {
  readonly driver: TopologyTestDriver;

  constructor(declare: (builder: StreamsBuilder) => void, options: TestDriverOptions = {}) {
    const builder = new StreamsBuilder();
    declare(builder);
    this.driver = new TopologyTestDriver({ applicationId: 'test', topology: builder.build() }, options);
  }

  #send<V>(topic: string, valueSerde: Serde<V>, rows: readonly Row<string, V>[]): void {
    const input = this.driver.createInputTopic(topic, Serdes.string, valueSerde);
    for (const [key, value, timestamp] of rows) input.pipeInput(key, value, timestamp, NO_HEADERS);
  }

  text(topic: string, ...rows: readonly Row<string, string>[]): void {
    this.#send(topic, Serdes.string, rows);
  }

  numbers(topic: string, ...rows: readonly Row<string, number>[]): void {
    this.#send(topic, Serdes.longNumber, rows);
  }

  #seen = new Map<string, number>();

  /** What came to a topic since the last look. */
  read<K, V>(topic: string, keySerde: Serde<K>, valueSerde: Serde<V>): Row<K, V>[] {
    const all = this.driver.createOutputTopic(topic, keySerde, valueSerde).readRecordsToList();
    const from = this.#seen.get(topic) ?? 0;
    this.#seen.set(topic, all.length);
    return all.slice(from).map(({ key, value, timestamp }) => [key, value, timestamp]);
  }

  readText(topic = 'out'): Row<string, string>[] {
    return this.read(topic, Serdes.string, Serdes.string);
  }

  readNumbers(topic = 'out'): Row<string, number>[] {
    return this.read(topic, Serdes.string, Serdes.longNumber);
  }

  metric(name: string): number {
    return this.driver
      .metrics()
      .filter((metric) => metric.name === name)
      .reduce((sum, { value }) => sum + value, 0);
  }

  get dropped(): number {
    return this.metric('dropped-records-total');
  }
}

/** The code and message that a declaration is refused with; fails where it is not. */
export function refusalOf(declare: (builder: StreamsBuilder) => void): string {
  try {
    const builder = new StreamsBuilder();
    declare(builder);
    builder.build();
  } catch (cause) {
    if (cause instanceof StreamsError && cause.code === 'STREAMS_TOPOLOGY') return cause.message;
    throw cause;
  }
  throw new Error('nothing was refused');
}
