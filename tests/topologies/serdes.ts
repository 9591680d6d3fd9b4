import { createSerdes } from '../../schemas/avroSerdes.ts';
import type { RegisteredSchema, SchemaRegistry } from '../../schemas/registry/registry.ts';
import type { Serdes } from '../../schemas/serdes.ts';
import { TOPICS } from '../../topologies/topics.ts';

/** A registry that lives as long as the test: one id for each schema text, one version a subject. */
class TestRegistry implements SchemaRegistry {
  readonly #schemas: RegisteredSchema[] = [];

  async register(subject: string, schema: string): Promise<number> {
    const id = this.#schemas.find((known) => known.schema === schema)?.id ?? this.#schemas.length + 1;
    this.#schemas.push({ id, subject, version: 1, schema });
    return id;
  }

  async getById(id: number): Promise<string> {
    return this.#schemas.find((known) => known.id === id)!.schema;
  }

  async latest(subject: string): Promise<RegisteredSchema | null> {
    return this.#schemas.find((known) => known.subject === subject) ?? null;
  }

  async subjects(): Promise<readonly string[]> {
    return this.#schemas.map(({ subject }) => subject);
  }

  async all(): Promise<readonly RegisteredSchema[]> {
    return this.#schemas;
  }
}

/** The real Avro serdes of every topic and store. */
export const SERDES: Serdes = await createSerdes(new TestRegistry(), TOPICS);
