/** The three requests that restoring needs, in versions that brokers from 2.8 to 4.1 answer. */
import type { TopicPartition } from '../../../../record.ts';
import { ByteReader, ByteWriter } from './bytes.ts';

/** A request as kafkajs' connections send it: encoded by us, answered with the bytes behind the correlation id. */
export interface WireRequest<T> {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly apiName: string;
  readonly body: Buffer;
  readonly decode: (payload: Buffer) => T;
}

export interface TopicMetadata {
  readonly name: string;
  /** Kafka's error code, 0 where there is none. */
  readonly error: number;
  readonly topicId: string;
  /** By partition: the node that leads it, -1 where none does. */
  readonly leaders: ReadonlyMap<number, number>;
}

const NO_TOPIC_ID = Buffer.alloc(16);

/** Version 12, the first to ask by name and answer with topic ids. */
export function metadataRequest(topics: readonly string[]): WireRequest<readonly TopicMetadata[]> {
  const body = new ByteWriter();
  // The header of a flexible version ends with tags.
  body.unsignedVarint(0).unsignedVarint(topics.length + 1);
  for (const topic of topics) body.raw(NO_TOPIC_ID).compactString(topic).unsignedVarint(0);
  body.int8(0).int8(0).unsignedVarint(0);
  return {
    apiKey: 3,
    apiVersion: 12,
    apiName: 'Metadata',
    body: body.written,
    decode: (payload) => {
      const reader = new ByteReader(payload);
      reader.skipTags();
      reader.int32();
      reader.compactArray(() => {
        reader.int32();
        reader.compactString();
        reader.int32();
        reader.compactString();
        reader.skipTags();
      });
      reader.compactString();
      reader.int32();
      return reader.compactArray(() => topicMetadata(reader));
    },
  };
}

function topicMetadata(reader: ByteReader): TopicMetadata {
  const error = reader.int16();
  const name = reader.compactString();
  const topicId = reader.take(16).toString('hex');
  reader.int8();
  const leaders = new Map<number, number>();
  reader.compactArray(() => {
    reader.int16();
    const partition = reader.int32();
    leaders.set(partition, reader.int32());
    reader.int32();
    for (let lists = 0; lists < 3; lists += 1) reader.compactArray(() => reader.int32());
    reader.skipTags();
  });
  reader.int32();
  reader.skipTags();
  return { error, name, topicId, leaders };
}

export interface PartitionOffset extends TopicPartition {
  readonly error: number;
  readonly offset: number;
}

/** Version 2. @param which the first offset held, or the one after the last record, be it committed or not */
export function listOffsetsRequest(
  partitions: readonly TopicPartition[],
  which: 'earliest' | 'latest',
): WireRequest<readonly PartitionOffset[]> {
  const READ_UNCOMMITTED = 0;
  const body = new ByteWriter().int32(-1).int8(READ_UNCOMMITTED);
  body.array([...byTopic(partitions)], ([topic, each]) => {
    body.string(topic).array(each, ({ partition }) => {
      body.int32(partition).int64(which === 'earliest' ? -2 : -1);
    });
  });
  return {
    apiKey: 2,
    apiVersion: 2,
    apiName: 'ListOffsets',
    body: body.written,
    decode: (payload) => {
      const reader = new ByteReader(payload);
      reader.int32();
      return reader
        .array(() => {
          const topic = reader.string();
          return reader.array(() => {
            const partition = reader.int32();
            const error = reader.int16();
            reader.int64();
            return { topic, partition, error, offset: reader.int64() };
          });
        })
        .flat();
    },
  };
}

export interface FetchFrom extends TopicPartition {
  readonly offset: number;
}

export interface FetchLimits {
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly partitionMaxBytes: number;
}

export interface FetchedPartition extends TopicPartition {
  readonly error: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  /** Transactions among the records that were aborted, by the producer's id and their first offset. */
  readonly aborted: readonly { readonly producerId: string; readonly firstOffset: number }[];
  /** Record batches; the last one may be cut off. A view of the answer. */
  readonly records: Buffer;
}

/** Version 11, outside of a session. */
export function fetchRequest(
  partitions: readonly FetchFrom[],
  { maxWaitMs, maxBytes, partitionMaxBytes }: FetchLimits,
): WireRequest<readonly FetchedPartition[]> {
  const READ_COMMITTED = 1;
  const body = new ByteWriter().int32(-1).int32(maxWaitMs).int32(1).int32(maxBytes).int8(READ_COMMITTED);
  body.int32(0).int32(-1);
  body.array([...byTopic(partitions)], ([topic, each]) => {
    body.string(topic).array(each, ({ partition, offset }) => {
      body.int32(partition).int32(-1).int64(offset).int64(-1).int32(partitionMaxBytes);
    });
  });
  body.int32(0).string('');
  return { apiKey: 1, apiVersion: 11, apiName: 'Fetch', body: body.written, decode: fetched };
}

function fetched(payload: Buffer): readonly FetchedPartition[] {
  const reader = new ByteReader(payload);
  reader.int32();
  reader.int16();
  reader.int32();
  return reader
    .array(() => {
      const topic = reader.string();
      return reader.array((): FetchedPartition => {
        const partition = reader.int32();
        const error = reader.int16();
        const highWatermark = reader.int64();
        const lastStableOffset = reader.int64();
        reader.int64();
        const aborted = reader.array(() => ({
          producerId: reader.take(8).toString('hex'),
          firstOffset: reader.int64(),
        }));
        reader.int32();
        const records = reader.take(Math.max(0, reader.int32()));
        return { topic, partition, error, highWatermark, lastStableOffset, aborted, records };
      });
    })
    .flat();
}

function byTopic<T extends TopicPartition>(partitions: readonly T[]): ReadonlyMap<string, T[]> {
  const topics = new Map<string, T[]>();
  for (const each of partitions) {
    const known = topics.get(each.topic);
    if (known === undefined) topics.set(each.topic, [each]);
    else known.push(each);
  }
  return topics;
}
