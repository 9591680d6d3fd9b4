import { createHash } from 'node:crypto';
import type { LogEngine, LogRecord, ProducerRecord } from '../log/log.ts';

const READ_RECORDS = 5_000;
const SEND_RECORDS = 1_000;

/** The newest record of a key: a digest of its value in place of the value. */
interface Newest {
  readonly offset: number;
  readonly digest: string;
}

async function* recordsOf(engine: LogEngine, topic: string, partition: number): AsyncGenerator<LogRecord> {
  for (let next = 0; ; ) {
    const records: readonly LogRecord[] = await engine.reader.read({ topic, partition }, next, READ_RECORDS);
    yield* records;
    const last = records.at(-1);
    if (last === undefined) return;
    next = last.offset + 1;
  }
}

/** One character a byte. */
function nameOf(key: Buffer): string {
  return key.toString('latin1');
}

/** What a partition of a changelog tells, by key; a key that was removed is not there. */
async function told(engine: LogEngine, topic: string, partition: number): Promise<Map<string, Newest>> {
  const found = new Map<string, Newest>();
  for await (const { offset, key, value } of recordsOf(engine, topic, partition)) {
    if (key === null) continue;
    if (value === null) found.delete(nameOf(key));
    else {
      const digest = createHash('sha256').update(value).digest('base64');
      found.set(nameOf(key), { offset, digest });
    }
  }
  return found;
}

/**
 * Makes a changelog tell what another one tells, by records at its end: of what differs the value of the other, of what the other has not a
 * removal. Whoever holds the store takes them like any other change. Done twice it changes nothing more; it takes about a hundred bytes of memory a key of
 * a partition.
 * @param from a changelog with as many partitions as `to`; nothing may write either meanwhile
 * @returns how many records were written
 * @throws LogError
 */
export async function alignChangelog(engine: LogEngine, from: string, to: string): Promise<number> {
  const { partitions } = await engine.admin.describeTopic(from);
  const producer = engine.createProducer();
  let written = 0;
  const send = async (records: ProducerRecord[]): Promise<void> => {
    if (records.length === 0) return;
    await producer.ready();
    await producer.send(records);
    written += records.length;
  };
  try {
    for (let partition = 0; partition < partitions; partition += 1) {
      const [wanted, present] = [await told(engine, from, partition), await told(engine, to, partition)];
      let batch: ProducerRecord[] = [];
      for await (const { offset, timestamp, key, value, headers } of recordsOf(engine, from, partition)) {
        if (key === null) continue;
        const name = nameOf(key);
        const newest = wanted.get(name);
        if (newest?.offset !== offset) continue;
        if (present.get(name)?.digest !== newest.digest)
          batch.push({ topic: to, partition, key, value, timestamp, headers });
        if (batch.length >= SEND_RECORDS) {
          await send(batch);
          batch = [];
        }
      }
      await send(batch);
      const gone = [...present.keys()].filter((name) => !wanted.has(name));
      for (let at = 0; at < gone.length; at += SEND_RECORDS)
        await send(
          gone.slice(at, at + SEND_RECORDS).map((name) => ({
            topic: to,
            partition,
            key: Buffer.from(name, 'latin1'),
            value: null,
            timestamp: 0,
          })),
        );
    }
  } finally {
    await producer.close();
  }
  return written;
}
