import {
  JoinWindows,
  Serdes,
  SessionWindows,
  StreamsBuilder,
  StreamsRuntime,
  TimeWindows,
} from '../../../streams/index.ts';
import type { EmbeddedLog } from '../../../streams/log/embedded/index.ts';
import { partitionForKey } from '../../../streams/log/partitioner.ts';
import { LogUnderTest } from '../log/support.ts';

export const NAMES = ['ann', 'bob', 'cid', 'dora', 'eve', 'fred', 'gil'];
export const PARTITIONS = 3;

/** An application that counts names in every kind of store, over three partitions, with a few names counted already. */
export class CountedNames {
  readonly runtime: StreamsRuntime;
  readonly #log: EmbeddedLog;
  readonly #under: LogUnderTest;

  private constructor(under: LogUnderTest, log: EmbeddedLog, runtime: StreamsRuntime) {
    this.#under = under;
    this.#log = log;
    this.runtime = runtime;
  }

  static async open(): Promise<CountedNames> {
    const under = new LogUnderTest();
    const log = await under.open();
    await log.admin.createTopics([
      { name: 'in', partitions: PARTITIONS, retentionMs: null, cleanupPolicy: 'delete' },
    ]);
    const builder = new StreamsBuilder();
    const stream = builder.stream('in', { keySerde: Serdes.string, valueSerde: Serdes.string });
    const grouped = stream.groupByKey();
    grouped.count({ name: 'counts' });
    grouped.windowedBy(TimeWindows.ofSizeAndGrace(10, 1_000)).count({ name: 'by-window' });
    grouped.windowedBy(SessionWindows.ofInactivityGapAndGrace(5, 1_000)).count({ name: 'sessions' });
    const nearby = JoinWindows.ofTimeDifferenceAndGrace(100, 1_000);
    stream.outerJoin(stream, (left, right) => `${left}${right}`, nearby, { name: 'pairs' });
    grouped.count({ name: 'counted-again' });
    const applications = [{ applicationId: 'app', topology: builder.build() }];
    const runtime = new StreamsRuntime({ engine: log, applications, wallClock: () => 0 });
    await runtime.start();
    const counted = new CountedNames(under, log, runtime);
    await counted.send(NAMES.map((name, at) => [name, at]));
    await counted.send([
      ['ann', 12],
      ['ann', 25],
    ]);
    return counted;
  }

  /** @param rows names and their times */
  async send(rows: readonly (readonly [string, number])[]): Promise<void> {
    const producer = this.#log.createProducer();
    await producer.send(
      rows.map(([key, timestamp]) => ({
        topic: 'in',
        key: Buffer.from(key),
        value: Buffer.from('x'),
        timestamp,
      })),
    );
    await producer.close();
  }

  get state(): EmbeddedLog['state'] {
    return this.#log.state;
  }

  /** Where a name's records are. */
  partitionOf(name: string): number {
    return partitionForKey(Buffer.from(name), PARTITIONS);
  }

  async close(): Promise<void> {
    await this.runtime.close();
    await this.#under.dispose();
  }
}
