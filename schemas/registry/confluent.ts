import {
  COMPATIBILITY,
  SchemaRegistry as ConfluentClient,
  SchemaType,
} from '@kafkajs/confluent-schema-registry';
import { SchemaError } from '../errors.ts';
import { refuseIncompatible } from './embedded.ts';
import type { RegisteredSchema, SchemaRegistry } from './registry.ts';

const TIMEOUT_MS = 10_000;
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
  return typeof error === 'object' && error !== null && 'status' in error && typeof error.status === 'number'
    ? error.status
    : null;
}

/** Whether another process was seen half way through registering the same. */
function isInBetween(error: unknown): boolean {
  return (
    statusOf(error) === CONFLICT ||
    (error instanceof Error && /^Compatibility does not match/.test(error.message))
  );
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
  readonly #client: ConfluentClient;

  /** @param host base URL, as in http://127.0.0.1:8081 or http://user:password@127.0.0.1:8080/apis/ccompat/v7 */
  constructor(host: string) {
    const url = new URL(host);
    const { username, password } = url;
    url.username = '';
    url.password = '';
    this.#host = url.href.replace(/\/$/, '');
    const auth =
      username === ''
        ? null
        : { username: decodeURIComponent(username), password: decodeURIComponent(password) };
    const login = auth === null ? '' : Buffer.from(`${auth.username}:${auth.password}`).toString('base64');
    this.#headers = auth === null ? {} : { authorization: `Basic ${login}` };
    this.#client = new ConfluentClient({
      host: this.#host,
      retry: { retries: 2, initialRetryTimeInSecs: 0.2 },
      ...(auth === null ? {} : { auth }),
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
    const response = await fetch(`${this.#host}${path}`, {
      headers: this.#headers,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Refusal(`GET ${path}`, response.status, reasonOf(text));
    return JSON.parse(text) as T;
  }

  async register(subject: string, schema: string): Promise<number> {
    for (let tries = 1; ; tries++) {
      const newest = await this.latest(subject);
      if (newest?.schema === schema) return newest.id;
      refuseIncompatible(subject, schema, newest?.schema ?? null);
      try {
        return await this.#register(subject, schema);
      } catch (cause) {
        // Processes of a deployment that start together register the same: who comes second finds it there.
        if (!isInBetween(cause) || tries === TRIES_MAX)
          throw new SchemaError('SCHEMA_REGISTRY', `registering ${subject} at ${this.#host} failed`, {
            cause,
          });
        await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** (tries - 1)));
      }
    }
  }

  async #register(subject: string, schema: string): Promise<number> {
    const compatibility = await this.#compatibilityOf(subject);
    const { id } = await this.#client.register({ type: SchemaType.AVRO, schema }, { subject, compatibility });
    return id;
  }

  /** What a new schema of a subject must be to the one before: a setting that is there is kept, a new subject gets ours. */
  async #compatibilityOf(subject: string): Promise<COMPATIBILITY> {
    try {
      const path = `/config/${encodeURIComponent(subject)}`;
      const { compatibilityLevel } = await this.#get<{ readonly compatibilityLevel: string }>(path);
      return compatibilityLevel.toUpperCase() as COMPATIBILITY;
    } catch (cause) {
      if (statusOf(cause) === 404) return COMPATIBILITY.BACKWARD;
      throw cause;
    }
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
