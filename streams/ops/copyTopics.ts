import type { AppendedRecord, EmbeddedLog } from '../log/embedded/index.ts';
import type { ProducerRecord } from '../log/log.ts';

const READ_RECORDS = 1000;
const SEND_RECORDS = 500;
const SENDS_IN_FLIGHT = 16;

interface Source {
  readonly topic: string;
  readonly partition: number;
  next: number;
  records: readonly AppendedRecord[];
  at: number;
}

/**
 * Copies topics from one log into another, in the order in which their records were appended over all partitions, with
 * timestamp, key, value, headers and partition. The topics must exist in `to` with as many partitions. What runs on `to` then does what it did
 * on `from`: copy the topics that were written from outside, and compare the rest.
 * @param wanted leaves out what it returns false for: of a topic that is written from outside and by what runs, the latter
 * @param wanted tells the records to copy; left out: all. It keeps out what applications wrote into topics that others write too
 * @returns how many records were copied
 * @throws LogError where a topic is missing, or a send fails; what was sent before stays
 */
export async function copyTopics(
  from: EmbeddedLog,
  to: EmbeddedLog,
  topics: readonly string[],
  wanted: (record: AppendedRecord) => boolean = () => true,
): Promise<number> {
  const sources: Source[] = [];
  for (const topic of topics) {
    const { partitions } = await from.admin.describeTopic(topic);
    for (let partition = 0; partition < partitions; partition++) {
      sources.push({ topic, partition, next: from.earliest(topic, partition), records: [], at: 0 });
    }
  }
  const producer = to.createProducer();
  let inFlight: Promise<unknown>[] = [];
  let copied = 0;
  for (;;) {
    const records = takeInOrder(from, sources, SEND_RECORDS, wanted);
    if (records.length === 0) break;
    await producer.ready();
    inFlight.push(producer.send(records));
    copied += records.length;
    if (inFlight.length >= SENDS_IN_FLIGHT) {
      await Promise.all(inFlight);
      inFlight = [];
    }
  }
  await Promise.all(inFlight);
  await producer.close();
  return copied;
}

function takeInOrder(
  from: EmbeddedLog,
  sources: readonly Source[],
  recordsMax: number,
  wanted: (record: AppendedRecord) => boolean,
): ProducerRecord[] {
  const taken: ProducerRecord[] = [];
  while (taken.length < recordsMax) {
    let first: Source | null = null;
    for (const source of sources) {
      const record = peek(from, source);
      if (record === undefined) continue;
      if (first === null || record.sequence < first.records[first.at]!.sequence) first = source;
    }
    if (first === null) break;
    const record = first.records[first.at]!;
    first.at++;
    if (!wanted(record)) continue;
    const { topic, partition, key, value, timestamp, headers } = record;
    taken.push({ topic, partition, key, value, timestamp, headers });
  }
  return taken;
}

function peek(from: EmbeddedLog, source: Source): AppendedRecord | undefined {
  if (
    source.at === source.records.length &&
    source.next < from.committedEnd(source.topic, source.partition)
  ) {
    source.records = from.readSync(source.topic, source.partition, source.next, READ_RECORDS);
    source.at = 0;
    const last = source.records[source.records.length - 1];
    source.next = last === undefined ? from.committedEnd(source.topic, source.partition) : last.offset + 1;
  }
  return source.records[source.at];
}
