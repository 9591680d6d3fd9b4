import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { KafkaLog } from '../../streams/log/kafka/index.ts';
import { KafkaUnderTest, kafkaMissing } from '../support/kafka.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import { declare } from './declare.ts';
import { type GoldenCase, readGolden, readPartitionedGolden } from './golden.ts';
import { run } from './run.ts';
import type { CaseSpec, Outcome, OutputRecord } from './spec.ts';
import { type PartitionedOutput, runStepwise } from './stepwise.ts';

/** Each case is an application with a group and topics of its own on a real broker, so only some unless all are asked for. */
const ALL = process.env.OPENTAPE_CONFORMANCE_KAFKA === 'all';
const SAMPLED = { repartitioned: 6, partitioned: 2, other: 2 };
/** An input is some commits: those sampled have few. */
const SAMPLED_INPUTS_MAX = 14;
/** Applications that run side by side. */
const TOGETHER_MAX = 50;
/** A multiple of all sizes and steps of the windows that are drawn, so that these lie as before. */
const SHIFT_MS = 420_000;

const repartitions = ({ spec }: GoldenCase): boolean => declare(spec.nodes).internalTopics.size > 0;

/** So many of the cases, from all over the list. */
function spread(cases: readonly GoldenCase[], count: number): readonly GoldenCase[] {
  if (ALL) return cases;
  const short = cases.filter(({ spec }) => spec.inputs.length <= SAMPLED_INPUTS_MAX);
  const step = Math.max(1, Math.floor(short.length / count));
  return short.filter((_case, index) => index % step === 0).slice(0, count);
}

/** librdkafka has no first millisecond of 1970. */
function withoutZero(spec: CaseSpec): CaseSpec {
  if (spec.inputs.every(({ timestamp }) => timestamp > 0)) return spec;
  const inputs = spec.inputs.map((input) => ({ ...input, timestamp: input.timestamp + SHIFT_MS }));
  return { ...spec, inputs };
}

/** Several records that one input sends over a repartition topic are processed in one commit or in several, and with these caches are flushed. */
function withDeterminedCaches(spec: CaseSpec): CaseSpec {
  if (isDeepStrictEqual(run(spec), run(spec, false))) return spec;
  return { ...spec, nodes: spec.nodes.map((node) => ({ ...node, cached: false })) };
}

/**
 * The case with nothing in it that a broker leaves open. Where it was changed, its outcome is that of our test driver, which golden.test.ts
 * holds to Kafka Streams for the case as it was.
 */
function determined({ spec, outcome }: GoldenCase): { readonly spec: CaseSpec; readonly outcome: Outcome } {
  const changed = withDeterminedCaches(withoutZero(spec));
  return changed === spec ? { spec, outcome } : { spec: changed, outcome: run(changed) };
}

/** The order between partitions is defined nowhere. */
function byPartition({ topics, partitions }: Outcome, counts: PartitionedOutput): PartitionedOutput {
  const parted: Record<string, readonly (readonly OutputRecord[])[]> = {};
  for (const [topic, records] of Object.entries(topics!))
    parted[topic] = counts[topic]!.map((_records, partition) =>
      records.filter((_record, index) => (partitions?.[topic]?.[index] ?? 0) === partition),
    );
  return parted;
}

async function compare(brokers: readonly string[], cases: readonly GoldenCase[]): Promise<void> {
  const different: string[] = [];
  for (let from = 0; from < cases.length; from += TOGETHER_MAX) {
    const batch = cases.slice(from, from + TOGETHER_MAX).map(determined);
    await withTemporaryDirectory(async (stateDirectory) => {
      const log = await KafkaLog.open({ brokers, clientId: 'conformance', stateDirectory });
      const outputs = await runStepwise(
        log,
        batch.map(({ spec }) => spec),
      );
      await log.close();
      for (const [index, { spec, outcome }] of batch.entries()) {
        const output = outputs[index]!;
        try {
          assert.deepEqual(output, byPartition(outcome, output));
        } catch (cause) {
          different.push(`case ${spec.id}: ${cause}`);
          if (ALL) console.log(different.at(-1));
        }
      }
    });
    if (ALL) console.log(`${Math.min(from + TOGETHER_MAX, cases.length)} cases, ${different.length} differ`);
  }
  assert.deepEqual(different, []);
}

test('golden cases give the same on a real broker, over repartition topics too', {
  skip: kafkaMissing(),
}, async () => {
  const [one, many] = [readGolden(), readPartitionedGolden()];
  const repartitioned = spread(one.filter(repartitions), SAMPLED.repartitioned);
  const other = spread(
    one.filter((each) => !repartitions(each)),
    SAMPLED.other,
  );
  assert.ok(repartitioned.length >= SAMPLED.repartitioned, `${repartitioned.length} with repartition topics`);
  const kafka = await KafkaUnderTest.start();
  try {
    await compare(kafka.brokers, [...repartitioned, ...spread(many, SAMPLED.partitioned), ...other]);
  } finally {
    await kafka.stop();
  }
});
