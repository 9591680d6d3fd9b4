/** A version of a subject. */
export interface RegisteredSchema {
  readonly id: number;
  readonly subject: string;
  readonly version: number;
  /** JSON text of the Avro schema. */
  readonly schema: string;
}

/** Where the schemas of the log's records are kept. Ids are unique over all subjects; the same text has the same id. */
export interface SchemaRegistry {
  /**
   * Registers a schema as the newest version of its subject, unless it is registered already, and returns its id.
   * @throws SchemaError SCHEMA_INCOMPATIBLE where it cannot read what the newest version wrote; it names the field
   */
  register(subject: string, schema: string): Promise<number>;
  /** @throws SchemaError SCHEMA_UNKNOWN_ID */
  getById(id: number): Promise<string>;
  /** The newest version, or null where the subject is not there. */
  latest(subject: string): Promise<RegisteredSchema | null>;
  subjects(): Promise<readonly string[]>;
  /** Every schema known so far, for decoding without waiting. */
  all(): Promise<readonly RegisteredSchema[]>;
}
