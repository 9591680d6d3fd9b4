import { z } from 'zod';
import { SERVING_ERRORS, ServingError, type ServingErrorCode } from '../errors.ts';
import { describeError } from '../log.ts';
import type { OperatorAccess, VerifyRequest } from './access.ts';
import type { Instance } from './instance.ts';
import type { VerificationProgress, VerificationReport } from './invariants/verify.ts';
import type { EntryView, ScanOptions, StoreSummary } from './stores.ts';
import type { RecordView, TailOptions, TopicSummary } from './topics.ts';

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

  async #json<T>(path: string): Promise<T> {
    return (await (await this.#request(path)).json()) as T;
  }

  /** Values of JSON lines, as they come. */
  async *#lines<T>(path: string, init: RequestInit = {}): AsyncGenerator<T, void> {
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
          yield parsed.value as T;
        }
      }
    } catch (cause) {
      if (init.signal?.aborted === true) return;
      throw cause instanceof ServingError ? cause : this.#lost(cause);
    }
    if (text !== '') throw this.#lost('its answer is cut off');
  }

  topics(): Promise<readonly TopicSummary[]> {
    return this.#json('/topics');
  }

  tail(topic: string, options: TailOptions, signal: AbortSignal): AsyncIterable<RecordView> {
    const query = queryOf({ ...options, from: String(options.from), follow: String(options.follow) });
    return this.#lines(`/topics/${encodeURIComponent(topic)}/records${query}`, { signal });
  }

  stores(countAll: boolean): Promise<readonly StoreSummary[]> {
    return this.#json(`/stores${queryOf({ count: String(countAll) })}`);
  }

  entries(application: string, store: string, key: string): Promise<readonly EntryView[]> {
    return this.#json(
      `/stores/${encodeURIComponent(application)}/${encodeURIComponent(store)}/entry${queryOf({ key })}`,
    );
  }

  scan(application: string, store: string, options: ScanOptions): AsyncIterable<EntryView> {
    const path = `/stores/${encodeURIComponent(application)}/${encodeURIComponent(store)}/entries`;
    return this.#lines(`${path}${queryOf({ ...options })}`);
  }

  async verify(
    request: VerifyRequest,
    onProgress: (progress: VerificationProgress) => void,
  ): Promise<VerificationReport> {
    const lines = this.#lines<{ progress?: VerificationProgress; report?: VerificationReport }>('/verify', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
    for await (const { progress, report } of lines) {
      if (progress !== undefined) onProgress(progress);
      if (report !== undefined) return report;
    }
    throw this.#lost('its answer has no report');
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
