/** Runs cases on a broker one input after the other, so that the broker is left nothing to choose. */
import { StreamsRuntime } from '../../streams/index.ts';
import type { KafkaLog } from '../../streams/log/kafka/index.ts';
import type { LogProducer } from '../../streams/log/log.ts';
import { until } from '../support/until.ts';
import { declare } from './declare.ts';
import { apart, inputsOf, makeTopics } from './onEngine.ts';
import { partitionsOf, written } from './run.ts';
import type { CaseSpec, OutputRecord } from './spec.ts';

const OUTPUT_MAX = 10_000;
/** A step is some commits, one for each repartition topic on the way. */
const STEP_TIMEOUT_MS = 120_000;
const COMMIT_INTERVAL_MS = 20;

/** By output topic and partition. */
export type PartitionedOutput = Readonly<Record<string, readonly (readonly OutputRecord[])[]>>;

/** Whether everything sent was processed and committed, over all repartition topics. */
async function settled(runtime: StreamsRuntime, log: KafkaLog, sent: number): Promise<boolean> {
  if (!runtime.caughtUp) return false;
  // These before the broker is asked: where nothing lies behind any of them, all was processed and committed when they were taken.
  const positions = runtime.lag();
  if (positions.reduce((sum, { position }) => sum + position, 0) < sent) return false;
  const behind = await Promise.all(
    positions.map(({ topic, partition, end }) => log.reader.read({ topic, partition }, end, 1)),
  );
  return behind.every((records) => records.length === 0);
}

async function send(producer: LogProducer, specs: readonly CaseSpec[], step: number): Promise<number> {
  const records = specs.flatMap((spec) => inputsOf(spec).slice(step, step + 1));
  await producer.send(records);
  return records.length;
}

async function outputOf(log: KafkaLog, spec: CaseSpec): Promise<PartitionedOutput> {
  const counts = partitionsOf(spec);
  const output: Record<string, readonly (readonly OutputRecord[])[]> = {};
  for (const { op, topic, shape } of spec.nodes) {
    if (op !== 'to') continue;
    const partitions: OutputRecord[][] = [];
    for (let partition = 0; partition < counts[topic!]!; partition += 1) {
      const records = await log.reader.read({ topic: topic!, partition }, 0, OUTPUT_MAX);
      partitions.push(records.map((record) => written(record, shape)));
    }
    output[topic!.slice(spec.id.length + 1)] = partitions;
  }
  return output;
}

/**
 * Each case as an application of its own, all in one runtime. An input is sent when all before it were processed and committed: so records of
 * several topics come in the order of sending, and record caches are flushed with each of them, as under Kafka Streams' test driver.
 * @returns what is in the topics that each case writes
 */
export async function runStepwise(log: KafkaLog, cases: readonly CaseSpec[]): Promise<PartitionedOutput[]> {
  const specs = cases.map(apart);
  for (const spec of specs) await makeTopics(log, spec);
  const runtime = new StreamsRuntime({
    engine: log,
    kafka: { instanceId: `conformance-${cases[0]!.id}`, commitIntervalMs: COMMIT_INTERVAL_MS },
    applications: specs.map((spec) => ({
      applicationId: `case-${spec.id}`,
      topology: declare(spec.nodes),
    })),
    wallClock: () => 0,
  });
  const failures: unknown[] = [];
  runtime.onStateChange((change) => {
    if (change.state === 'error') failures.push(change.cause);
  });
  await runtime.start();
  const producer = log.createProducer();
  try {
    await until(
      'all tasks running',
      () => failures.length > 0 || runtime.state === 'running',
      STEP_TIMEOUT_MS,
    );
    const steps = Math.max(...specs.map(({ inputs }) => inputs.length));
    let sent = 0;
    for (let step = 0; step < steps; step += 1) {
      sent += await send(producer, specs, step);
      await until(
        `input ${step} processed`,
        () => failures.length > 0 || settled(runtime, log, sent),
        STEP_TIMEOUT_MS,
      );
      if (failures.length > 0)
        throw new Error(`an application failed: ${failures[0]}`, { cause: failures[0] });
    }
  } finally {
    await producer.close();
    await runtime.close();
  }
  const output: PartitionedOutput[] = [];
  for (const spec of specs) output.push(await outputOf(log, spec));
  return output;
}
