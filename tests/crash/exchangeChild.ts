/**
 * The platform in a process that is going to be killed: `exchangeChild.js <directory> <fault> <occurrence>`. Its parent sends it commands
 * and is told of each that was acknowledged, and of every order update from the offsets it names.
 *
 * `fault` is a phase of the log's commits at whose n-th occurrence after the start the process kills itself, `during-write` for a kill that
 * comes from a second thread while the write is under way, `failing-writes` for a disk that fails every n-th write, or `none`.
 */

import { appendFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Simulator } from '../../connectors/sources/simulator/simulator.ts';
import type { OrderCommand } from '../../schemas/generated/types.ts';
import { topicRecord } from '../../schemas/topicRecord.ts';
import { describeError } from '../../serving/log.ts';
import { openPlatform, type Platform } from '../../serving/platform.ts';
import { MarketQueries } from '../../serving/queries/market.ts';
import type { CommitFaults, FaultPoint } from '../../streams/log/embedded/index.ts';
import type { LogRecord } from '../../streams/log/log.ts';
import { ORDER_COMMANDS, ORDER_UPDATES } from '../../topologies/orders/topics.ts';
import { type FromExchange, type ToExchange, TRACE_SUFFIX } from './protocol.ts';
import type { Followed } from './traders.ts';

const SYMBOLS = ['AAPL', 'MSFT', 'IBM', 'KO'] as const;
const QUOTES_PER_SECOND = 400;
const READ_RECORDS = 1000;
const WAKE_INTERVAL_MS = 3;

const [directory, fault, occurrence] = process.argv.slice(2) as [string, string, string];

/** A thread that kills the process some microseconds after it is woken, whatever the main thread is in. */
const KILLER = `
const { workerData } = require('node:worker_threads');
const signal = new Int32Array(workerData);
postMessageReady();
function postMessageReady() { require('node:worker_threads').parentPort.postMessage('ready'); }
Atomics.wait(signal, 0, 0);
const until = process.hrtime.bigint() + BigInt(Atomics.load(signal, 1)) * 1000n;
while (process.hrtime.bigint() < until);
process.kill(process.pid, 'SIGKILL');
`;

class Faults implements CommitFaults {
  armed = false;
  #writes = 0;
  readonly #wake: Int32Array;
  #left = Number(occurrence);

  constructor(wake: Int32Array) {
    this.#wake = wake;
  }

  at(point: FaultPoint): void {
    if (!this.armed) return;
    if (point === fault && this.#left-- <= 0) process.kill(process.pid, 'SIGKILL');
    if (fault === 'commit:after-write' && point === 'commit:before-write')
      trace(`before-write ${walBytes()}\n`);
    if (fault === 'failing-writes') this.#failSome(point);
    if (fault !== 'during-write') return;
    if (point === 'commit:before-write' && this.#left-- === 0) {
      trace('before-write\n');
      Atomics.store(this.#wake, 1, Number(occurrence) * 37);
      Atomics.store(this.#wake, 0, 1);
      Atomics.notify(this.#wake, 0);
    }
    if (point === 'commit:after-write' && this.#left < 0) {
      trace('after-write\n');
    }
  }

  /** Every n-th write fails, in turn before it is made and after it is on the disk. */
  #failSome(point: FaultPoint): void {
    const every = Number(occurrence);
    if (point === 'commit:before-write') {
      this.#writes += 1;
      if (this.#writes % (2 * every) === every) throw diskError();
    } else if (point === 'commit:after-write' && this.#writes % (2 * every) === 0) throw diskError();
  }
}

function diskError(): Error {
  return Object.assign(new Error('EIO: from the disk'), { code: 'EIO' });
}

function trace(line: string): void {
  appendFileSync(`${directory}${TRACE_SUFFIX}`, line);
}

function walBytes(): number {
  const folder = join(directory, 'log');
  const newest = readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .at(-1);
  return newest === undefined ? 0 : statSync(join(folder, newest)).size;
}

function tell(message: FromExchange): void {
  process.send!(message);
}

/** Sends the updates of a partition from an offset on, each once: first those that are there, then those that come. */
async function follow(platform: Platform, from: ReadonlyMap<number, number>): Promise<void> {
  const serde = platform.serdes.value(ORDER_UPDATES);
  const next = new Map<number, number>();
  const pass = (records: readonly LogRecord[]): void => {
    const updates: Followed[] = [];
    for (const { partition, offset, value } of records) {
      if (value === null || offset < (next.get(partition) ?? 0)) continue;
      next.set(partition, offset + 1);
      updates.push({ partition, offset, update: serde.deserialize(ORDER_UPDATES.name, value) });
    }
    if (updates.length > 0) tell({ kind: 'updates', updates });
  };
  let waiting: (readonly LogRecord[])[] | null = [];
  platform.engine.tail([ORDER_UPDATES.name], (records) => {
    if (waiting === null) pass(records);
    else waiting.push(records);
  });
  const { partitions } = await platform.engine.admin.describeTopic(ORDER_UPDATES.name);
  for (let partition = 0; partition < partitions; partition += 1) {
    for (let offset = from.get(partition) ?? 0; ; ) {
      const records = await platform.engine.reader.read(
        { topic: ORDER_UPDATES.name, partition },
        offset,
        READ_RECORDS,
      );
      pass(records);
      const last = records.at(-1);
      if (last === undefined) break;
      offset = last.offset + 1;
    }
  }
  for (const records of waiting) pass(records);
  waiting = null;
}

function send(platform: Platform, command: OrderCommand): void {
  const { serdes, producer, clock } = platform;
  producer.send([topicRecord(serdes, ORDER_COMMANDS, command.accountId, command, clock.nowMs())]).then(
    ([ack]) =>
      tell({
        kind: 'acknowledged',
        commandId: command.commandId,
        place: `${ack!.partition}@${ack!.offset}`,
      }),
    (cause: unknown) => tell({ kind: 'refused', commandId: command.commandId, cause: describeError(cause) }),
  );
}

async function main(): Promise<void> {
  const wake = new SharedArrayBuffer(8);
  if (fault === 'during-write') {
    const killer = new Worker(KILLER, { eval: true, workerData: wake });
    await new Promise((resolve) => killer.once('message', resolve));
    killer.unref();
  }
  const faults = new Faults(new Int32Array(wake));
  if (fault.startsWith('open:')) faults.armed = true;
  const platform = await openPlatform({
    dataDirectory: directory,
    session: 'always',
    marketMakerLevels: 2,
    memoryBudgetBytes: 32 * 2 ** 20,
    faults,
    onApplicationFailed: (applicationId, cause) => {
      throw new Error(`${applicationId} failed`, { cause });
    },
  });
  const queries = new MarketQueries(platform.queries);
  const source = new Simulator({
    seed: 1,
    symbols: SYMBOLS,
    quotesPerSecond: QUOTES_PER_SECOND,
    lastPrices: await queries.lastPrices(),
  });
  await source.start(platform);
  const prices = await Promise.all(
    SYMBOLS.map(async (symbol) => [symbol, (await queries.price(symbol))!] as const),
  );
  process.on('message', (message: ToExchange) => {
    if (message.kind === 'send') send(platform, message.command);
    else if (message.kind === 'follow') void follow(platform, new Map(message.from));
    else {
      void source
        .stop()
        .then(() => platform.close())
        .then(() => process.disconnect());
    }
  });
  // As the runtime's timers do: cycles that have nothing to commit.
  setInterval(() => platform.engine.wake(), WAKE_INTERVAL_MS).unref();
  faults.armed = true;
  tell({ kind: 'ready', prices });
}

await main();
