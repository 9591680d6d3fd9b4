import { z } from 'zod';
import type { LogRecord } from '../../streams/log/log.ts';
import { MergedReader, type PartitionRange } from '../../streams/ops/mergedReader.ts';
import { checkTopic } from './find.ts';
import { named, type Operation, short, whole } from './operation.ts';
import { type Place, place, placeOffset } from './place.ts';

const READ_RECORDS = 500;

const base64 = z.string().nullable();
const line = z.object({
  topic: z.string(),
  partition: whole,
  offset: whole,
  timestamp: z.number(),
  key: base64,
  value: base64,
  headers: z.array(z.object({ key: short, value: base64 })),
});

/** A record as bytes in base64. */
type RecordLine = z.infer<typeof line>;

export interface RecordsParams {
  readonly topics: readonly string[];
  readonly partition: number | null;
  readonly begin: Place;
  readonly end: Place;
}

function encode({ topic, partition, offset, timestamp, key, value, headers }: LogRecord): RecordLine {
  return {
    topic,
    partition,
    offset,
    timestamp,
    key: key?.toString('base64') ?? null,
    value: value?.toString('base64') ?? null,
    headers: headers.map((header) => ({ key: header.key, value: header.value?.toString('base64') ?? null })),
  };
}

function bytesOf(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text, 'base64');
}

/** The record of a line. */
export function decodeRecord({ key, value, headers, ...rest }: RecordLine): LogRecord {
  return {
    ...rest,
    key: bytesOf(key),
    value: bytesOf(value),
    headers: headers.map((header) => ({ key: header.key, value: bytesOf(header.value) })),
  };
}

/** Ranges of topics as one, as bytes, in the order of appending. */
export const recordsOperation: Operation<RecordsParams, RecordLine> = {
  name: 'records',
  params: z.strictObject({
    topics: z.array(named).min(1).max(200),
    partition: whole.nullable(),
    begin: place,
    end: place,
  }),
  line,
  async *run({ subject }, { topics, partition, begin, end }, signal) {
    const ranges: PartitionRange[] = [];
    for (const topic of topics) {
      const { offsets } = await checkTopic(subject, topic, partition);
      for (const [index, held] of offsets.entries()) {
        if (partition !== null && partition !== index) continue;
        const at = { topic, partition: index };
        const from = await placeOffset(subject.engine, at, begin, held);
        ranges.push({ ...at, from, to: Math.max(from, await placeOffset(subject.engine, at, end, held)) });
      }
    }
    const reader = new MergedReader(subject.engine, ranges);
    while (!signal.aborted) {
      const records = await reader.take(READ_RECORDS);
      if (records.length === 0) return;
      yield* records.map(encode);
      await new Promise((resolve) => setImmediate(resolve));
    }
  },
};
