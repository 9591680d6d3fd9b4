/**
 * `npm run bench` runs all benchmarks; `npm run bench -- streams rest` only those named. Figures are printed as they come and at the
 * end as a table.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { benchKafka } from './kafka.ts';
import { benchKafkaFailover } from './kafkaFailover.ts';
import { benchKafkaOrders } from './kafkaOrders.ts';
import { benchKafkaRestore } from './kafkaRestore.ts';
import { benchKafkaStreams, benchStreamsMemory } from './kafkaStreams.ts';
import { benchPipeline } from './pipeline.ts';
import { benchQuotes } from './quotes.ts';
import { type BenchRow, machine, table } from './report.ts';
import { benchRest } from './rest.ts';
import { benchStart } from './start.ts';
import { benchStreams } from './streams.ts';

/** First argument of a process that runs one benchmark for another process. */
const CHILD = '--child';

type Bench = () => Promise<readonly BenchRow[]>;

const BENCHES: Readonly<Record<string, Bench>> = {
  /** Our own figure, and then the runtime beside Kafka Streams where Java, Maven and Kafka are there. */
  streams: async () => [...(await benchStreams()), ...(await benchKafkaStreams())],
  'streams-memory': benchStreamsMemory,
  kafka: benchKafka,
  'kafka-restore': benchKafkaRestore,
  'kafka-orders': benchKafkaOrders,
  'kafka-failover': benchKafkaFailover,
  pipeline: benchPipeline,
  quotes: benchQuotes,
  rest: benchRest,
  start: benchStart,
};

/** Run by name alone: each is a part of one above. */
const PARTS: Readonly<Record<string, Bench>> = {
  'streams-own': benchStreams,
  'kafka-streams': benchKafkaStreams,
};

const ALL = { ...BENCHES, ...PARTS };

/** Each benchmark has a process of its own: none finds the heap as another has left it. */
async function inChild(name: string): Promise<readonly BenchRow[]> {
  const child = fork(fileURLToPath(import.meta.url), [CHILD, name], { execArgv: process.execArgv });
  let rows: readonly BenchRow[] | null = null;
  child.on('message', (message) => {
    rows = message as readonly BenchRow[];
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (rows === null) throw new Error(`the benchmark ${name} failed (${code})`);
  return rows;
}

async function runAll(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !(name in ALL));
  if (unknown.length > 0) {
    console.error(`no benchmark is called ${unknown.join(', ')}; there are: ${Object.keys(ALL).join(', ')}`);
    process.exit(2);
  }
  console.log(machine());
  const rows: BenchRow[] = [];
  for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
    console.log(`\n${name} ...`);
    rows.push(...(await inChild(name)));
  }
  console.log(`\n${table(rows)}`);
}

const [first, second] = process.argv.slice(2);
if (first === CHILD) process.send!(await ALL[second!]!(), () => process.exit(0));
else {
  await runAll(process.argv.slice(2));
  process.exit(0);
}
