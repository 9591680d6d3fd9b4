import { ZodError } from 'zod';
import { StreamsError, type StreamsErrorCode } from '../../streams/errors.ts';
import { AmountError } from '../../topologies/domain/errors.ts';
import { isRejectCode, REJECTIONS } from '../../topologies/orders/rejections.ts';
import { ServingError } from '../errors.ts';

/** Errors of the edge itself, in Alpaca's terms; those of commands are in topologies/orders/rejections.ts. */
export const API_ERRORS = {
  UNAUTHORIZED: { status: 401, code: 40110000, message: 'request is not authorized' },
  BAD_JSON: { status: 400, code: 40010000, message: 'request body format is invalid' },
  BAD_REQUEST: { status: 400, code: 40010000, message: 'request is malformed' },
  BODY_TOO_LARGE: { status: 413, code: 41310000, message: 'request body is too large' },
  MEDIA_TYPE: { status: 415, code: 41510000, message: 'request body must be application/json' },
  PARAMETER: { status: 422, code: 40010001, message: 'a parameter is missing or invalid' },
  INVALID: { status: 422, code: 42210000, message: 'a value is invalid' },
  DATA_PARAMETER: { status: 400, code: 40010000, message: 'a parameter is invalid' },
  NOT_FOUND: { status: 404, code: 40410000, message: 'not found' },
  FORBIDDEN: { status: 403, code: 40310000, message: 'forbidden' },
  RATE_LIMIT: { status: 429, code: 42910000, message: 'rate limit exceeded' },
  UNAVAILABLE: { status: 503, code: 50310000, message: 'the log does not take records right now' },
  INTERNAL: { status: 500, code: 50010000, message: 'internal server error' },
} as const;

export type ApiErrorName = keyof typeof API_ERRORS;

/** What an answer says beside code and message. */
export type ApiErrorExtras = Readonly<Record<string, string | readonly string[]>>;

/** An answer other than success: Alpaca's `{code, message, ...}` with its HTTP status. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: number;
  readonly extras: ApiErrorExtras;

  constructor(status: number, code: number, message: string, extras: ApiErrorExtras = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.extras = extras;
  }

  body(): Readonly<Record<string, unknown>> {
    return { code: this.code, message: this.message, ...this.extras };
  }
}

/** An error of the catalogue, with a message of its own where one says more. */
export function apiError(name: ApiErrorName, message?: string, cause?: unknown): ApiError {
  const { status, code, message: usual } = API_ERRORS[name];
  return new ApiError(status, code, message ?? usual, {}, cause);
}

/** What a rejection of the orders application is over HTTP. */
export function rejectionError(
  code: string | null,
  reason: string | null,
  details: Readonly<Record<string, string>>,
): ApiError {
  if (code === null || !isRejectCode(code)) return apiError('INVALID', reason ?? undefined);
  const { status, code: apiCode, message } = REJECTIONS[code];
  return new ApiError(status, apiCode, reason ?? message, details);
}

function statusOf(error: unknown): number | null {
  return typeof error === 'object' &&
    error !== null &&
    'statusCode' in error &&
    typeof error.statusCode === 'number'
    ? error.statusCode
    : null;
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

/** Stores that cannot be read just now: their partition moves from one process to another, or is being restored. */
const PASSING_STREAMS_ERRORS: readonly StreamsErrorCode[] = [
  'STREAMS_STORE_RESTORING',
  'STREAMS_NO_HOST',
  'STREAMS_QUERY_TIMEOUT',
];

/** Whatever was thrown while a request was answered, as an answer. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ZodError) {
    const issue = error.issues[0]!;
    const name = issue.path.join('.');
    return apiError('PARAMETER', name === '' ? issue.message : `${name}: ${issue.message}`);
  }
  if (error instanceof AmountError) return apiError('INVALID', error.message);
  const code = codeOf(error);
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return apiError('BODY_TOO_LARGE');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return apiError('MEDIA_TYPE');
  if (code === 'LOG_BACKPRESSURE' || code === 'LOG_IO' || code === 'LOG_CLOSED')
    return apiError('UNAVAILABLE', undefined, error);
  if (error instanceof StreamsError && PASSING_STREAMS_ERRORS.includes(error.code))
    return apiError('UNAVAILABLE', error.message, error);
  // Not 504: some clients send an order again on it.
  if (error instanceof ServingError && (code === 'SERVING_BUSY' || code === 'SERVING_OUTCOME_TIMEOUT'))
    return apiError('UNAVAILABLE', error.message, error);
  const status = statusOf(error);
  if (code === 'FST_ERR_BAD_URL') return apiError('BAD_REQUEST', undefined, error);
  if (status === 400) return apiError('BAD_JSON', undefined, error);
  if (status !== null && status >= 400 && status < 500)
    return new ApiError(status, status * 100_000, error instanceof Error ? error.message : 'bad request');
  return apiError('INTERNAL', undefined, error);
}
