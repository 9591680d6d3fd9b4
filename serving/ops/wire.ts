/** What the tools of an operator and a running instance say to one another: queries, and answers as JSON lines. */
import { z } from 'zod';
import { INVARIANT_NAMES, type InvariantName } from './invariants/verify.ts';
import { SCAN_LIMIT_MAX } from './stores.ts';
import { TAIL_LIMIT_MAX } from './topics.ts';

const optionalText = z.string().max(4_096).optional();
const whole = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

export const tailQuery = z.strictObject({
  from: z.union([z.enum(['beginning', 'end', 'latest']), whole]).default('latest'),
  partition: whole.max(65_535).optional(),
  key: optionalText,
  limit: whole.min(1).max(TAIL_LIMIT_MAX).optional(),
  follow: z.enum(['true', 'false']).default('false'),
});

export const scanQuery = z.strictObject({
  prefix: optionalText,
  from: optionalText,
  to: optionalText,
  limit: whole.min(1).max(SCAN_LIMIT_MAX),
});

export const storesQuery = z.strictObject({ count: z.enum(['true', 'false']).default('false') });
export const entriesQuery = z.strictObject({ key: z.string().max(4_096) });

export const verifyBody = z.strictObject({
  only: z.array(z.enum(INVARIANT_NAMES as [InvariantName, ...InvariantName[]])).nullable(),
  violationsMax: z.number().int().min(0).max(100_000),
});

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
