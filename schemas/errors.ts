/** The errors of schemas and their registry, each with what it means. */
export const SCHEMA_ERRORS = {
  SCHEMA_UNKNOWN: 'no schema of that name or subject',
  SCHEMA_UNKNOWN_ID: 'the bytes name a schema id that the registry does not have',
  SCHEMA_BAD_MAGIC: 'the bytes are not in the Confluent wire format',
  SCHEMA_MALFORMED: 'the bytes do not fit their schema',
  SCHEMA_INCOMPATIBLE: 'a schema changed in a way that readers or writers of older records cannot follow',
  SCHEMA_REGISTRY: 'the registry cannot be reached or refuses',
} as const;

export type SchemaErrorCode = keyof typeof SCHEMA_ERRORS;

export class SchemaError extends Error {
  readonly code: SchemaErrorCode;

  constructor(code: SchemaErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'SchemaError';
    this.code = code;
  }
}
