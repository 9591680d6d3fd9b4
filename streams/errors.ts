/** The errors of the stream runtime, each with what it means. */
export const STREAMS_ERRORS = {
  STREAMS_TOPOLOGY: 'the topology makes no sense as it was declared',
  STREAMS_COPARTITION: 'topics that are joined have different numbers of partitions',
  STREAMS_DESERIALIZATION: 'the bytes of a record could not be decoded',
  STREAMS_SERIALIZATION: 'a result could not be encoded',
  STREAMS_PROCESSING: 'a processor failed on a record, or in a punctuation',
  STREAMS_HANDLER: 'an error handler failed itself, or answered what is no response',
  STREAMS_CHAIN_TOO_LONG: 'one record led to more records than a commit may hold',
  STREAMS_BUFFER_FULL: 'a suppression would hold back more than it may',
  STREAMS_UNKNOWN_STORE: 'no such store, or it is not connected to the processor that asks for it',
  STREAMS_UNKNOWN_APPLICATION: 'no such application runs here',
  STREAMS_STORE_RESTORING: 'the partition of the store is being restored; try again later',
  STREAMS_NO_HOST: 'no process that can be reached hosts the partition of the store at the moment',
  STREAMS_QUERY_TIMEOUT: 'a query was not answered in time',
  STREAMS_STATE: 'the runtime is not in a state that allows this',
} as const;

/** The codes of errors of the runtime. */
export type StreamsErrorCode = keyof typeof STREAMS_ERRORS;

/** An error of the runtime, with its code and a message that names the place and the way out. */
export class StreamsError extends Error {
  readonly code: StreamsErrorCode;

  constructor(code: StreamsErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'StreamsError';
    this.code = code;
  }
}
