/** The errors of the serving layer, each with what it means. */
export const SERVING_ERRORS = {
  SERVING_CONFIG: 'a setting is missing or wrong',
  SERVING_PORT_IN_USE: 'another process listens on the port',
  SERVING_BUSY: 'more is under way than the process takes on',
  SERVING_OUTCOME_TIMEOUT: 'the outcome of a command did not become known in time',
  SERVING_NOT_FOUND: 'what was asked for is not there',
  SERVING_UNREACHABLE: 'the running instance does not answer',
  SERVING_REPLAY: 'the log cannot be replayed to be compared',
  SERVING_DEAD_LETTER: 'a dead letter cannot be treated as asked',
  SERVING_RESET: 'an application cannot be reset as asked',
  SERVING_REPROCESS: 'an application cannot be built anew as asked',
  SERVING_CREDENTIALS: 'the file of credentials cannot be used',
  SERVING_STORE_ELSEWHERE: 'a store, or part of it, is kept by other processes',
  SERVING_OUTPUT_FILE: 'a file asked for cannot be written',
} as const;

export type ServingErrorCode = keyof typeof SERVING_ERRORS;

export class ServingError extends Error {
  readonly code: ServingErrorCode;

  /** @param message one line that says what is wrong and what would be right */
  constructor(code: ServingErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'ServingError';
    this.code = code;
  }
}
