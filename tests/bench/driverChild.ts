/** Runs one workload in our test driver, in a process of its own so that its memory can be told: `driverChild.js WORKLOAD RECORDS`. */
import { Serdes, TopologyTestDriver } from '../../streams/index.ts';
import type { Outcome } from './javaStreams.ts';
import { peakMiB } from './memory.ts';
import { inputsOf, WORKLOADS, type Workload } from './streamsWorkloads.ts';

const { bytes } = Serdes;

/** Every record with all that it leads to and a commit, as Kafka Streams' driver does; the results are read at the end. */
function run(workload: Workload, records: number): Outcome {
  const driver = new TopologyTestDriver({ applicationId: 'bench', topology: workload.build() });
  const topics = new Map(
    workload.inputs.map((topic) => [topic, driver.createInputTopic(topic, bytes, bytes)] as const),
  );
  const startMs = performance.now();
  for (const { topic, key, value, timestamp } of inputsOf(workload.name, records))
    topics.get(topic)!.pipeInput(key ?? null, value ?? null, timestamp);
  const outputs = driver.createOutputTopic('out', bytes, bytes).readRecordsToList().length;
  const seconds = (performance.now() - startMs) / 1000;
  return { recordsPerSecond: records / seconds, outputs, residentMiB: peakMiB() };
}

const [name, records] = process.argv.slice(2);
const workload = WORKLOADS.find((each) => each.name === name);
if (workload === undefined) throw new Error(`no workload is called ${name}`);
process.send!(run(workload, Number(records)), () => process.exit(0));
