/** The stream runtime on Kafka beside Kafka Streams: the same topologies on the same topics of the same broker, exactly once. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { JavaStreams, type Outcome } from './javaStreams.ts';
import type { BenchRow } from './report.ts';
import { WORKLOADS, type WorkloadName } from './streamsWorkloads.ts';

/** The count is the one with a target. */
const COUNT_RECORDS = 2_000_000;
const RECORDS = 1_000_000;

async function onKafka(name: WorkloadName, records: number, brokers: readonly string[]): Promise<Outcome> {
  const program = fileURLToPath(new URL('./kafkaWorkloadChild.js', import.meta.url));
  const child = fork(program, [name, String(records), brokers.join(',')], { execArgv: process.execArgv });
  let outcome: Outcome | null = null;
  child.on('message', (message) => {
    outcome = message as Outcome;
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (outcome === null) throw new Error(`the workload ${name} failed on Kafka (${code})`);
  return outcome;
}

/** Nothing where Java or Kafka cannot be had, which is printed. @throws Error where both do not emit the same number of results */
export async function benchKafka(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  const missing = JavaStreams.missing();
  if (missing !== false) {
    console.log(`  not measured beside Kafka Streams: ${missing}`);
    return rows;
  }
  const java = await JavaStreams.start();
  try {
    for (const { name, what } of WORKLOADS) {
      const records = name === 'count' ? COUNT_RECORDS : RECORDS;
      // It fills the topics that ours reads afterwards.
      const theirs = await java.onBroker(name, records);
      const ours = await onKafka(name, records, java.kafka.brokers);
      if (theirs.outputs !== ours.outputs)
        throw new Error(`${name}: ${ours.outputs} results here, ${theirs.outputs} from Kafka Streams`);
      console.log(
        `  ${name}: ${Math.round(ours.recordsPerSecond)} records/s; Kafka Streams ${theirs.recordsPerSecond}`,
      );
      rows.push({
        bench: 'kafka',
        what: `${what}, ${records / 1e6}M records of 100 bytes, exactly once, commits each 100 ms; at most ${ours.residentMiB} MiB, Kafka Streams ${theirs.residentMiB} MiB`,
        value: ours.recordsPerSecond,
        unit: 'records/s',
        ...(name === 'count' ? { target: '>= 0.5 x, 1.0 x wanted' } : {}),
        beside: {
          what: `Kafka Streams on the same broker (${theirs.recordsPerSecond} records/s)`,
          ratio: ours.recordsPerSecond / theirs.recordsPerSecond,
        },
      });
    }
  } finally {
    await java.close();
  }
  return rows;
}
