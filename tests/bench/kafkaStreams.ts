/** The stream runtime beside Kafka Streams: six topologies on the embedded log, on Kafka Streams with a local broker, and in its test driver. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { kafkaMissing } from '../support/kafka.ts';
import { JavaStreams, type Outcome } from './javaStreams.ts';
import type { BenchRow } from './report.ts';
import { WORKLOADS, type Workload, type WorkloadName } from './streamsWorkloads.ts';
import type { EmbeddedOutcome } from './workloadChild.ts';

const RECORDS = 1_000_000;
/** The test driver commits after each record, which is slow with stores in RocksDB. */
const DRIVER_RECORDS = 20_000;
const MANY_RECORDS = 10_000_000;

/** Runs a workload on an embedded log in a process of its own. */
export async function onEmbeddedLog(name: WorkloadName, records: number): Promise<EmbeddedOutcome> {
  const program = fileURLToPath(new URL('./workloadChild.js', import.meta.url));
  const child = fork(program, [name, String(records)], { execArgv: process.execArgv });
  let outcome: EmbeddedOutcome | null = null;
  child.on('message', (message) => {
    outcome = message as EmbeddedOutcome;
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (outcome === null) throw new Error(`the workload ${name} failed (${code})`);
  return outcome;
}

function row(workload: Workload, ours: Outcome, beside: string, theirs: Outcome): BenchRow {
  return {
    bench: 'kafka-streams',
    what: `${workload.what}, every update emitted, exactly once; at most ${ours.residentMiB} MiB, Kafka Streams ${theirs.residentMiB} MiB`,
    value: ours.recordsPerSecond,
    unit: 'records/s',
    ...(beside.includes('broker') ? { target: '>= 1.0 x' } : {}),
    beside: {
      what: `${beside} (${theirs.recordsPerSecond} records/s)`,
      ratio: ours.recordsPerSecond / theirs.recordsPerSecond,
    },
  };
}

/** Nothing where Java or Kafka cannot be had, which is printed. @throws Error where both do not emit the same number of results */
export async function benchKafkaStreams(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  if (kafkaMissing() !== false) return rows;
  const java = await JavaStreams.start();
  try {
    for (const workload of WORKLOADS) {
      const ours = await onEmbeddedLog(workload.name, RECORDS);
      const broker = await java.onBroker(workload.name, RECORDS);
      if (broker.outputs !== ours.outputs)
        throw new Error(
          `${workload.name}: ${ours.outputs} results here, ${broker.outputs} from Kafka Streams`,
        );
      const driver = await java.inDriver(workload.name, DRIVER_RECORDS);
      console.log(
        `  ${workload.name}: ${Math.round(ours.recordsPerSecond)} records/s; Kafka Streams ${broker.recordsPerSecond} on a broker, ${driver.recordsPerSecond} in its test driver`,
      );
      rows.push(row(workload, ours, 'Kafka Streams on a local broker', broker));
      rows.push(row(workload, ours, "Kafka Streams' test driver", driver));
    }
  } finally {
    await java.close();
  }
  return rows;
}

/** Memory while ten million records go through stores of a bounded key space. */
export async function benchStreamsMemory(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const name of ['count', 'windowed-count', 'session-count'] as const) {
    const { residentByTenthMiB, recordsPerSecond } = await onEmbeddedLog(name, MANY_RECORDS);
    console.log(
      `  ${name}: ${Math.round(recordsPerSecond)} records/s, MiB by tenth ${residentByTenthMiB.join(' ')}`,
    );
    rows.push({
      bench: 'streams-memory',
      what: `${name} of ${MANY_RECORDS / 1e6}M records: memory after the last tenth, as against after the second`,
      value: residentByTenthMiB.at(-1)!,
      unit: 'MiB',
      target: '<= 1.1 x',
      beside: {
        what: `that after 2M records (${residentByTenthMiB[1]} MiB)`,
        ratio: residentByTenthMiB.at(-1)! / residentByTenthMiB[1]!,
      },
    });
  }
  return rows;
}
