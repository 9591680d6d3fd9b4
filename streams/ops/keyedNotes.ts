import type { LogEngine, LogRecord, ProducerRecord } from '../log/log.ts';

const READ_RECORDS = 500;

/** Everything a compacted topic of one partition holds: the newest value of each key, as text. */
export async function readNotes(engine: LogEngine, topic: string): Promise<ReadonlyMap<string, string>> {
  const notes = new Map<string, string>();
  if (!(await engine.admin.listTopics()).includes(topic)) return notes;
  for (let offset = 0; ; ) {
    const records: readonly LogRecord[] = await engine.reader.read(
      { topic, partition: 0 },
      offset,
      READ_RECORDS,
    );
    const last = records[records.length - 1];
    if (last === undefined) return notes;
    for (const { key, value } of records) {
      if (key === null) continue;
      if (value === null) notes.delete(key.toString('utf8'));
      else notes.set(key.toString('utf8'), value.toString('utf8'));
    }
    offset = last.offset + 1;
  }
}

/** Makes the topic where it is missing. It has one partition, so that what is noted has one order. */
export async function makeNotes(engine: LogEngine, topic: string): Promise<void> {
  await engine.admin.createTopics([
    { name: topic, partitions: 1, retentionMs: null, cleanupPolicy: 'compact' },
  ]);
}

/** A note as a record; null removes it. @param timestampMs when it was made */
export function noteRecord(topic: string, key: string, value: unknown, timestampMs: number): ProducerRecord {
  return {
    topic,
    partition: 0,
    key: Buffer.from(key),
    value: value === null ? null : Buffer.from(JSON.stringify(value)),
    timestamp: timestampMs,
  };
}
