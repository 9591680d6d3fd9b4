/** What the tools of an operator and a running instance say to one another: queries, and answers as JSON lines. */
import { z } from 'zod';
import type { Violation } from './invariants/report.ts';
import type { VerificationProgress, VerificationReport } from './invariants/verify.ts';
import { INVARIANT_NAMES, type InvariantName } from './invariants/verify.ts';
import { placeOf } from './place.ts';
import { type EntryView, SCAN_LIMIT_MAX, type StoreSummary } from './stores.ts';
import { storeTraits } from './storeTraits.ts';
import { type RecordView, TAIL_LIMIT_MAX, type TopicSummary } from './topics.ts';
import type { Undecodable } from './undecodable.ts';

const optionalText = z.string().max(4_096).optional();
const whole = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

export const tailQuery = z.strictObject({
  from: z
    .string()
    .default('latest')
    .transform((text, context) => {
      const at = placeOf(text);
      if (at !== undefined) return at;
      context.addIssue('beginning, end, latest, an offset or time:<milliseconds> is expected');
      return z.NEVER;
    }),
  partition: whole.max(65_535).optional(),
  key: optionalText,
  limit: whole.min(1).max(TAIL_LIMIT_MAX).optional(),
  follow: z.enum(['true', 'false']).default('false'),
});

export const scanQuery = z.strictObject({
  prefix: optionalText,
  from: optionalText,
  to: optionalText,
  limit: z.union([z.literal('all').transform(() => null), whole.min(1).max(SCAN_LIMIT_MAX)]),
});

export const storesQuery = z.strictObject({ count: z.enum(['true', 'false']).default('false') });
export const entriesQuery = z.strictObject({ key: z.string().max(4_096) });

export const verifyBody = z.strictObject({
  only: z.array(z.enum(INVARIANT_NAMES as [InvariantName, ...InvariantName[]])).nullable(),
  violationsMax: z.number().int().min(0).max(100_000),
});

const count = z.number().int().min(0);
const names = z.string();

const undecodable: z.ZodType<Undecodable> = z.object({ cause: names, bytes: count, head: names });

export const topicSummary: z.ZodType<TopicSummary> = z.object({
  name: names,
  partitions: count,
  retentionMs: z.number().nullable(),
  cleanupPolicy: z.enum(['delete', 'compact']),
  offsets: z.array(z.object({ earliest: count, latest: count })),
  records: count,
  schema: names.nullable(),
});

export const recordView: z.ZodType<RecordView> = z.object({
  topic: names,
  partition: count,
  offset: count,
  timestampMs: z.number(),
  key: names.nullable(),
  value: z.unknown(),
  undecodable: undecodable.nullable(),
  headers: z.array(z.object({ key: names, value: names.nullable() })),
  clock: z.boolean(),
});

export const storeSummary: z.ZodType<StoreSummary> = z.object({
  application: names,
  store: names,
  ...storeTraits,
  partitions: count,
  entries: count.nullable(),
  counted: z.boolean(),
});

export const entryView: z.ZodType<EntryView> = z.object({
  partition: count,
  key: names,
  window: z.object({ startMs: z.number(), endMs: z.number().nullable() }).nullable(),
  value: z.unknown(),
  undecodable: undecodable.nullable(),
});

const invariant = z.enum(INVARIANT_NAMES as [InvariantName, ...InvariantName[]]);
const violation: z.ZodType<Violation> = z.object({
  place: names,
  what: names,
  figures: z.record(names, z.union([names, z.number(), z.null()])),
});
const progress: z.ZodType<VerificationProgress> = z.object({ invariant, step: names, records: count });
const report: z.ZodType<VerificationReport> = z.object({
  ok: z.boolean(),
  invariants: z.array(
    z.object({
      invariant,
      number: count,
      checked: z.record(names, count),
      violationCount: count,
      violations: z.array(violation),
      notChecked: z.array(names),
    }),
  ),
});
export const verifyLine = z.union([z.object({ progress }), z.object({ report })]);

/** Time between two signs of life of an answer that has nothing to say. */
const HEARTBEAT_MS = 10_000;

/** Values as JSON lines. An empty line now and then says that more may come; a failure is the last line, `{"error": ...}`. */
export async function* toLines(
  values: AsyncIterable<unknown>,
  describe: (cause: unknown) => { readonly code: string; readonly message: string },
): AsyncGenerator<string, void> {
  const iterator = values[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      const heartbeat = new Promise<null>((resolve) => {
        timer = setTimeout(() => resolve(null), HEARTBEAT_MS);
      });
      const result = await Promise.race([next, heartbeat]).finally(() => clearTimeout(timer));
      if (result === null) {
        yield '\n';
        continue;
      }
      if (result.done === true) return;
      yield `${JSON.stringify({ value: result.value })}\n`;
      next = iterator.next();
    }
  } catch (cause) {
    yield `${JSON.stringify({ error: describe(cause) })}\n`;
  } finally {
    await iterator.return?.();
  }
}
