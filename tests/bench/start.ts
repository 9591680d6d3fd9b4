import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { openPlatform } from '../../serving/platform.ts';
import { startServer } from '../support/server.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import { OrderFlow } from './orderFlow.ts';
import { type BenchRow, spread } from './report.ts';

const DIRECTORY_BYTES = 1_000_000_000;
const ROUND_ORDERS = 20_000;
const BATCH = 500;
const RUNS = 5;
const REST_SECONDS = 20;

function bytesIn(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(`${entry.parentPath}/${entry.name}`).size, 0);
}

/** Trades until the data directory holds a gigabyte. */
async function fill(directory: string): Promise<void> {
  const platform = await openPlatform({
    dataDirectory: directory,
    session: 'always',
    marketMakerLevels: 0,
  });
  try {
    const flow = new OrderFlow(platform);
    await flow.open();
    while (bytesIn(directory) < DIRECTORY_BYTES) {
      for (let sent = 0; sent < ROUND_ORDERS; sent += BATCH)
        await flow.send(Array.from({ length: BATCH }, () => flow.record(flow.next())));
    }
  } finally {
    await platform.close();
  }
}

function residentMb(child: ChildProcess): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
  return Number(match?.[1] ?? Number.NaN) / 1024;
}

/** How long Node.js itself takes to start and end. */
async function bareNode(): Promise<number> {
  const startMs = performance.now();
  const child = spawn(process.execPath, ['-e', '0']);
  await new Promise((resolve) => child.once('exit', resolve));
  return performance.now() - startMs;
}

/** From the start of the process to /ready, in milliseconds. */
async function startOnce(directory: string, end: 'stop' | 'kill'): Promise<number> {
  const startMs = performance.now();
  const server = await startServer({ OPENTAPE_DATA_DIR: directory });
  let status = 0;
  while (status !== 200) {
    status = (await fetch(`${server.url}/ready`)).status;
    if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const tookMs = performance.now() - startMs;
  if (end === 'stop') await server.stop();
  else await server.kill();
  return tookMs;
}

async function memoryAtRest(directory: string): Promise<number> {
  const server = await startServer({ OPENTAPE_DATA_DIR: directory });
  try {
    await new Promise((resolve) => setTimeout(resolve, REST_SECONDS * 1000));
    return residentMb(server.process);
  } finally {
    await server.stop();
  }
}

/** Start to ready on a directory of a gigabyte, after a clean end and after a kill, and memory at rest with the simulator running. */
export async function benchStart(): Promise<readonly BenchRow[]> {
  return withTemporaryDirectory(async (directory) => {
    const data = `${directory}/data`;
    await fill(data);
    const node = spread(await inTurn(bareNode));
    await startOnce(data, 'stop');
    const clean = spread(await inTurn(() => startOnce(data, 'stop')));
    const killed = spread(await inTurn(() => startOnce(data, 'kill')));
    const row = (what: string, value: number): BenchRow => ({
      bench: 'start',
      what,
      value,
      unit: 'ms',
      target: '< 3,000 ms',
      beside: { what: 'starting Node.js itself', ratio: value / node.median },
    });
    return [
      row(`start to ready on 1 GB after a clean end (median of ${RUNS})`, clean.median),
      row(`start to ready on 1 GB after kill -9 (median of ${RUNS})`, killed.median),
      {
        bench: 'start',
        what: 'resident memory at rest, simulator of 12 symbols',
        value: await memoryAtRest(data),
        unit: 'MB',
        target: '< 400 MB',
      },
    ];
  });
}

async function inTurn(run: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let index = 0; index < RUNS; index += 1) values.push(await run());
  return values;
}
