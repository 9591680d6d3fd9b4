/** Refusals of the live streams, in the codes of the API. */
export const REALTIME_ERRORS = {
  UNAUTHORIZED: { code: 40110000, message: 'request is not authorized' },
  PARAMETER: { code: 40010001, message: 'a parameter is missing or invalid' },
  TOO_MANY_SYMBOLS: { code: 42210000, message: 'too many symbols for one connection' },
  NOT_RETAINED: { code: 41010000, message: 'updates from that sequence on are no longer kept' },
  SEQUENCE_AHEAD: { code: 42210000, message: 'the sequence is ahead of the newest update' },
  RATE_LIMIT: { code: 42910000, message: 'rate limit exceeded' },
  TOO_MANY_CONNECTIONS: { code: 42910000, message: 'connection limit exceeded' },
  SLOW_CLIENT: { code: 40810000, message: 'the client reads too slowly' },
  SHUTTING_DOWN: { code: 50310000, message: 'the server is shutting down' },
  INTERNAL: { code: 50010000, message: 'internal server error' },
} as const;

export type RealtimeErrorName = keyof typeof REALTIME_ERRORS;

/** A refusal: its name in the catalogue, with a message of its own where one says more. */
export class RealtimeError extends Error {
  readonly code: number;

  constructor(name: RealtimeErrorName, message?: string, options?: { readonly cause?: unknown }) {
    super(message ?? REALTIME_ERRORS[name].message, options);
    this.name = 'RealtimeError';
    this.code = REALTIME_ERRORS[name].code;
  }
}
