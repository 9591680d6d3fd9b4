const STORAGE_KEY = 'opentape.session';
/** A session that ends this soon is renewed or given up before a call is made with it. */
const MARGIN_MS = 30_000;

export interface StoredSession {
  readonly token: string;
  readonly keyId: string;
  readonly expiresAtMs: number;
}

interface Keys {
  readonly keyId: string;
  readonly secret: string;
}

/** Why nobody is signed in. */
export type SignInFailure = 'refused' | 'unreachable';

export class SignInError extends Error {
  readonly failure: SignInFailure;

  constructor(failure: SignInFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SignInError';
    this.failure = failure;
  }
}

function readStored(): StoredSession | null {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? 'null');
    if (typeof stored !== 'object' || stored === null) return null;
    const { token, keyId, expiresAtMs } = stored as Partial<StoredSession>;
    return typeof token === 'string' && typeof keyId === 'string' && typeof expiresAtMs === 'number'
      ? { token, keyId, expiresAtMs }
      : null;
  } catch {
    // Storage that is switched off or holds something else: as if nobody had signed in.
    return null;
  }
}

function store(session: StoredSession | null): void {
  try {
    if (session === null) sessionStorage.removeItem(STORAGE_KEY);
    else sessionStorage.setItem(STORAGE_KEY, JSON.stringify(session));
  } catch {
    // Without storage the session lasts as long as the page.
  }
}

/**
 * Who is signed in. The token is kept for the tab (a reload stays signed in); the secret only in this object, so that a session that
 * ends, by time or by a restart of the server, is opened again without asking.
 */
export class Session {
  #current: StoredSession | null = readStored();
  #keys: Keys | null = null;
  #renewing: Promise<boolean> | null = null;

  get current(): StoredSession | null {
    return this.#current;
  }

  get token(): string | null {
    return this.#current?.token ?? null;
  }

  /** Whether the session's time is (nearly) over. */
  get expired(): boolean {
    return this.#current !== null && this.#current.expiresAtMs - MARGIN_MS <= Date.now();
  }

  /** @throws SignInError */
  async signIn(keyId: string, secret: string): Promise<void> {
    this.#current = await openSession({ keyId, secret });
    this.#keys = { keyId, secret };
    store(this.#current);
  }

  /**
   * Opens the session again with the keys that were typed in.
   * @returns false where the page was reloaded since, or the keys are no good any more
   * @throws SignInError where the server cannot be reached
   */
  renew(): Promise<boolean> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  signOut(): void {
    this.#current = null;
    this.#keys = null;
    store(null);
  }

  async #renew(): Promise<boolean> {
    if (this.#keys === null) return false;
    try {
      await this.signIn(this.#keys.keyId, this.#keys.secret);
      return true;
    } catch (error) {
      if (error instanceof SignInError && error.failure === 'refused') return false;
      throw error;
    }
  }
}

async function openSession(keys: Keys): Promise<StoredSession> {
  let response: Response;
  try {
    response = await fetch('/app/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ key: keys.keyId, secret: keys.secret }),
    });
  } catch (cause) {
    throw new SignInError('unreachable', 'The server cannot be reached', { cause });
  }
  if (response.status === 401 || response.status === 403)
    throw new SignInError('refused', 'No account has this key and secret');
  const body = (await response.json().catch(() => null)) as {
    readonly token?: string;
    readonly expires_at?: string;
    readonly message?: string;
  } | null;
  if (!response.ok || body?.token === undefined) {
    const failure = response.status >= 400 && response.status < 500 ? 'refused' : 'unreachable';
    throw new SignInError(failure, body?.message ?? `The server answered ${response.status}`);
  }
  const expiresAtMs = Date.parse(body.expires_at ?? '');
  return {
    token: body.token,
    keyId: keys.keyId,
    expiresAtMs: Number.isNaN(expiresAtMs) ? Number.MAX_SAFE_INTEGER : expiresAtMs,
  };
}
