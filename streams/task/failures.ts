import { StreamsError } from '../errors.ts';
import { LogError } from '../log/errors.ts';
import { type Headers, NO_HEADERS } from '../record.ts';
import {
  deadLetterHeaders,
  type ErrorHandler,
  type ErrorHandlers,
  type FailureContext,
  HANDLER_RESPONSES,
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

/**
 * What stops the application whatever a handler would say: what was decided further down already, and a suppression that was told to fail
 * rather than to grow past its bound.
 */
const FINAL_CODES: ReadonlySet<string> = new Set([
  'STREAMS_SERIALIZATION',
  'STREAMS_PROCESSING',
  'STREAMS_HANDLER',
  'STREAMS_BUFFER_FULL',
]);

function isFinal(cause: unknown): boolean {
  return isRollback(cause) || (cause instanceof StreamsError && FINAL_CODES.has(cause.code));
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

  /** @param input null in a punctuation */
  #context(node: string, input: InputRecord | null): FailureContext {
    const { applicationId, id: taskId } = this.#task;
    const { topic, partition, offset } = input ?? { topic: null, partition: -1, offset: -1 };
    return { applicationId, taskId, node, topic, partition, offset };
  }

  /** @throws StreamsError STREAMS_HANDLER where the handler does not decide; the cause goes along */
  #ask(step: keyof ErrorHandlers, context: FailureContext, error: StreamsError): HandlerResponse {
    const handler: ErrorHandler = this.#handlers[step];
    const place = `${context.applicationId}: the ${step} handler, asked about node ${context.node},`;
    let response: HandlerResponse;
    try {
      response = handler(context, error);
    } catch (cause) {
      throw new StreamsError('STREAMS_HANDLER', `${place} failed itself on: ${error.message}`, { cause });
    }
    if (HANDLER_RESPONSES.includes(response)) return response;
    const known = HANDLER_RESPONSES.map((each) => `'${each}'`).join(', ');
    throw new StreamsError(
      'STREAMS_HANDLER',
      `${place} answered ${JSON.stringify(response) ?? 'undefined'}; let it answer one of ${known}`,
      { cause: error },
    );
  }

  #settle(
    response: HandlerResponse,
    context: FailureContext,
    input: InputRecord | null,
    cause: StreamsError,
  ): void {
    if (response === 'fail') throw cause;
    // Without a record there is nothing to put aside.
    if (response === 'continue' || input === null) {
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
    this.#settle(this.#ask('deserialization', context, error), context, input, error);
  }

  /**
   * A processor that threw may have written to stores and forwarded already: only the handler can know that going on is sound.
   * @throws StreamsError STREAMS_PROCESSING where the handler says fail; what is final as it came
   */
  processing(node: string, input: InputRecord, cause: unknown): void {
    if (isFinal(cause)) throw cause;
    const context = this.#context(node, input);
    const place = `${input.topic}-${input.partition}@${input.offset}`;
    const error = new StreamsError(
      'STREAMS_PROCESSING',
      `${context.applicationId}: processor ${node} failed on record ${place}`,
      { cause },
    );
    this.#settle(this.#ask('processing', context, error), context, input, error);
  }

  /**
   * A punctuation that threw: the processing handler is asked, as in Kafka Streams. There is no record to put aside: whoever does not stop
   * goes on without what was left of the punctuation, until it is due again.
   * @param scheduledBy the node whose punctuation it is @param node the one that failed: it, or one it forwarded to
   * @throws StreamsError STREAMS_PROCESSING where the handler says fail; what is final as it came
   */
  punctuation(scheduledBy: string, node: string, nowMs: number, cause: unknown): void {
    if (isFinal(cause)) throw cause;
    const context = this.#context(node, null);
    const error = new StreamsError(
      'STREAMS_PROCESSING',
      `${context.applicationId}: processor ${node} failed in the punctuation of ${scheduledBy} at ${nowMs} ms`,
      { cause },
    );
    this.#settle(this.#ask('processing', context, error), context, null, error);
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
    // It is processed again, carefully, and fails with its record.
    if (this.#task.flushing && !this.#task.careful) throw cause;
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
    this.#settle(this.#ask('production', context, error), context, source, error);
  }
}
