/** Runs one workload on an embedded log, in a process of its own so that its memory can be told: `workloadChild.js WORKLOAD RECORDS`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { StreamsRuntime } from '../../streams/index.ts';
import { EmbeddedLog } from '../../streams/log/embedded/index.ts';
import type { LogProducer, ProducerRecord } from '../../streams/log/log.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import type { Outcome } from './javaStreams.ts';
import { peakMiB, residentMiB } from './memory.ts';
import { inputsOf, WORKLOADS, type Workload } from './streamsWorkloads.ts';

const SEND_RECORDS = 5_000;
const LOOK_MS = 10;

/** Memory held at every tenth of the records, in MiB. */
export interface EmbeddedOutcome extends Outcome {
  readonly residentByTenthMiB: readonly number[];
}

async function send(producer: LogProducer, records: Iterable<ProducerRecord>): Promise<void> {
  let batch: ProducerRecord[] = [];
  const sendBatch = async (): Promise<void> => {
    await producer.ready();
    await producer.send(batch);
    batch = [];
  };
  for (const record of records) {
    batch.push(record);
    if (batch.length === SEND_RECORDS) await sendBatch();
  }
  if (batch.length > 0) await sendBatch();
}

/** From the start of the runtime to the commit of the last position. */
async function workOff(log: EmbeddedLog, workload: Workload, records: number): Promise<EmbeddedOutcome> {
  const runtime = new StreamsRuntime({
    engine: log,
    applications: [{ applicationId: 'bench', topology: workload.build() }],
    wallClock: Date.now,
  });
  const resident: number[] = [];
  const startMs = performance.now();
  await runtime.start();
  for (;;) {
    const lag = runtime.lag().reduce((sum, each) => sum + each.lag, 0);
    if (records - lag >= ((resident.length + 1) * records) / 10) resident.push(residentMiB());
    if (lag === 0) break;
    await sleep(LOOK_MS);
  }
  const seconds = (performance.now() - startMs) / 1000;
  const { offsets } = await log.admin.describeTopic('out');
  await runtime.close();
  return {
    recordsPerSecond: records / seconds,
    outputs: offsets[0]!.latest,
    residentMiB: peakMiB(),
    residentByTenthMiB: resident,
  };
}

async function run(workload: Workload, records: number): Promise<EmbeddedOutcome> {
  return withTemporaryDirectory(async (directory) => {
    const log = await EmbeddedLog.open({ directory });
    try {
      await log.admin.createTopics(
        [...workload.inputs, 'out'].map((name) => ({
          name,
          partitions: 1,
          retentionMs: null,
          cleanupPolicy: 'delete' as const,
        })),
      );
      const producer = log.createProducer();
      await send(producer, inputsOf(workload.name, records));
      await producer.close();
      return await workOff(log, workload, records);
    } finally {
      await log.close();
    }
  });
}

const [name, records] = process.argv.slice(2);
const workload = WORKLOADS.find((each) => each.name === name);
if (workload === undefined) throw new Error(`no workload is called ${name}`);
const outcome = await run(workload, Number(records));
process.send!(outcome, () => process.exit(0));
