import { SchemaRegistry as ConfluentClient, SchemaType } from '@kafkajs/confluent-schema-registry';
import { SchemaError } from '../errors.ts';
import { refuseIncompatible } from './embedded.ts';
import type { RegisteredSchema, SchemaRegistry } from './registry.ts';

const TIMEOUT_MS = 10_000;

function statusOf(error: unknown): number | null {
  return typeof error === 'object' && error !== null && 'status' in error && typeof error.status === 'number'
    ? error.status
    : null;
}

/** A registry that speaks Confluent's REST protocol. */
export class ConfluentSchemaRegistry implements SchemaRegistry {
  readonly #host: string;
  readonly #client: ConfluentClient;

  /** @param host base URL, as in http://127.0.0.1:8081 or http://127.0.0.1:8080/apis/ccompat/v7 */
  constructor(host: string) {
    this.#host = host.replace(/\/$/, '');
    this.#client = new ConfluentClient({
      host: this.#host,
      retry: { retries: 2, initialRetryTimeInSecs: 0.2 },
    });
  }

  async #call<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (cause) {
      if (cause instanceof SchemaError) throw cause;
      throw new SchemaError('SCHEMA_REGISTRY', `${what} at ${this.#host} failed`, { cause });
    }
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.#host}${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok)
      throw Object.assign(new Error(`GET ${path}: ${response.status}`), { status: response.status });
    return (await response.json()) as T;
  }

  async register(subject: string, schema: string): Promise<number> {
    const newest = await this.latest(subject);
    if (newest?.schema === schema) return newest.id;
    refuseIncompatible(subject, schema, newest?.schema ?? null);
    return this.#call(`registering ${subject}`, async () => {
      const { id } = await this.#client.register({ type: SchemaType.AVRO, schema }, { subject });
      return id;
    });
  }

  async getById(id: number): Promise<string> {
    return this.#call(`schema ${id}`, async () => {
      try {
        return (await this.#get<{ schema: string }>(`/schemas/ids/${id}`)).schema;
      } catch (cause) {
        if (statusOf(cause) === 404)
          throw new SchemaError('SCHEMA_UNKNOWN_ID', `schema id ${id} is not registered`, { cause });
        throw cause;
      }
    });
  }

  async latest(subject: string): Promise<RegisteredSchema | null> {
    return this.#call(`the newest version of ${subject}`, async () => {
      try {
        const { id, version, schema } = await this.#get<RegisteredSchema>(
          `/subjects/${encodeURIComponent(subject)}/versions/latest`,
        );
        return { id, subject, version, schema };
      } catch (cause) {
        if (statusOf(cause) === 404) return null;
        throw cause;
      }
    });
  }

  async subjects(): Promise<readonly string[]> {
    return this.#call('the list of subjects', async () => (await this.#get<string[]>('/subjects')).sort());
  }

  async all(): Promise<readonly RegisteredSchema[]> {
    const found: RegisteredSchema[] = [];
    for (const subject of await this.subjects()) {
      const versions = await this.#call(`versions of ${subject}`, () =>
        this.#get<number[]>(`/subjects/${encodeURIComponent(subject)}/versions`),
      );
      for (const version of versions) {
        const { id, schema } = await this.#call(`${subject} version ${version}`, () =>
          this.#get<RegisteredSchema>(`/subjects/${encodeURIComponent(subject)}/versions/${version}`),
        );
        found.push({ id, subject, version, schema });
      }
    }
    return found;
  }
}
