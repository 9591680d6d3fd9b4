/** Every way a log engine can fail, as a stable code. */
export type LogErrorCode =
  | 'LOG_UNKNOWN_TOPIC'
  | 'LOG_UNKNOWN_PARTITION'
  | 'LOG_INVALID_TOPIC'
  | 'LOG_TOPIC_DIFFERS'
  | 'LOG_INVALID_RECORD'
  | 'LOG_RECORD_TOO_LARGE'
  | 'LOG_RECORD_CORRUPT'
  | 'LOG_COMPRESSION_UNSUPPORTED'
  | 'LOG_BACKPRESSURE'
  | 'LOG_ROLLED_BACK'
  | 'LOG_IO'
  | 'LOG_CLOSED'
  | 'LOG_STORE_IN_USE'
  | 'LOG_STORE_NOT_HERE'
  | 'LOG_STORE_RESTORING'
  | 'LOG_PARTICIPANT_ATTACHED'
  | 'LOG_VERSION_NEWER'
  | 'LOG_DIRECTORY_IN_USE'
  | 'LOG_DIRECTORY_FOREIGN'
  | 'LOG_DIRECTORY_DAMAGED'
  | 'LOG_UNREACHABLE'
  | 'LOG_UNAUTHORIZED'
  | 'LOG_UNTRUSTED'
  | 'LOG_BROKER_UNSUPPORTED'
  | 'LOG_TOO_FEW_REPLICAS'
  | 'LOG_FENCED'
  | 'LOG_OFFSET_OUT_OF_RANGE'
  | 'LOG_NO_STATE'
  | 'LOG_KAFKA_CLIENT_MISSING';

/** What the log throws and rejects with. The message is one line that an operator can act on; `cause` keeps what was below. */
export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogErrorCode;

  constructor(code: LogErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** The message of anything thrown. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
