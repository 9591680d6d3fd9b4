import { z } from 'zod';
import { SERVING_ERRORS, ServingError, type ServingErrorCode } from '../errors.ts';
import { describeError } from '../log.ts';
import type { OperatorAccess, VerifyRequest } from './access.ts';
import type { Instance } from './instance.ts';
import type { VerificationProgress, VerificationReport } from './invariants/verify.ts';
import type { Operation } from './operation.ts';
import { placeText } from './place.ts';
import type { EntryView, ScanOptions, StoreSummary } from './stores.ts';
import type { RecordView, TailOptions, TopicSummary } from './topics.ts';
import { entryView, recordView, storeSummary, topicSummary, verifyLine } from './wire.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const failure = z.object({ code: z.string(), message: z.string() });
const line = z.union([z.object({ value: z.unknown() }), z.object({ error: failure })]);

function toError({ code, message }: z.infer<typeof failure>): ServingError {
  return new ServingError(
    code in SERVING_ERRORS ? (code as ServingErrorCode) : 'SERVING_UNREACHABLE',
    message,
  );
}

/** Asks a running instance over its HTTP server. */
export class RemoteAccess implements OperatorAccess {
  readonly mode = 'running';
  readonly #instance: Instance;

  private constructor(instance: Instance) {
    this.#instance = instance;
  }

  /** The access to an instance; null where nothing answers there, or another one does: the file is a left-over. */
  static async connect(instance: Instance): Promise<RemoteAccess | null> {
    const access = new RemoteAccess(instance);
    try {
      const response = await access.#fetch('/instance', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) });
      await response.body?.cancel();
      return response.ok ? access : null;
    } catch {
      return null;
    }
  }

  #fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.#instance.url}/ops${path}`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${this.#instance.token}` },
    });
  }

  async #request(path: string, init: RequestInit = {}): Promise<Response> {
    let response: Response;
    try {
      response = await this.#fetch(path, init);
    } catch (cause) {
      if (init.signal?.aborted === true) throw cause;
      throw this.#lost(cause);
    }
    if (response.ok) return response;
    const body = failure.safeParse(await response.json().catch(() => null));
    throw body.success ? toError(body.data) : this.#lost(`${path} was answered with ${response.status}`);
  }

  #lost(cause: unknown): ServingError {
    const { pid, url } = this.#instance;
    return new ServingError(
      'SERVING_UNREACHABLE',
      `the instance at ${url} (process ${pid}) does not answer any more: ${describeError(cause)}`,
      { cause },
    );
  }

  async #json<T>(path: string, answer: z.ZodType<T>): Promise<T> {
    const parsed = answer.safeParse(await (await this.#request(path)).json());
    if (parsed.success) return parsed.data;
    throw this.#strange(path, parsed.error);
  }

  /** The instance is of another version, or none of ours. */
  #strange(path: string, error: z.ZodError): ServingError {
    const issue = error.issues[0];
    return new ServingError(
      'SERVING_UNREACHABLE',
      `the instance at ${this.#instance.url} (version ${this.#instance.version}) answers ${path} as this version does not: ${issue?.path.join('.') || 'answer'}: ${issue?.message ?? ''}; use the program of its version`,
      { cause: error },
    );
  }

  /** Values of JSON lines, as they come. */
  async *#lines<T>(path: string, value: z.ZodType<T>, init: RequestInit = {}): AsyncGenerator<T, void> {
    const response = await this.#request(path, init);
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const chunk of response.body ?? []) {
        text += decoder.decode(chunk as Uint8Array, { stream: true });
        const lines = text.split('\n');
        text = lines.pop() ?? '';
        for (const each of lines) {
          if (each === '') continue;
          const parsed = line.parse(JSON.parse(each));
          if ('error' in parsed) throw toError(parsed.error);
          const checked = value.safeParse(parsed.value);
          if (!checked.success) throw this.#strange(path, checked.error);
          yield checked.data;
        }
      }
    } catch (cause) {
      if (init.signal?.aborted === true) return;
      throw cause instanceof ServingError ? cause : this.#lost(cause);
    }
    if (text !== '') throw this.#lost('its answer is cut off');
  }

  #post<T>(path: string, value: z.ZodType<T>, body: unknown, signal?: AbortSignal): AsyncGenerator<T, void> {
    return this.#lines(path, value, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  topics(): Promise<readonly TopicSummary[]> {
    return this.#json('/topics', z.array(topicSummary));
  }

  tail(topic: string, options: TailOptions, signal: AbortSignal): AsyncIterable<RecordView> {
    const query = queryOf({ ...options, from: placeText(options.from), follow: String(options.follow) });
    return this.#lines(`/topics/${encodeURIComponent(topic)}/records${query}`, recordView, { signal });
  }

  stores(countAll: boolean): Promise<readonly StoreSummary[]> {
    return this.#json(`/stores${queryOf({ count: String(countAll) })}`, z.array(storeSummary));
  }

  entries(application: string, store: string, key: string): Promise<readonly EntryView[]> {
    return this.#json(
      `/stores/${encodeURIComponent(application)}/${encodeURIComponent(store)}/entry${queryOf({ key })}`,
      z.array(entryView),
    );
  }

  scan(application: string, store: string, options: ScanOptions): AsyncIterable<EntryView> {
    const path = `/stores/${encodeURIComponent(application)}/${encodeURIComponent(store)}/entries`;
    return this.#lines(`${path}${queryOf({ ...options, limit: options.limit ?? 'all' })}`, entryView);
  }

  async verify(
    request: VerifyRequest,
    onProgress: (progress: VerificationProgress) => void,
  ): Promise<VerificationReport> {
    for await (const told of this.#post('/verify', verifyLine, request)) {
      if ('progress' in told) onProgress(told.progress);
      else return told.report;
    }
    throw this.#lost('its answer has no report');
  }

  run<P, R>(operation: Operation<P, R>, params: P, signal?: AbortSignal): AsyncIterable<R> {
    return this.#post(`/operations/${operation.name}`, operation.line, params, signal);
  }

  /** An address that signs in at the page of the topologies once. */
  async pageUrl(): Promise<string> {
    const response = await this.#request('/codes', { method: 'POST' });
    const { code } = z.object({ code: z.string() }).parse(await response.json());
    return `${this.#instance.url}/ops#code=${code}`;
  }

  async close(): Promise<void> {
    // Each request closes by itself.
  }
}

function queryOf(options: Readonly<Record<string, string | number | boolean | null>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) if (value !== null) query.set(name, String(value));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
