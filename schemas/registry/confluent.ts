import { SchemaError } from '../errors.ts';
import { refuseIncompatible } from './embedded.ts';
import type { RegisteredSchema, SchemaRegistry } from './registry.ts';

const TIMEOUT_MS = 10_000;
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';
/** What a new schema of a subject must be to the one before, as far as the registry judges it beside us. */
const COMPATIBILITY = 'BACKWARD';
/** The registry's answer where another process is registering the same at that moment, and where a schema may not follow. */
const CONFLICT = 409;
/** How often a registration is begun again after that answer, with waits of 50 ms, 100 ms and so on between. */
const TRIES_MAX = 6;
const FIRST_WAIT_MS = 50;

/** An answer of a registry that is no success. */
class Refusal extends Error {
  readonly status: number;

  constructor(what: string, status: number, body: string) {
    super(`${what}: ${status}${body === '' ? '' : `, ${body}`}`);
    this.status = status;
  }
}

function statusOf(error: unknown): number | null {
  return error instanceof Refusal ? error.status : null;
}

/** What a registry says is wrong, in one line. */
function reasonOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown };
    if (typeof message === 'string') return message.replace(/\s+/g, ' ');
  } catch {
    // Not from the registry itself: a page of a proxy, of which the status says enough.
  }
  return '';
}

/** A registry that speaks Confluent's REST protocol. */
export class ConfluentSchemaRegistry implements SchemaRegistry {
  /** Without a user and password, as errors show it. */
  readonly #host: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param host base URL, as in http://127.0.0.1:8081 or http://user:password@127.0.0.1:8080/apis/ccompat/v7 */
  constructor(host: string) {
    const url = new URL(host);
    const { username, password } = url;
    url.username = '';
    url.password = '';
    this.#host = url.href.replace(/\/$/, '');
    const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.#headers = {
      'content-type': CONTENT_TYPE,
      ...(username === '' ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` }),
    };
  }

  async #call<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (cause) {
      if (cause instanceof SchemaError) throw cause;
      throw new SchemaError('SCHEMA_REGISTRY', `${what} at ${this.#host} failed`, { cause });
    }
  }

  async #ask<T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#host}${path}`, {
      method,
      headers: this.#headers,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Refusal(`${method} ${path}`, response.status, reasonOf(text));
    return JSON.parse(text) as T;
  }

  #get<T>(path: string): Promise<T> {
    return this.#ask<T>('GET', path);
  }

  async register(subject: string, schema: string): Promise<number> {
    for (let tries = 1; ; tries++) {
      const newest = await this.latest(subject);
      if (newest?.schema === schema) return newest.id;
      refuseIncompatible(subject, schema, newest?.schema ?? null);
      try {
        return await this.#register(subject, schema, newest === null);
      } catch (cause) {
        // Processes of a deployment that start together register the same: who comes second finds it there.
        if (statusOf(cause) !== CONFLICT || tries === TRIES_MAX)
          throw new SchemaError('SCHEMA_REGISTRY', `registering ${subject} at ${this.#host} failed`, {
            cause,
          });
        await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** (tries - 1)));
      }
    }
  }

  /** A subject that has a setting for compatibility keeps it; a new one gets ours, after its first version, as not all registries take it before. */
  async #register(subject: string, schema: string, isFirst: boolean): Promise<number> {
    const name = encodeURIComponent(subject);
    const { id } = await this.#ask<{ readonly id: number }>('POST', `/subjects/${name}/versions`, { schema });
    if (isFirst) await this.#ask('PUT', `/config/${name}`, { compatibility: COMPATIBILITY });
    return id;
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
