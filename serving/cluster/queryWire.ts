import { Packr } from 'msgpackr';
import { z } from 'zod';
import type { StoreAnswer, StoreQuery } from '../../streams/query/distributed/storeRead.ts';

/** Where the processes of a deployment ask one another. */
export const QUERIES_PATH = '/internal/queries';
export const QUERIES_CONTENT_TYPE = 'application/msgpack';
/** Queries of one request. */
export const QUERIES_MAX = 256;
/** Bytes of a request, and of an answer. */
export const REQUEST_BYTES_MAX = 1024 * 1024;
export const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
/** How long a host may let a query wait, in milliseconds. */
export const WAIT_MAX_MS = 10_000;

const packr = new Packr({ useRecords: false, int64AsType: 'number' });

const bytes = z.instanceof(Buffer);
const name = z.string().min(1).max(249);
const partition = z.int().min(0).max(100_000);
const timeMs = z.number().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);
const rowsMax = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const read = z.discriminatedUnion('op', [
  z.object({ op: z.literal('get'), key: bytes }),
  z.object({
    op: z.literal('range'),
    from: bytes.nullable(),
    to: bytes.nullable(),
    reverse: z.boolean(),
    after: bytes.nullable(),
    rowsMax,
  }),
  z.object({ op: z.literal('prefix'), prefix: bytes, after: bytes.nullable(), rowsMax }),
  z.object({ op: z.literal('window'), key: bytes, startMs: timeMs }),
  z.object({
    op: z.literal('windows'),
    key: bytes,
    fromMs: timeMs,
    toMs: timeMs,
    reverse: z.boolean(),
    rowsMax,
  }),
  z.object({ op: z.literal('session'), key: bytes, startMs: timeMs, endMs: timeMs }),
  z.object({
    op: z.literal('sessions'),
    key: bytes,
    earliestEndMs: timeMs,
    latestStartMs: timeMs,
    after: z.tuple([timeMs, timeMs]).nullable(),
    rowsMax,
  }),
  z.object({ op: z.literal('version'), key: bytes, asOfMs: timeMs.nullable() }),
]);
const query = z.object({
  applicationId: name,
  storeName: name,
  partition,
  read,
  atLeast: z
    .array(z.object({ topic: name, partition, offset: z.int().min(0).max(Number.MAX_SAFE_INTEGER) }))
    .max(16),
  standby: z.boolean(),
});
const request = z.object({
  waitMs: z.number().min(0).max(WAIT_MAX_MS),
  queries: z.array(query).min(1).max(QUERIES_MAX),
});

/** The refusals that cross from one process to another. */
const REFUSALS = [
  'STREAMS_UNKNOWN_APPLICATION',
  'STREAMS_UNKNOWN_STORE',
  'STREAMS_STORE_RESTORING',
  'STREAMS_NO_HOST',
  'STREAMS_QUERY_TIMEOUT',
] as const;
const refusal = z.object({ code: z.enum(REFUSALS), message: z.string().max(2_000) });
const answer = z.object({
  rows: z.array(z.tuple([bytes.nullable(), timeMs.nullable(), timeMs.nullable(), bytes])).max(1_000),
  more: z.boolean(),
  role: z.enum(['active', 'standby']),
  lag: z.number().nullable(),
});
const answers = z.array(z.union([answer, refusal])).max(QUERIES_MAX);

export interface QueriesRequest {
  /** How long the host may wait for what is not there yet, in milliseconds. */
  readonly waitMs: number;
  readonly queries: readonly StoreQuery[];
}

export type QueryRefusal = z.infer<typeof refusal>;

export function isRefusalCode(code: string): code is QueryRefusal['code'] {
  return (REFUSALS as readonly string[]).includes(code);
}

export function pack(value: QueriesRequest | readonly (StoreAnswer | QueryRefusal)[]): Buffer {
  return packr.pack(value);
}

/** @throws ZodError, or an Error where the bytes are no MessagePack */
export function unpackRequest(body: Buffer): QueriesRequest {
  return request.parse(packr.unpack(body));
}

/** @throws ZodError, or an Error where the bytes are no MessagePack */
export function unpackAnswers(body: Buffer): readonly (StoreAnswer | QueryRefusal)[] {
  return answers.parse(packr.unpack(body));
}
