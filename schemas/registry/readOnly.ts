import { SchemaError } from '../errors.ts';
import type { RegisteredSchema, SchemaRegistry } from './registry.ts';

/** Ids for schemas that are not registered: beyond any a registry gives. */
const FIRST_OWN_ID = 0x7000_0000;

/**
 * The versions that were registered, and no way to add one: for tools that read what another process wrote. A schema that is not among them
 * gets an id of its own, which stands on no record.
 */
export class ReadOnlySchemaRegistry implements SchemaRegistry {
  readonly #versions: readonly RegisteredSchema[];
  readonly #own = new Map<string, number>();

  constructor(versions: readonly RegisteredSchema[]) {
    this.#versions = versions;
  }

  async register(subject: string, schema: string): Promise<number> {
    const known =
      this.#versions.find((version) => version.subject === subject && version.schema === schema) ??
      this.#versions.find((version) => version.schema === schema);
    if (known !== undefined) return known.id;
    const own = this.#own.get(schema) ?? FIRST_OWN_ID + this.#own.size;
    this.#own.set(schema, own);
    return own;
  }

  async getById(id: number): Promise<string> {
    const found = this.#versions.find((version) => version.id === id);
    if (found === undefined) throw new SchemaError('SCHEMA_UNKNOWN_ID', `schema id ${id} is not registered`);
    return found.schema;
  }

  async latest(subject: string): Promise<RegisteredSchema | null> {
    return this.#versions.filter((version) => version.subject === subject).at(-1) ?? null;
  }

  async subjects(): Promise<readonly string[]> {
    return [...new Set(this.#versions.map(({ subject }) => subject))].sort();
  }

  async all(): Promise<readonly RegisteredSchema[]> {
    return this.#versions;
  }
}
