import { z } from 'zod';
import {
  type DeadLetter,
  discardDeadLetters,
  readDeadLetters,
  retryDeadLetters,
} from '../../streams/ops/deadLetters.ts';
import { topicsReadBy } from '../../streams/ops/lag.ts';
import { ServingError } from '../errors.ts';
import { findApplication } from './find.ts';
import { named, type Operation, type OperationContext, whole } from './operation.ts';

const view = z.object({
  applicationId: z.string(),
  offset: whole,
  timestampMs: z.number(),
  topic: z.string(),
  partition: z.number().int(),
  sourceOffset: z.number().int(),
  exception: z.string(),
  message: z.string(),
  task: z.string(),
  node: z.string(),
  status: z.enum(['open', 'retried', 'discarded']),
  markedAtMs: z.number().nullable(),
  /** Bytes in base64. */
  key: z.string().nullable(),
  value: z.string().nullable(),
  headers: z.array(z.object({ key: z.string(), value: z.string().nullable() })),
});

/** A dead letter as an operator sees it, its bytes in base64. */
export type DeadLetterView = z.infer<typeof view>;

function viewOf(letter: DeadLetter): DeadLetterView {
  const { applicationId, offset, timestamp, source, exception, message, task, node, mark } = letter;
  return {
    applicationId,
    offset,
    timestampMs: timestamp,
    topic: source.topic,
    partition: source.partition,
    sourceOffset: source.offset,
    exception,
    message,
    task,
    node,
    status: mark?.status ?? 'open',
    markedAtMs: mark?.atMs ?? null,
    key: letter.key?.toString('base64') ?? null,
    value: letter.value?.toString('base64') ?? null,
    headers: letter.headers.map(({ key, value }) => ({ key, value: value?.toString('base64') ?? null })),
  };
}

/** Dead letters of one application or all; those that were retried or discarded only where they are asked for. */
export const listDeadLetters: Operation<
  { readonly application: string | null; readonly marked: boolean; readonly offset: number | null },
  DeadLetterView
> = {
  name: 'dead-letters',
  params: z.strictObject({ application: named.nullable(), marked: z.boolean(), offset: whole.nullable() }),
  line: view,
  async *run({ subject }, { application, marked, offset }, signal) {
    const wanted = application === null ? subject.applications : [findApplication(subject, application)];
    for (const { applicationId } of wanted) {
      for await (const letter of readDeadLetters(subject.engine, applicationId)) {
        if (signal.aborted) return;
        if (offset !== null ? letter.offset === offset : marked || letter.mark === null) yield viewOf(letter);
      }
    }
  },
};

/** The letters asked for: all that are open, or those at the offsets, which must be open. */
async function openLetters(
  { subject }: OperationContext,
  applicationId: string,
  offsets: readonly number[] | null,
): Promise<readonly DeadLetter[]> {
  findApplication(subject, applicationId);
  const found: DeadLetter[] = [];
  for await (const letter of readDeadLetters(subject.engine, applicationId)) {
    if (offsets === null ? letter.mark === null : offsets.includes(letter.offset)) found.push(letter);
  }
  const missing = (offsets ?? []).find((offset) => !found.some((letter) => letter.offset === offset));
  if (missing !== undefined)
    throw new ServingError(
      'SERVING_NOT_FOUND',
      `${applicationId} has no dead letter ${missing}; see dlq list --all`,
    );
  const done = found.find(({ mark }) => mark !== null);
  if (done?.mark)
    throw new ServingError(
      'SERVING_DEAD_LETTER',
      `dead letter ${done.offset} of ${applicationId} was ${done.mark.status} at ${new Date(done.mark.atMs).toISOString()}; nothing was done`,
    );
  return found;
}

/** Who else reads what is put back, and so would process it again. */
function checkReaders({ subject }: OperationContext, letters: readonly DeadLetter[]): void {
  for (const { source, applicationId, offset } of letters) {
    if (source.offset < 0)
      throw new ServingError(
        'SERVING_DEAD_LETTER',
        `dead letter ${offset} of ${applicationId} came of no input record, so there is nothing to put back; discard it`,
      );
    const others = subject.applications.filter(
      (application) =>
        application.applicationId !== applicationId && topicsReadBy(application).includes(source.topic),
    );
    if (others.length === 0) continue;
    throw new ServingError(
      'SERVING_DEAD_LETTER',
      `${source.topic} is read by ${others.map((other) => other.applicationId).join(', ')} too, which would process what is put back once more; say so with --all-readers`,
    );
  }
}

const retried = z.object({
  offset: whole,
  of: whole,
  topic: z.string(),
  partition: whole,
  toOffset: whole,
});

/** Puts dead letters back on their topics, each once. */
export const retryOperation: Operation<
  { readonly application: string; readonly offsets: readonly number[] | null; readonly allReaders: boolean },
  z.infer<typeof retried>
> = {
  name: 'retry-dead-letters',
  params: z.strictObject({
    application: named,
    offsets: z.array(whole).min(1).max(10_000).nullable(),
    allReaders: z.boolean(),
  }),
  line: retried,
  async *run(context, { application, offsets, allReaders }) {
    const done: z.infer<typeof retried>[] = [];
    // Marks are read and written under one lock, so that two requests do not put the same letter back.
    await context.exclusively(async () => {
      const letters = await openLetters(context, application, offsets);
      if (!allReaders) checkReaders(context, letters);
      const { engine } = context.subject;
      for await (const { letter, to } of retryDeadLetters(
        engine,
        context.producer(),
        letters,
        context.wallClock(),
      ))
        done.push({
          offset: letter.offset,
          of: letters.length,
          topic: to.topic,
          partition: to.partition,
          toOffset: to.offset,
        });
    });
    yield* done;
  },
};

const discarded = z.object({ offset: whole });

/** Marks dead letters as discarded. */
export const discardOperation: Operation<
  { readonly application: string; readonly offsets: readonly number[] | null },
  z.infer<typeof discarded>
> = {
  name: 'discard-dead-letters',
  params: z.strictObject({ application: named, offsets: z.array(whole).min(1).max(10_000).nullable() }),
  line: discarded,
  async *run(context, { application, offsets }) {
    const letters = await context.exclusively(async () => {
      const found = await openLetters(context, application, offsets);
      await discardDeadLetters(context.subject.engine, context.producer(), found, context.wallClock());
      return found;
    });
    yield* letters.map(({ offset }) => ({ offset }));
  },
};
