import type { Session } from './session.ts';

/** An answer of the API other than success, or none. */
export class ApiFailure extends Error {
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  /** What the answer says besides its message: buying power and cost, shares available ... */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, message: string, details: Readonly<Record<string, unknown>>, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ApiFailure';
    this.status = status;
    this.details = details;
  }
}

const TIMEOUT_MS = 15_000;

/** Calls of the REST API in the name of whoever is signed in. */
export class Api {
  readonly #session: Session;
  readonly #onExpired: () => void;

  /** @param onExpired called when the server does not know the session and it could not be opened again */
  constructor(session: Session, onExpired: () => void) {
    this.#session = session;
    this.#onExpired = onExpired;
  }

  get<T>(path: string): Promise<T> {
    return this.#call<T>('GET', path);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.#call<T>('POST', path, body);
  }

  delete<T>(path: string): Promise<T> {
    return this.#call<T>('DELETE', path);
  }

  /** @throws ApiFailure */
  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.#fetch(method, path, body);
    // A call that was not authorized did nothing, so it can be made again.
    if (response.status !== 401) return read<T>(response);
    if (await this.#renew()) return read<T>(await this.#fetch(method, path, body));
    this.#onExpired();
    return read<T>(response);
  }

  async #renew(): Promise<boolean> {
    try {
      return await this.#session.renew();
    } catch (cause) {
      throw new ApiFailure(0, 'The server cannot be reached', {}, cause);
    }
  }

  async #fetch(method: string, path: string, body: unknown): Promise<Response> {
    const { token } = this.#session;
    try {
      return await fetch(path, {
        method,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (cause) {
      throw new ApiFailure(0, 'The server cannot be reached', {}, cause);
    }
  }
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text().catch((cause: unknown) => {
    throw new ApiFailure(0, 'The answer broke off', {}, cause);
  });
  let body: unknown;
  try {
    body = text === '' ? undefined : JSON.parse(text);
  } catch (cause) {
    throw new ApiFailure(response.status, `The server answered ${response.status}`, {}, cause);
  }
  if (response.ok) return body as T;
  const { message, ...details } = (body ?? {}) as Readonly<Record<string, unknown>>;
  throw new ApiFailure(response.status, typeof message === 'string' ? message : response.statusText, details);
}
