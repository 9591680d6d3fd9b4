import { randomUUID } from 'node:crypto';
import { stringSerde } from '../../stores/serdes.ts';
import type { LogEngine, LogProducer } from '../../streams/log/log.ts';
import { changeProblems } from '../compatibility.ts';
import { SchemaError } from '../errors.ts';
import type { RegisteredSchema, SchemaRegistry } from './registry.ts';

/** The topic the registry is kept on: a record a version, in order of registration. */
export const SCHEMAS_TOPIC = '_schemas';
const READ_CHUNK = 500;

/** How often a registration is begun again where another process was quicker. */
const TRIES_MAX = 50;

/**
 * A registry on the log itself. Ids are given in order of registration, from 1. Several processes may register at a time: what comes first in
 * the log holds, for all who read it, and who comes too late for its number takes the next.
 */
export class EmbeddedSchemaRegistry implements SchemaRegistry {
  readonly #engine: LogEngine;
  readonly #producer: LogProducer;
  /** Ends the keys of this process. The topic is compacted by key: no record of one process may take the place of another's. */
  readonly #writer: string;
  readonly #versions: RegisteredSchema[] = [];
  #nextOffset = 0;
  #reading: Promise<void> = Promise.resolve();

  private constructor(engine: LogEngine) {
    this.#engine = engine;
    this.#producer = engine.createProducer();
    this.#writer = engine.kind === 'embedded' ? '' : `/${randomUUID()}`;
  }

  /** Makes the topic where it is missing and reads what it holds. */
  static async open(engine: LogEngine): Promise<EmbeddedSchemaRegistry> {
    await engine.admin.createTopics([
      { name: SCHEMAS_TOPIC, partitions: 1, retentionMs: null, cleanupPolicy: 'compact' },
    ]);
    const registry = new EmbeddedSchemaRegistry(engine);
    await registry.#catchUp();
    return registry;
  }

  async register(subject: string, schema: string): Promise<number> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const known = this.#find(subject, schema);
      if (known !== undefined) return known.id;
      // Before the comparison: the newest version may be another process's.
      if (tries === 0) await this.#catchUp();
      else await this.#write(subject, schema);
    }
    throw new SchemaError(
      'SCHEMA_REGISTRY',
      `the schema of ${subject} could not be registered: other processes register all the time; try again`,
    );
  }

  #find(subject: string, schema: string): RegisteredSchema | undefined {
    return this.#versions.find((version) => version.subject === subject && version.schema === schema);
  }

  /** Writes what would be the next version, and reads whether it came to be that. */
  async #write(subject: string, schema: string): Promise<void> {
    const newest = this.#newest(subject);
    refuseIncompatible(subject, schema, newest?.schema ?? null);
    const same = this.#versions.find((version) => version.schema === schema);
    const id = same?.id ?? this.#versions.reduce((highest, version) => Math.max(highest, version.id), 0) + 1;
    const version: RegisteredSchema = { id, subject, version: (newest?.version ?? 0) + 1, schema };
    await this.#producer.send([
      {
        topic: SCHEMAS_TOPIC,
        key: stringSerde.serialize(SCHEMAS_TOPIC, `${subject}/${version.version}${this.#writer}`),
        value: stringSerde.serialize(SCHEMAS_TOPIC, JSON.stringify(version)),
        // The registry's order is its offsets; a fixed time keeps a replay byte-identical.
        timestamp: 0,
      },
    ]);
    await this.#catchUp();
  }

  /** Reads what came since, one reading at a time. */
  #catchUp(): Promise<void> {
    const reading = this.#reading.catch(() => undefined).then(() => this.#read());
    this.#reading = reading;
    return reading;
  }

  async #read(): Promise<void> {
    for (;;) {
      const records = await this.#engine.reader.read(
        { topic: SCHEMAS_TOPIC, partition: 0 },
        this.#nextOffset,
        READ_CHUNK,
      );
      const last = records[records.length - 1];
      if (last === undefined) return;
      for (const { value } of records) {
        if (value !== null) this.#accept(JSON.parse(value.toString('utf8')) as RegisteredSchema);
      }
      this.#nextOffset = last.offset + 1;
    }
  }

  /** All readers come to the same: a record whose number or id was given before it counts for nothing. */
  #accept(found: RegisteredSchema): void {
    const taken = this.#versions.some(
      ({ id, subject, version, schema }) =>
        (subject === found.subject && (version === found.version || schema === found.schema)) ||
        (id === found.id) !== (schema === found.schema),
    );
    if (!taken) this.#versions.push(found);
  }

  #newest(subject: string): RegisteredSchema | null {
    return this.#versions.filter((version) => version.subject === subject).at(-1) ?? null;
  }

  async getById(id: number): Promise<string> {
    const byId = (): RegisteredSchema | undefined => this.#versions.find((version) => version.id === id);
    let found = byId();
    if (found === undefined) {
      await this.#catchUp();
      found = byId();
    }
    if (found === undefined) throw new SchemaError('SCHEMA_UNKNOWN_ID', `schema id ${id} is not registered`);
    return found.schema;
  }

  async latest(subject: string): Promise<RegisteredSchema | null> {
    await this.#catchUp();
    return this.#newest(subject);
  }

  async subjects(): Promise<readonly string[]> {
    await this.#catchUp();
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
