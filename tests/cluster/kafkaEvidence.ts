/** Reads the topics and changelogs of a deployment with kafkajs, committed records only: none of it goes through the runtime. */
import type { Consumer, Kafka } from 'kafkajs';
import type { SchemaName, SchemaTypes } from '../../schemas/generated/types.ts';
import type { Serdes } from '../../schemas/serdes.ts';
import type { TopicDefinition } from '../../schemas/topic.ts';
import { type Evidence, type Placed, plain } from '../crash/evidence.ts';
import * as kafkajs from '../support/kafkajs.ts';
import { until } from '../support/until.ts';

/** A partition at whose end nothing came for so long has been read: what ends in a commit mark alone gives no record to go by. */
const QUIET_MS = 2_000;
const READ_TIMEOUT_MS = 120_000;

interface RawRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** A frozen broker takes connections and answers nothing. */
const ANSWER_TIMEOUT_MS = 5_000;

/** A client of the brokers that says nothing by itself. */
export function kafkaClient(brokers: readonly string[], clientId: string): Kafka {
  return new kafkajs.Kafka({
    clientId,
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    requestTimeout: ANSWER_TIMEOUT_MS,
    authenticationTimeout: ANSWER_TIMEOUT_MS,
    retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 1_000 },
  });
}

async function readAll(consumer: Consumer, topics: readonly string[]): Promise<Map<string, RawRecord[]>> {
  const found = new Map<string, RawRecord[]>(topics.map((topic) => [topic, []]));
  let newestMs = Number.POSITIVE_INFINITY;
  consumer.on(consumer.events.GROUP_JOIN, () => {
    newestMs = performance.now();
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      newestMs = performance.now();
      for (const { offset, key, value } of batch.messages)
        found.get(batch.topic)!.push({ partition: batch.partition, offset: Number(offset), key, value });
    },
  });
  await until('the ends of all topics', () => performance.now() - newestMs > QUIET_MS, READ_TIMEOUT_MS);
  return found;
}

export class KafkaEvidence implements Evidence {
  readonly #serdes: Serdes;
  readonly #records: ReadonlyMap<string, readonly RawRecord[]>;

  private constructor(serdes: Serdes, records: ReadonlyMap<string, readonly RawRecord[]>) {
    this.#serdes = serdes;
    this.#records = records;
  }

  /** The same without the records of a topic that have the key. */
  without(topic: string, unwanted: string): KafkaEvidence {
    const records = this.raw(topic).filter(({ key }) => key?.toString() !== unwanted);
    return new KafkaEvidence(this.#serdes, new Map([...this.#records, [topic, records]]));
  }

  /** Reads everything that there is; nothing may be written meanwhile. @param stores as application and store */
  static async read(
    kafka: Kafka,
    serdes: Serdes,
    topics: readonly TopicDefinition[],
    stores: readonly (readonly [applicationId: string, storeName: string])[],
  ): Promise<KafkaEvidence> {
    const names = [
      ...topics.map(({ name }) => name),
      ...stores.map(([applicationId, storeName]) => changelogOf(applicationId, storeName)),
    ];
    const consumer = kafka.consumer({
      groupId: `verifier-${process.pid}-${performance.now()}`,
      readUncommitted: false,
      maxWaitTimeInMs: 100,
    });
    try {
      return new KafkaEvidence(serdes, await readAll(consumer, names));
    } finally {
      await consumer.disconnect();
    }
  }

  /** Records without their values decoded. */
  raw(topic: string): readonly RawRecord[] {
    const records = this.#records.get(topic);
    if (records === undefined) throw new Error(`topic ${topic} was not read`);
    return records;
  }

  async read<S extends SchemaName>(topic: TopicDefinition<S>): Promise<readonly Placed<SchemaTypes[S]>[]> {
    const serde = this.#serdes.value(topic);
    return this.raw(topic.name).flatMap(({ partition, offset, key, value }) =>
      value === null
        ? []
        : [
            {
              partition,
              offset,
              key: key?.toString() ?? null,
              value: plain(serde.deserialize(topic.name, value)),
            },
          ],
    );
  }

  store<S extends SchemaName>(
    applicationId: string,
    storeName: string,
    schema: S,
  ): ReadonlyMap<string, SchemaTypes[S]> {
    const serde = this.#serdes.store(schema);
    const newest = new Map<string, readonly [place: string, value: Buffer]>();
    for (const { partition, key, value } of this.raw(changelogOf(applicationId, storeName))) {
      // One character a byte, so that they sort as the store's keys do.
      const place = `${partition}/${key!.toString('latin1')}`;
      if (value === null) newest.delete(place);
      else newest.set(place, [key!.toString(), value]);
    }
    const rows = [...newest].sort(([a], [b]) => (a < b ? -1 : 1));
    return new Map(rows.map(([, [key, value]]) => [key, plain(serde.deserialize(storeName, value))]));
  }
}

function changelogOf(applicationId: string, storeName: string): string {
  return `${applicationId}-${storeName}-changelog`;
}
