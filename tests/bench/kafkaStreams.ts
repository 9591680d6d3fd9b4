/** The stream runtime beside Kafka Streams: six topologies on the embedded log and on Kafka Streams with a local broker, and in both test drivers. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { JavaStreams, type Outcome } from './javaStreams.ts';
import type { BenchRow } from './report.ts';
import { WORKLOADS, type Workload, type WorkloadName } from './streamsWorkloads.ts';
import type { EmbeddedOutcome } from './workloadChild.ts';

const RECORDS = 1_000_000;
/** The test driver commits after each record, which is slow with stores in RocksDB. */
const DRIVER_RECORDS = 20_000;
const MANY_RECORDS = 10_000_000;

async function inProcess<T extends Outcome>(file: string, name: WorkloadName, records: number): Promise<T> {
  const program = fileURLToPath(new URL(file, import.meta.url));
  const child = fork(program, [name, String(records)], { execArgv: process.execArgv });
  let outcome: T | null = null;
  child.on('message', (message) => {
    outcome = message as T;
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (outcome === null) throw new Error(`the workload ${name} failed (${code})`);
  return outcome;
}

/** Runs a workload on an embedded log in a process of its own. */
export function onEmbeddedLog(name: WorkloadName, records: number): Promise<EmbeddedOutcome> {
  return inProcess('./workloadChild.js', name, records);
}

/** Runs a workload in our test driver in a process of its own. */
function inOurDriver(name: WorkloadName, records: number): Promise<Outcome> {
  return inProcess('./driverChild.js', name, records);
}

function sameOutputs(name: WorkloadName, where: string, ours: Outcome, theirs: Outcome): void {
  if (theirs.outputs !== ours.outputs)
    throw new Error(`${name} ${where}: ${ours.outputs} results here, ${theirs.outputs} from Kafka Streams`);
}

function row(workload: Workload, where: string, ours: Outcome, beside: string, theirs: Outcome): BenchRow {
  return {
    bench: 'streams',
    what: `${workload.what}, every update emitted, ${where}; at most ${ours.residentMiB} MiB, Kafka Streams ${theirs.residentMiB} MiB`,
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
  const missing = JavaStreams.missing();
  if (missing !== false) {
    console.log(`  not measured beside Kafka Streams: ${missing}`);
    return rows;
  }
  const java = await JavaStreams.start();
  try {
    for (const workload of WORKLOADS) {
      const ours = await onEmbeddedLog(workload.name, RECORDS);
      const broker = await java.onBroker(workload.name, RECORDS);
      sameOutputs(workload.name, 'on the log', ours, broker);
      const ourDriver = await inOurDriver(workload.name, DRIVER_RECORDS);
      const driver = await java.inDriver(workload.name, DRIVER_RECORDS);
      sameOutputs(workload.name, 'in the test driver', ourDriver, driver);
      console.log(
        `  ${workload.name}: ${Math.round(ours.recordsPerSecond)} records/s, Kafka Streams on a broker ${broker.recordsPerSecond}; in our test driver ${Math.round(ourDriver.recordsPerSecond)}, in that of Kafka Streams ${driver.recordsPerSecond}`,
      );
      rows.push(row(workload, 'exactly once', ours, 'Kafka Streams on a local broker', broker));
      rows.push(row(workload, 'in the test driver', ourDriver, "Kafka Streams' test driver", driver));
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
