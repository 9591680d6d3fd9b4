/** Restoring a store from its changelog, beside Kafka Streams restoring from the same topic of the same broker. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { Stores, stringSerde } from '../../stores/index.ts';
import { loadRdKafka } from '../../streams/log/kafka/client.ts';
import { rdkafkaCall } from '../../streams/log/kafka/rdkafka.ts';
import { changelogTopicName, KafkaState, type KafkaTaskState } from '../../streams/log/kafka/state/index.ts';
import { kafkaMissing } from '../support/kafka.ts';
import { JavaStreams } from './javaStreams.ts';
import type { BenchRow } from './report.ts';

const RECORDS = 2_000_000;
const KEY_BYTES = 10;
const VALUE = Buffer.alloc(90, 'v');
/** Scatters the keys: in their order a database takes them far faster than it would in life. Coprime with the number of records. */
const KEY_STEP = 1_299_721;
const PARTITION_COUNTS = [1, 4] as const;
const TIMEOUT_MS = 300_000;
const STORE = Stores.keyValueStore({ name: 'table', keySerde: stringSerde, valueSerde: stringSerde });

function kafkajsOf(brokers: readonly string[]): Kafka {
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { retries: 0 } });
}

/** A compacted topic with records of 100 bytes, each of a key of its own. */
async function fill(brokers: readonly string[], topic: string, partitions: number): Promise<void> {
  const admin = kafkajsOf(brokers).admin({ retry: { retries: 10 } });
  await admin.connect();
  const configEntries = [{ name: 'cleanup.policy', value: 'compact' }];
  await admin.createTopics({
    waitForLeaders: true,
    topics: [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }],
  });
  await admin.disconnect();
  const { Producer } = loadRdKafka();
  const producer = new Producer(
    {
      'metadata.broker.list': brokers.join(','),
      'linger.ms': 20,
      'queue.buffering.max.messages': 200_000,
      'batch.size': 256 * 1024,
    },
    {},
  );
  await rdkafkaCall((done) => producer.connect({ timeout: TIMEOUT_MS }, done));
  for (let index = 0; index < RECORDS; index += 1) {
    if (index % 100_000 === 0) await rdkafkaCall<void>((done) => producer.flush(TIMEOUT_MS, done as never));
    const key = Buffer.from(String((index * KEY_STEP) % RECORDS).padStart(KEY_BYTES, '0'));
    producer.produce(topic, index % partitions, VALUE, key, 0);
  }
  await rdkafkaCall<void>((done) => producer.flush(TIMEOUT_MS, done as never));
  await rdkafkaCall<void>((done) => producer.disconnect(done as never));
}

/** @returns seconds from the asking for all tasks to the last one's end */
async function restore(
  brokers: readonly string[],
  applicationId: string,
  partitions: number,
): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'opentape-bench-'));
  const state = await KafkaState.open({
    directory: join(directory, 'state'),
    memoryBudgetBytes: 96 * 2 ** 20,
    log: { kafkajs: kafkajsOf(brokers) },
  });
  try {
    const tasks = Array.from(
      { length: partitions },
      (_, partition): KafkaTaskState => ({
        applicationId,
        subtopologyId: 0,
        partition,
        stores: [STORE],
        topics: [],
      }),
    );
    const startedMs = performance.now();
    let records = 0;
    await Promise.all(
      tasks.map((task) =>
        state.restore(task, (progress) => {
          if (progress.done) records += progress.records;
        }),
      ),
    );
    const seconds = (performance.now() - startedMs) / 1000;
    if (records < RECORDS) throw new Error(`only ${records} of ${RECORDS} records were restored`);
    return seconds;
  } finally {
    await state.shutdown();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Nothing where Java or Kafka cannot be had, which is printed. */
export async function benchKafkaRestore(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  if (kafkaMissing() !== false) return rows;
  const java = await JavaStreams.start();
  try {
    const { brokers } = java.kafka;
    for (const partitions of PARTITION_COUNTS) {
      const applicationId = `restore-${partitions}`;
      await fill(brokers, changelogTopicName(applicationId, STORE.name), partitions);
      const ours = await restore(brokers, applicationId, partitions);
      const theirs = await java.restore(applicationId, partitions);
      console.log(
        `  ${partitions} partitions: ${ours.toFixed(1)} s; Kafka Streams ${theirs.seconds.toFixed(1)} s`,
      );
      rows.push({
        bench: 'kafka-restore',
        what: `a store of ${RECORDS / 1e6}M records of 100 bytes with distinct keys from a changelog of ${partitions} partitions`,
        value: RECORDS / ours,
        unit: 'records/s',
        target: '>= 3 x',
        beside: {
          what: `Kafka Streams (${Math.round(theirs.records / theirs.seconds)} records/s)`,
          ratio: theirs.seconds / ours,
        },
      });
    }
  } finally {
    await java.close();
  }
  return rows;
}
