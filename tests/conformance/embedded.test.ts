import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamsRuntime } from '../../streams/index.ts';
import type { EmbeddedLog } from '../../streams/log/embedded/index.ts';
import { LogUnderTest } from '../streams/log/support.ts';
import { declare } from './declare.ts';
import { readGolden } from './golden.ts';
import { apart, inputsOf, makeTopics } from './onEngine.ts';
import { written } from './run.ts';
import type { CaseSpec, OutputRecord } from './spec.ts';

/** Each is an application of its own on a log on disk, so only some. */
const CASES_MAX = 40;

async function send(log: EmbeddedLog, spec: CaseSpec): Promise<void> {
  const producer = log.createProducer();
  for (const record of inputsOf(spec)) await producer.send([record]);
  await producer.close();
}

async function runEmbedded(log: EmbeddedLog, spec: CaseSpec): Promise<Record<string, OutputRecord[]>> {
  await makeTopics(log, spec);
  const runtime = new StreamsRuntime({
    engine: log,
    applications: [{ applicationId: `case-${spec.id}`, topology: declare(spec.nodes) }],
    wallClock: () => 0,
  });
  await runtime.start();
  await send(log, spec);
  await runtime.close();
  const output: Record<string, OutputRecord[]> = {};
  for (const { op, topic, shape } of spec.nodes)
    if (op === 'to')
      output[topic!] = log.readSync(topic!, 0, 0, 10_000).map((record) => written(record, shape));
  return output;
}

test('golden cases without record caches give the same on the embedded engine, over its disk', async () => {
  // Caches are flushed at commits there, which fall as they fall.
  const cases = readGolden().filter(({ spec }) => spec.nodes.every(({ cached }) => cached !== true));
  assert.ok(cases.length >= CASES_MAX);
  const under = new LogUnderTest();
  try {
    const log = await under.open();
    for (const { spec, outcome } of cases.slice(0, CASES_MAX)) {
      const output = await runEmbedded(log, apart(spec));
      for (const [topic, records] of Object.entries(outcome.topics!))
        assert.deepEqual(output[`${spec.id}-${topic}`], records, `case ${spec.id}, topic ${topic}`);
    }
  } finally {
    await under.dispose();
  }
});
