import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { AccountId } from '../../schemas/ids.ts';
import { ServingError } from '../errors.ts';

const FILE = 'credentials.json';
const SESSION_MINUTES = 60;
const SESSIONS_MAX = 1_000;

const stored = z.object({
  version: z.literal(1),
  keys: z.array(
    z.object({ keyId: z.string(), salt: z.string(), secretHash: z.string(), accountId: z.string() }),
  ),
});

interface Key {
  readonly keyId: string;
  readonly salt: string;
  readonly secretHash: string;
  readonly accountId: string;
}

/** Whoever a request comes from. */
export interface Principal {
  readonly accountId: AccountId;
  /** The key's id, or `session`. */
  readonly actor: string;
}

/** Generated secrets have 240 random bits, and given ones at least sixteen characters: a salted hash without stretching will do. */
function hash(secret: string, salt: string): Buffer {
  return createHash('sha256').update(salt).update('\0').update(secret).digest();
}

function sameBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The API keys, kept hashed in a file that only its owner may read, and short-lived sessions of the page, kept in memory. */
export class Credentials {
  readonly #path: string;
  readonly #wallClock: () => number;
  readonly #sessions = new Map<string, { readonly principal: Principal; readonly untilMs: number }>();
  #keys: Key[];

  private constructor(path: string, keys: Key[], wallClock: () => number) {
    this.#path = path;
    this.#keys = keys;
    this.#wallClock = wallClock;
  }

  /** @throws ServingError SERVING_CREDENTIALS where the file is damaged or cannot be read */
  static open(dataDirectory: string, wallClock: () => number): Credentials {
    const path = join(dataDirectory, FILE);
    if (!existsSync(path)) return new Credentials(path, [], wallClock);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (cause) {
      throw new ServingError(
        'SERVING_CREDENTIALS',
        `${path} cannot be read; start as the user it belongs to`,
        { cause },
      );
    }
    try {
      return new Credentials(path, stored.parse(JSON.parse(text)).keys, wallClock);
    } catch (cause) {
      throw new ServingError(
        'SERVING_CREDENTIALS',
        `${path} is damaged; remove it to have a new demo key made`,
        { cause },
      );
    }
  }

  #save(): void {
    const draft = `${this.#path}.new`;
    writeFileSync(draft, JSON.stringify({ version: 1, keys: this.#keys }, null, 2), {
      mode: 0o600,
      flush: true,
    });
    renameSync(draft, this.#path);
  }

  /** The key of an account, if it has one. */
  keyOf(accountId: AccountId): string | null {
    return this.#keys.find((key) => key.accountId === accountId)?.keyId ?? null;
  }

  /** Gives an account this key and no other. */
  set(accountId: AccountId, keyId: string, secret: string): void {
    const present = this.#keys.find((key) => key.accountId === accountId);
    if (
      present?.keyId === keyId &&
      sameBytes(hash(secret, present.salt), Buffer.from(present.secretHash, 'hex'))
    )
      return;
    const salt = randomBytes(16).toString('hex');
    const key = { keyId, salt, secretHash: hash(secret, salt).toString('hex'), accountId };
    this.#keys = [...this.#keys.filter((each) => each.accountId !== accountId), key];
    this.#save();
  }

  /** Makes a key; the secret is shown once and never again. */
  generate(accountId: AccountId): { readonly keyId: string; readonly secret: string } {
    const keyId = `OT${randomBytes(9).toString('hex').toUpperCase()}`;
    const secret = randomBytes(30).toString('base64url');
    this.set(accountId, keyId, secret);
    return { keyId, secret };
  }

  /** Who has this key and secret; null for nobody. Takes as long for an unknown key as for a wrong secret. */
  authenticate(keyId: string, secret: string): Principal | null {
    const wanted = Buffer.from(keyId);
    const key = this.#keys.find((each) => sameBytes(Buffer.from(each.keyId), wanted));
    const right = sameBytes(hash(secret, key?.salt ?? ''), Buffer.from(key?.secretHash ?? '', 'hex'));
    return key !== undefined && right ? { accountId: key.accountId as AccountId, actor: keyId } : null;
  }

  /** A token that stands for an account for an hour. */
  openSession(accountId: AccountId): { readonly token: string; readonly expiresAtMs: number } {
    const nowMs = this.#wallClock();
    for (const [known, { untilMs }] of this.#sessions)
      if (untilMs <= nowMs || this.#sessions.size >= SESSIONS_MAX) this.#sessions.delete(known);
    const token = randomBytes(32).toString('base64url');
    const expiresAtMs = nowMs + SESSION_MINUTES * 60_000;
    const digest = createHash('sha256').update(token).digest('hex');
    this.#sessions.set(digest, { principal: { accountId, actor: 'session' }, untilMs: expiresAtMs });
    return { token, expiresAtMs };
  }

  /** Looked up by its digest, so that comparing takes the same time for every wrong token. */
  session(token: string): Principal | null {
    const found = this.#sessions.get(createHash('sha256').update(token).digest('hex'));
    return found !== undefined && found.untilMs > this.#wallClock() ? found.principal : null;
  }
}
