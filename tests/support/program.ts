import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './sources.ts';

/** How a run of the program ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const RUN_TIMEOUT_MS = 60_000;

/**
 * Runs `npm start`'s program until it ends by itself.
 * @param settings its whole environment beside PATH
 * @param userId who runs it; left out: whoever runs the tests
 * @param meanwhile what is done to it while it runs
 */
export async function runProgram(
  settings: Readonly<Record<string, string>>,
  userId?: number,
  meanwhile: (child: ChildProcess) => Promise<void> = async () => undefined,
): Promise<Ended> {
  const child = spawn(process.execPath, [`${ROOT}/dist/serving/main.js`], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(userId === undefined ? {} : { uid: userId, gid: userId }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), RUN_TIMEOUT_MS);
  const closed = once(child, 'close');
  await meanwhile(child);
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  return { code, signal, stdout, stderr };
}

/** Every file and folder below a directory with a digest of what is in it. RocksDB's lock file has nothing in it that matters. */
export function fingerprint(directory: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    if (name.endsWith('LOCK')) continue;
    const path = join(directory, name);
    const stat = lstatSync(path);
    const digest = stat.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'folder';
    found[name] = `${stat.mode.toString(8)} ${digest}`;
  }
  return found;
}
