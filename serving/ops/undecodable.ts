import { describeError } from '../log.ts';

const HEAD_BYTES = 32;

/** Bytes that are no value of their schema: why, and how they begin. */
export interface Undecodable {
  readonly cause: string;
  readonly bytes: number;
  /** The first bytes, in hexadecimal. */
  readonly head: string;
}

export function undecodable(cause: unknown, bytes: Buffer): Undecodable {
  return {
    cause: describeError(cause),
    bytes: bytes.length,
    head: bytes.subarray(0, HEAD_BYTES).toString('hex'),
  };
}
