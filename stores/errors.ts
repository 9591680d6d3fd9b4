/** The errors of the state stores, each with what it means. */
export const STORE_ERRORS = {
  STORE_LOCKED: 'another process has the directory open',
  STORE_CORRUPT: 'the bytes on disk are damaged',
  STORE_IO: 'the disk refused',
  STORE_ENCODING: 'a key or value could not be encoded',
  STORE_CLOSED: 'the store or its database is closed',
  STORE_ARGUMENT: 'a store was declared or called with something that makes no sense',
} as const;

/** The codes of errors of stores. */
export type StoreErrorCode = keyof typeof STORE_ERRORS;

/** An error of a store, with its code and a message that names the store. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}
