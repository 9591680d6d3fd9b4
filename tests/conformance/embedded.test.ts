import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamsRuntime } from '../../streams/index.ts';
import type { AppendedRecord, EmbeddedLog } from '../../streams/log/embedded/index.ts';
import { type ApplicationDefinition, ApplicationPlan } from '../../streams/task/application.ts';
import { CycleRunner } from '../../streams/task/cycleRunner.ts';
import { LogUnderTest } from '../streams/log/support.ts';
import { until } from '../support/until.ts';
import { declare } from './declare.ts';
import { type GoldenCase, readGolden, readPartitionedGolden } from './golden.ts';
import { apart, inputsOf, makeTopics } from './onEngine.ts';
import { partitionsOf, written } from './run.ts';
import type { CaseSpec, Outcome, OutputRecord } from './spec.ts';

/** Applications that run side by side on one log. */
const TOGETHER_MAX = 25;
const OUTPUT_MAX = 10_000;

interface Running {
  close(): Promise<void>;
}

type Start = (log: EmbeddedLog, applications: readonly ApplicationDefinition[]) => Promise<Running>;

async function startRuntime(
  engine: EmbeddedLog,
  applications: readonly ApplicationDefinition[],
): Promise<StreamsRuntime> {
  const runtime = new StreamsRuntime({ engine, applications, wallClock: () => 0 });
  await runtime.start();
  return runtime;
}

/**
 * As the runtime does it, but record caches are flushed after every record, as Kafka Streams' driver does; the runtime flushes them at
 * commits, which fall as they fall.
 */
async function startFlushingEachRecord(
  log: EmbeddedLog,
  applications: readonly ApplicationDefinition[],
): Promise<Running> {
  // It makes the topics that applications have of their own.
  await (await startRuntime(log, applications)).close();
  const counts = new Map<string, number>();
  for (const topic of await log.admin.listTopics())
    counts.set(topic, (await log.admin.describeTopic(topic)).partitions);
  const partitionsOf = (topic: string): number => counts.get(topic)!;
  const failures: unknown[] = [];
  const runner = new CycleRunner(
    applications.map((each) => new ApplicationPlan(each, partitionsOf)),
    {
      log,
      state: log.state,
      wallClock: () => 0,
      partitionsOf,
      onFailure: (_applicationId, cause) => failures.push(cause),
      flushEachRecord: true,
    },
  );
  runner.open();
  log.attach(runner);
  log.wake();
  await until('all is processed', () => runner.caughtUp);
  return {
    close: async () => {
      log.detach(runner);
      runner.close();
      assert.deepEqual(failures, []);
    },
  };
}

/** What is in the topics that a case writes, in the order of writing over all partitions. */
function outcomeOf(log: EmbeddedLog, spec: CaseSpec): Outcome {
  const topics: Record<string, readonly OutputRecord[]> = {};
  const partitions: Record<string, readonly number[]> = {};
  const counts = partitionsOf(spec);
  for (const { op, topic, shape } of spec.nodes) {
    if (op !== 'to') continue;
    const records: AppendedRecord[] = [];
    for (let partition = 0; partition < counts[topic!]!; partition += 1)
      records.push(...log.readSync(topic!, partition, 0, OUTPUT_MAX));
    records.sort((a, b) => a.sequence - b.sequence);
    const name = topic!.slice(spec.id.length + 1);
    topics[name] = records.map((record) => written(record, shape));
    partitions[name] = records.map(({ partition }) => partition);
  }
  return spec.partitions === undefined ? { topics } : { topics, partitions };
}

/** All inputs of a case in a row, and a restart of all applications in the middle of each. */
async function runTogether(log: EmbeddedLog, cases: readonly GoldenCase[], start: Start): Promise<void> {
  const specs = cases.map(({ spec }) => apart(spec));
  for (const spec of specs) await makeTopics(log, spec);
  const definitions = specs.map(({ id, nodes }) => ({
    applicationId: `case-${id}`,
    topology: declare(nodes),
  }));
  const halves = specs.map((spec) => {
    const records = inputsOf(spec);
    const middle = Math.ceil(records.length / 2);
    return [records.slice(0, middle), records.slice(middle)] as const;
  });
  for (const half of [0, 1] as const) {
    const running = await start(log, definitions);
    const producer = log.createProducer();
    for (const records of halves) await producer.send(records[half]);
    await producer.close();
    await running.close();
  }
  for (const [index, { spec, outcome }] of cases.entries())
    assert.deepEqual(outcomeOf(log, specs[index]!), outcome, `case ${spec.id}`);
}

async function runAll(cases: readonly GoldenCase[], start: Start): Promise<void> {
  const under = new LogUnderTest();
  try {
    const log = await under.open();
    for (let from = 0; from < cases.length; from += TOGETHER_MAX)
      await runTogether(log, cases.slice(from, from + TOGETHER_MAX), start);
  } finally {
    await under.dispose();
  }
}

const all = [...readGolden(), ...readPartitionedGolden()];
const hasCache = ({ spec }: GoldenCase): boolean => spec.nodes.some(({ cached }) => cached === true);

test('golden cases without record caches give the same on the embedded engine, over its disk and a restart', async () => {
  const cases = all.filter((each) => !hasCache(each));
  assert.ok(cases.length >= 200, `${cases.length} cases`);
  await runAll(cases, startRuntime);
});

test('so do those with record caches, where these are flushed as often as by Kafka Streams', async () => {
  const cases = all.filter(hasCache);
  assert.ok(cases.length >= 200, `${cases.length} cases`);
  await runAll(cases, startFlushingEachRecord);
});
