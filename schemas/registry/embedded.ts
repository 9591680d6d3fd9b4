import { stringSerde } from '../../stores/serdes.ts';
import type { LogEngine, LogProducer } from '../../streams/log/log.ts';
import { changeProblems } from '../compatibility.ts';
import { SchemaError } from '../errors.ts';
import type { RegisteredSchema, SchemaRegistry } from './registry.ts';

/** The topic the registry is kept on: a record a version, in order of registration. */
export const SCHEMAS_TOPIC = '_schemas';
const READ_CHUNK = 500;

/** A registry on the log itself. Ids are given in order of registration, from 1. One process writes it at a time. */
export class EmbeddedSchemaRegistry implements SchemaRegistry {
  readonly #producer: LogProducer;
  readonly #versions: RegisteredSchema[] = [];

  private constructor(producer: LogProducer) {
    this.#producer = producer;
  }

  /** Makes the topic where it is missing and reads what it holds. */
  static async open(engine: LogEngine): Promise<EmbeddedSchemaRegistry> {
    await engine.admin.createTopics([
      { name: SCHEMAS_TOPIC, partitions: 1, retentionMs: null, cleanupPolicy: 'compact' },
    ]);
    const registry = new EmbeddedSchemaRegistry(engine.createProducer());
    for (let offset = 0; ; ) {
      const records = await engine.reader.read({ topic: SCHEMAS_TOPIC, partition: 0 }, offset, READ_CHUNK);
      const last = records[records.length - 1];
      if (last === undefined) break;
      for (const { value } of records) {
        if (value !== null) registry.#versions.push(JSON.parse(value.toString('utf8')) as RegisteredSchema);
      }
      offset = last.offset + 1;
    }
    return registry;
  }

  async register(subject: string, schema: string): Promise<number> {
    const known = this.#versions.find((version) => version.subject === subject && version.schema === schema);
    if (known !== undefined) return known.id;
    const newest = this.#newest(subject);
    refuseIncompatible(subject, schema, newest?.schema ?? null);
    const same = this.#versions.find((version) => version.schema === schema);
    const id = same?.id ?? this.#versions.reduce((highest, version) => Math.max(highest, version.id), 0) + 1;
    const version: RegisteredSchema = { id, subject, version: (newest?.version ?? 0) + 1, schema };
    await this.#producer.send([
      {
        topic: SCHEMAS_TOPIC,
        key: stringSerde.serialize(SCHEMAS_TOPIC, `${subject}/${version.version}`),
        value: stringSerde.serialize(SCHEMAS_TOPIC, JSON.stringify(version)),
        // The registry's order is its offsets; a fixed time keeps a replay byte-identical.
        timestamp: 0,
      },
    ]);
    this.#versions.push(version);
    return id;
  }

  #newest(subject: string): RegisteredSchema | null {
    return this.#versions.filter((version) => version.subject === subject).at(-1) ?? null;
  }

  async getById(id: number): Promise<string> {
    const found = this.#versions.find((version) => version.id === id);
    if (found === undefined) throw new SchemaError('SCHEMA_UNKNOWN_ID', `schema id ${id} is not registered`);
    return found.schema;
  }

  async latest(subject: string): Promise<RegisteredSchema | null> {
    return this.#newest(subject);
  }

  async subjects(): Promise<readonly string[]> {
    return [...new Set(this.#versions.map(({ subject }) => subject))].sort();
  }

  async all(): Promise<readonly RegisteredSchema[]> {
    return this.#versions;
  }
}

/**
 * @param newest JSON text of the version before, or null
 * @throws SchemaError SCHEMA_INCOMPATIBLE
 */
export function refuseIncompatible(subject: string, schema: string, newest: string | null): void {
  const problems = newest === null ? [] : changeProblems(schema, newest);
  if (problems.length > 0) {
    throw new SchemaError(
      'SCHEMA_INCOMPATIBLE',
      `the schema of ${subject} cannot follow the one that is registered: ${problems.join('; ')}`,
    );
  }
}
