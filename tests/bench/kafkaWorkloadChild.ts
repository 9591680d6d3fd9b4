/**
 * Runs one workload by our runtime on a broker whose input topics are filled already, in a process of its own so that its memory can be
 * told: `kafkaWorkloadChild.js WORKLOAD RECORDS BROKER,...`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { StreamsRuntime } from '../../streams/index.ts';
import { KafkaLog } from '../../streams/log/kafka/index.ts';
import { KafkaChangelogReader } from '../../streams/log/kafka/state/kafkaChangelogReader.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import { until } from '../support/until.ts';
import type { Outcome } from './javaStreams.ts';
import { peakMiB } from './memory.ts';
import { WORKLOADS, type Workload } from './streamsWorkloads.ts';

const LOOK_MS = 10;
const STORE_BYTES = 96 * 2 ** 20;
const OUT = { topic: 'out', partition: 0 };

function kafkajsOf(brokers: readonly string[]): Kafka {
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
}

/** The output topic anew: the run before has written to one of the same name. */
async function emptyOutput(brokers: readonly string[]): Promise<void> {
  const admin = kafkajsOf(brokers).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [OUT.topic] });
  const topics = [
    { topic: OUT.topic, numPartitions: 1, configEntries: [{ name: 'retention.ms', value: '-1' }] },
  ];
  // A topic that was just deleted may stay for a moment.
  await until('the output topic made anew', () => admin.createTopics({ topics }).catch(() => false));
  await admin.disconnect();
}

/** Committed records of the output topic. */
async function outputsOf(brokers: readonly string[]): Promise<number> {
  const reader = new KafkaChangelogReader(kafkajsOf(brokers));
  const [bounds] = await reader.bounds([OUT]);
  let outputs = 0;
  reader.follow(OUT, 0);
  for (let position = 0; position < bounds!.end; ) {
    for (const records of await reader.read()) {
      records.each(() => {
        outputs += 1;
      });
      position = records.nextOffset;
    }
  }
  await reader.close();
  return outputs;
}

/** From all tasks running to the commit of the last position, exactly once with commits each 100 ms: as Kafka Streams is measured. */
async function workOff(log: KafkaLog, workload: Workload, records: number): Promise<number> {
  const runtime = new StreamsRuntime({
    engine: log,
    kafka: { instanceId: 'bench', commitIntervalMs: 100 },
    applications: [{ applicationId: `ours-${workload.name}-${process.pid}`, topology: workload.build() }],
    wallClock: Date.now,
  });
  await runtime.start();
  await until('all tasks running', () => runtime.state === 'running');
  const startMs = performance.now();
  for (;;) {
    const lags = runtime.lag();
    if (lags.length === workload.inputs.length && lags.every(({ lag, end }) => lag === 0 && end > 0)) break;
    await sleep(LOOK_MS);
  }
  const seconds = (performance.now() - startMs) / 1000;
  await runtime.close();
  return records / seconds;
}

async function run(workload: Workload, records: number, brokers: readonly string[]): Promise<Outcome> {
  await emptyOutput(brokers);
  const recordsPerSecond = await withTemporaryDirectory(async (stateDirectory) => {
    const log = await KafkaLog.open({
      brokers,
      clientId: 'bench',
      stateDirectory,
      memoryBudgetBytes: STORE_BYTES,
    });
    try {
      return await workOff(log, workload, records);
    } finally {
      await log.close();
    }
  });
  const residentMiB = peakMiB();
  return { recordsPerSecond, residentMiB, outputs: await outputsOf(brokers) };
}

const [name, records, brokers] = process.argv.slice(2);
const workload = WORKLOADS.find((each) => each.name === name);
if (workload === undefined) throw new Error(`no workload is called ${name}`);
const outcome = await run(workload, Number(records), brokers!.split(','));
if (process.send === undefined) console.log(JSON.stringify(outcome));
else process.send(outcome, () => process.exit(0));
