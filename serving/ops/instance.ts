import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const FILE = 'instance.json';
const TOKEN_BYTES = 32;

const contents = z.object({
  format: z.literal(1),
  pid: z.number().int().positive(),
  url: z.url(),
  token: z.string().min(32),
  version: z.string(),
  startedAt: z.string(),
});

/** Where a running instance is reached by the tools of its operator, and what they show it. */
export type Instance = z.infer<typeof contents>;

/** A token nobody can guess, new at each start. */
export function newOperatorToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/** Whether a token is the right one, in a time that does not depend on how much of it is. */
export function sameToken(given: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(right));
}

/** The host by which the instance is reached from its own machine. */
function localUrl(url: string): string {
  const parsed = new URL(url);
  if (parsed.hostname === '0.0.0.0') parsed.hostname = '127.0.0.1';
  if (parsed.hostname === '[::]') parsed.hostname = '[::1]';
  return parsed.origin;
}

/**
 * Tells the tools on this machine where the instance listens, in a file of the data directory that only its owner may read.
 * @returns removes the file, unless another instance has taken its place
 */
export function publishInstance(
  dataDirectory: string,
  instance: {
    readonly url: string;
    readonly token: string;
    readonly version: string;
    readonly nowMs: number;
  },
): () => void {
  const path = join(dataDirectory, FILE);
  const published: Instance = {
    format: 1,
    pid: process.pid,
    url: localUrl(instance.url),
    token: instance.token,
    version: instance.version,
    startedAt: new Date(instance.nowMs).toISOString(),
  };
  const draft = `${path}.draft`;
  rmSync(draft, { force: true });
  writeFileSync(draft, `${JSON.stringify(published)}\n`, { mode: 0o600 });
  renameSync(draft, path);
  return () => {
    if (readInstance(dataDirectory)?.token === instance.token) rmSync(path, { force: true });
  };
}

/** What the file says; null where there is none, or it is none of ours. It may be of an instance that was killed. */
export function readInstance(dataDirectory: string): Instance | null {
  try {
    return contents.parse(JSON.parse(readFileSync(join(dataDirectory, FILE), 'utf8')));
  } catch {
    return null;
  }
}
