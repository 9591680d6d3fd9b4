import { StreamsError } from '../errors.ts';
import { LogError } from '../log/errors.ts';
import { type Headers, NO_HEADERS } from '../record.ts';
import {
  deadLetterHeaders,
  type ErrorHandlers,
  type FailureContext,
  type HandlerResponse,
} from './handlers.ts';
import type { AnyRecord } from './nodes.ts';
import type { InputRecord } from './output.ts';
import type { StreamTask } from './streamTask.ts';

/** Takes records put aside, as bytes. */
export type DeadLetters = (
  timestamp: number,
  key: Buffer | null,
  value: Buffer | null,
  headers: Headers,
) => void;

/** Whether the log gave up the commit under way: nobody's record is to blame, and all of it will be done again. */
export function isRollback(cause: unknown): boolean {
  return cause instanceof LogError && cause.code === 'LOG_ROLLED_BACK';
}

/** Asks the handlers what to do about failures, and does it. */
export class FailureDesk {
  readonly #task: StreamTask;
  readonly #handlers: ErrorHandlers;
  readonly #deadLetters: DeadLetters;

  constructor(task: StreamTask, handlers: ErrorHandlers, deadLetters: DeadLetters) {
    this.#task = task;
    this.#handlers = handlers;
    this.#deadLetters = deadLetters;
  }

  #context(node: string, input: Pick<InputRecord, 'topic' | 'partition' | 'offset'>): FailureContext {
    const { applicationId, id: taskId } = this.#task;
    return {
      applicationId,
      taskId,
      node,
      topic: input.topic,
      partition: input.partition,
      offset: input.offset,
    };
  }

  #settle(response: HandlerResponse, context: FailureContext, input: InputRecord, cause: StreamsError): void {
    if (response === 'fail') throw cause;
    if (response === 'continue') {
      this.#task.metrics.dropped += 1;
      return;
    }
    this.#task.metrics.deadLettered += 1;
    this.#deadLetters(
      Math.max(0, input.timestamp),
      input.key,
      input.value,
      deadLetterHeaders(input.headers, context, cause),
    );
  }

  deserialization(node: string, input: InputRecord, cause: unknown): void {
    const context = this.#context(node, input);
    const place = `${input.topic}-${input.partition}@${input.offset}`;
    const error = new StreamsError(
      'STREAMS_DESERIALIZATION',
      `${context.applicationId}: record ${place} cannot be decoded`,
      { cause },
    );
    this.#settle(this.#handlers.deserialization(context, error), context, input, error);
  }

  /**
   * A processor that threw may have written to stores and forwarded already: only the handler can know that going on is sound.
   * @throws StreamsError STREAMS_PROCESSING where the handler says fail; LogError LOG_ROLLED_BACK as it came
   */
  processing(node: string, input: InputRecord, cause: unknown): void {
    if (isRollback(cause)) throw cause;
    // What failed further down was treated there; it comes here only to stop the application.
    if (
      cause instanceof StreamsError &&
      (cause.code === 'STREAMS_SERIALIZATION' || cause.code === 'STREAMS_PROCESSING')
    )
      throw cause;
    const context = this.#context(node, input);
    const place = `${input.topic}-${input.partition}@${input.offset}`;
    const error = new StreamsError(
      'STREAMS_PROCESSING',
      `${context.applicationId}: processor ${node} failed on record ${place}`,
      { cause },
    );
    this.#settle(this.#handlers.processing(context, error), context, input, error);
  }

  /** @throws StreamsError STREAMS_SERIALIZATION where the handler says fail; LogError LOG_ROLLED_BACK as it came */
  production(
    node: string,
    topic: string,
    record: AnyRecord,
    input: InputRecord | null,
    cause: unknown,
  ): void {
    if (isRollback(cause)) throw cause;
    const source = input ?? {
      topic,
      partition: this.#task.partition,
      offset: -1,
      timestamp: record.timestamp,
      key: null,
      value: null,
      headers: NO_HEADERS,
    };
    const context = this.#context(node, source);
    const error = new StreamsError(
      'STREAMS_SERIALIZATION',
      `${context.applicationId}: sink ${node} cannot write to ${topic}`,
      { cause },
    );
    this.#settle(this.#handlers.production(context, error), context, source, error);
  }
}
