/** Quick figures of the embedded log alone: `node dist/tests/bench/log.js`. Records of 100 bytes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type CycleParticipant, EmbeddedLog } from '../../streams/log/embedded/index.ts';
import type { ProducerRecord } from '../../streams/log/log.ts';
import { NO_HEADERS } from '../../streams/record.ts';
import { type BenchRow, percentile, table } from './report.ts';

const RECORDS = 1_000_000;
const VALUE = Buffer.alloc(90, 'v');
const KEYS = Array.from({ length: 2000 }, (_, index) => Buffer.from(`key-${String(index).padStart(6, '0')}`));
const SENDS = 500;

async function appendAll(log: EmbeddedLog): Promise<number> {
  const producer = log.createProducer();
  const perSend = RECORDS / SENDS;
  const sends: Promise<unknown>[] = [];
  const startedMs = performance.now();
  for (let send = 0; send < SENDS; send++) {
    const records: ProducerRecord[] = [];
    for (let index = 0; index < perSend; index++) {
      records.push({
        topic: 'in',
        partition: index % 4,
        key: KEYS[index % KEYS.length]!,
        value: VALUE,
        timestamp: send,
      });
    }
    await producer.ready();
    sends.push(producer.send(records));
  }
  await Promise.all(sends);
  return RECORDS / ((performance.now() - startedMs) / 1000);
}

function readAll(log: EmbeddedLog): number {
  const startedMs = performance.now();
  let read = 0;
  for (let partition = 0; partition < 4; partition++) {
    for (let next = 0; ; ) {
      const records = log.readSync('in', partition, next, 1000);
      if (records.length === 0) break;
      next = records[records.length - 1]!.offset + 1;
      read += records.length;
    }
  }
  return read / ((performance.now() - startedMs) / 1000);
}

/** Reads the backlog and writes one record for each: the log's share of a stream application. */
async function passThrough(log: EmbeddedLog): Promise<number> {
  const outputs = [0, 1, 2, 3].map((partition) => log.appender('out', partition));
  const positions = [0, 0, 0, 0];
  const startedMs = performance.now();
  await new Promise<void>((done) => {
    let finished = false;
    const participant: CycleParticipant = {
      onAppended: () => undefined,
      work: (deadlineMs) => {
        for (let partition = 0; partition < 4; partition++) {
          while (performance.now() < deadlineMs) {
            const records = log.readSync('in', partition, positions[partition]!, 500);
            if (records.length === 0) break;
            for (const { key, value, timestamp } of records)
              outputs[partition]!.append(timestamp, key, value, NO_HEADERS);
            positions[partition] = records[records.length - 1]!.offset + 1;
          }
        }
        finished = positions.every((next, partition) => next === log.committedEnd('in', partition));
        return !finished;
      },
      beforeCommit: (writer) => {
        for (const [partition, offset] of positions.entries()) {
          writer.putPosition({ applicationId: 'bench', topic: 'in', partition, offset, partitionTimeMs: 0 });
        }
      },
      afterCommit: () => {
        if (!finished) return;
        log.detach(participant);
        done();
      },
      onRollback: () => undefined,
    };
    log.attach(participant);
  });
  return RECORDS / ((performance.now() - startedMs) / 1000);
}

async function oneByOne(log: EmbeddedLog): Promise<readonly number[]> {
  const producer = log.createProducer();
  const latenciesMs: number[] = [];
  for (let index = 0; index < 2000; index++) {
    const startedMs = performance.now();
    await producer.send([{ topic: 'in', partition: 0, key: KEYS[0]!, value: VALUE, timestamp: 1 }]);
    latenciesMs.push(performance.now() - startedMs);
  }
  return latenciesMs.sort((a, b) => a - b);
}

export async function benchLog(): Promise<readonly BenchRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'opentape-bench-log-'));
  try {
    let log = await EmbeddedLog.open({ directory });
    await log.admin.createTopics(
      ['in', 'out'].map((name) => ({
        name,
        partitions: 4,
        retentionMs: null,
        cleanupPolicy: 'delete' as const,
      })),
    );
    const appended = await appendAll(log);
    const read = readAll(log);
    const passed = await passThrough(log);
    const latenciesMs = await oneByOne(log);
    const { commits, commitLatencyMsSum, commitLatencyMsMax } = log.metrics;
    await log.close();
    const startedMs = performance.now();
    log = await EmbeddedLog.open({ directory });
    const openMs = performance.now() - startedMs;
    await log.close();
    return [
      { bench: 'log', what: 'send and commit', value: appended, unit: 'records/s' },
      { bench: 'log', what: 'read', value: read, unit: 'records/s' },
      { bench: 'log', what: 'read and append, committed', value: passed, unit: 'records/s' },
      { bench: 'log', what: 'one record sent, p50', value: percentile(latenciesMs, 50), unit: 'ms' },
      { bench: 'log', what: 'one record sent, p99', value: percentile(latenciesMs, 99), unit: 'ms' },
      { bench: 'log', what: `mean of ${commits} commits`, value: commitLatencyMsSum / commits, unit: 'ms' },
      { bench: 'log', what: 'longest commit', value: commitLatencyMsMax, unit: 'ms' },
      { bench: 'log', what: 'opening 2M records', value: openMs, unit: 'ms' },
      { bench: 'log', what: 'resident memory', value: process.memoryUsage().rss / 2 ** 20, unit: 'MiB' },
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(table(await benchLog()));
