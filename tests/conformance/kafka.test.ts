import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamsRuntime } from '../../streams/index.ts';
import { KafkaLog } from '../../streams/log/kafka/index.ts';
import { KafkaUnderTest, kafkaMissing } from '../support/kafka.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import { until } from '../support/until.ts';
import { declare } from './declare.ts';
import { readGolden } from './golden.ts';
import { apart, inputsOf, makeTopics } from './onEngine.ts';
import { written } from './run.ts';
import type { CaseSpec } from './spec.ts';

/** Each is an application with a group and topics of its own on a real broker, so only some. */
const CASES_MAX = 40;
const CASES_MIN = 10;
const OUTPUT_MAX = 10_000;

/**
 * Whether the broker leaves the case as it is: record caches are flushed at commits, which fall as they fall; records of several topics are
 * taken by their times, not in the order of sending, and what goes by a repartition topic comes whenever it comes; and librdkafka has no
 * first millisecond of 1970.
 */
function isDetermined({ nodes, inputs }: CaseSpec): boolean {
  const read = new Set(inputs.map(({ topic }) => topic));
  return (
    read.size === 1 &&
    declare(nodes).internalTopics.size === 0 &&
    nodes.every(({ cached }) => cached !== true) &&
    inputs.every(({ timestamp }) => timestamp > 0)
  );
}

test('golden cases with one input give the same on a real broker', { skip: kafkaMissing() }, async () => {
  const cases = readGolden()
    .filter(({ spec }) => isDetermined(spec))
    .slice(0, CASES_MAX);
  assert.ok(cases.length >= CASES_MIN, `${cases.length} cases`);
  const kafka = await KafkaUnderTest.start();
  try {
    await withTemporaryDirectory(async (stateDirectory) => {
      const log = await KafkaLog.open({ brokers: kafka.brokers, clientId: 'conformance', stateDirectory });
      const specs = cases.map(({ spec }) => apart(spec));
      for (const spec of specs) await makeTopics(log, spec);
      const producer = log.createProducer();
      for (const spec of specs) await producer.send(inputsOf(spec));
      await producer.close();
      const runtime = new StreamsRuntime({
        engine: log,
        kafka: { instanceId: 'conformance' },
        applications: specs.map((spec) => ({
          applicationId: `case-${spec.id}`,
          topology: declare(spec.nodes),
        })),
        wallClock: () => 0,
      });
      await runtime.start();
      for (const [index, { outcome }] of cases.entries()) {
        for (const { op, topic, shape } of specs[index]!.nodes) {
          if (op !== 'to') continue;
          const expected = outcome.topics![topic!.slice(topic!.indexOf('-') + 1)] ?? [];
          const read = () => log.reader.read({ topic: topic!, partition: 0 }, 0, OUTPUT_MAX);
          await until(`output of ${topic}`, async () => (await read()).length >= expected.length);
          const output = (await read()).map((record) => written(record, shape));
          assert.deepEqual(output, expected, topic);
        }
      }
      await runtime.close();
      await log.close();
    });
  } finally {
    await kafka.stop();
  }
});
