import type { Headers } from '../record.ts';

/** What a handler may answer. */
export const HANDLER_RESPONSES = ['continue', 'fail', 'dead-letter'] as const;

/**
 * What to do about a record that failed: leave it out, stop the application, or put it aside with its cause and go on. In a punctuation there
 * is no record: `dead-letter` goes on as `continue` does, and both count as a dropped record.
 */
export type HandlerResponse = (typeof HANDLER_RESPONSES)[number];

/** Where a record failed. In a punctuation, as in Kafka Streams, the topic is null, and partition and offset are -1. */
export interface FailureContext {
  readonly applicationId: string;
  readonly taskId: string;
  readonly node: string;
  readonly topic: string | null;
  readonly partition: number;
  readonly offset: number;
}

/** Decides what becomes of a record that failed. One that throws, or answers anything else, stops the application (STREAMS_HANDLER). */
export type ErrorHandler = (context: FailureContext, cause: unknown) => HandlerResponse;

/** The handlers of an application, by the step that failed. */
export interface ErrorHandlers {
  /** Bytes that could not be decoded, and timestamps that are no whole milliseconds. Default: dead-letter. */
  readonly deserialization: ErrorHandler;
  /** A processor that threw, on a record or in a punctuation. Default: fail. */
  readonly processing: ErrorHandler;
  /** A result that could not be encoded or is too large. Default: fail. */
  readonly production: ErrorHandler;
}

/** What is done where an application names no handlers: bytes that make no sense are put aside, all else stops it. */
export const DEFAULT_HANDLERS: ErrorHandlers = {
  deserialization: () => 'dead-letter',
  processing: () => 'fail',
  production: () => 'fail',
};

/** The topic that takes what an application put aside. */
export function deadLetterTopic(applicationId: string): string {
  return `${applicationId}.dead-letter`;
}

const MESSAGE_MAX = 1000;
/** What the names of the headers that tell the cause begin with. */
export const ERROR_HEADER_PREFIX = '__streams.errors.';

/** The headers of a dead letter: the record's own, then the cause by the names of Kafka's KIP-1034. */
export function deadLetterHeaders(headers: Headers, context: FailureContext, cause: unknown): Headers {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const root = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  const header = (key: string, value: string) => ({
    key: `${ERROR_HEADER_PREFIX}${key}`,
    value: Buffer.from(value, 'utf8'),
  });
  return [
    ...headers,
    header('exception', code),
    header('message', `${error.message}${root}`.slice(0, MESSAGE_MAX)),
    header('topic', context.topic ?? ''),
    header('partition', String(context.partition)),
    header('offset', String(context.offset)),
    header('application', context.applicationId),
    header('task', context.taskId),
    header('node', context.node),
  ];
}
