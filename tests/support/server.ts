import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { ROOT } from './sources.ts';

export const DEMO_KEY = 'DEMOKEYFORTESTS1';
export const DEMO_SECRET = 'demo-secret-for-tests-0123456789';
const START_TIMEOUT_MS = 240_000;

/** A real Opentape server in a process of its own. */
export interface RunningServer {
  readonly url: string;
  readonly process: ChildProcess;
  /** Everything it wrote to standard output and error so far. */
  output(): string;
  /** SIGTERM unless told otherwise, and waits for the end. Resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
}

/**
 * Starts `npm start`'s program on a free port and waits until it says where it listens.
 * @param settings environment variables on top of the demo key and a free port
 */
export async function startServer(settings: Readonly<Record<string, string>>): Promise<RunningServer> {
  const child = spawn(process.execPath, ['--enable-source-maps', `${ROOT}/dist/serving/main.js`], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      OPENTAPE_DEMO_KEY: DEMO_KEY,
      OPENTAPE_DEMO_SECRET: DEMO_SECRET,
      OPENTAPE_RATE_LIMIT_PER_MINUTE: '10000000',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const exited = once(child, 'exit');
  child.stderr.on('data', (chunk) => {
    text += String(chunk);
  });
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the server did not start in time:\n${text}`)),
      START_TIMEOUT_MS,
    );
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      then();
    };
    createInterface({ input: child.stdout }).on('line', (line) => {
      text += `${line}\n`;
      const match = /listens on (http:\/\/\S+)/.exec(line);
      if (match) settle(() => resolve(match[1]!));
    });
    child.once('exit', (code, signal) =>
      settle(() => reject(new Error(`the server ended (${code ?? signal}):\n${text}`))),
    );
  });
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    url,
    process: child,
    output: () => text,
    stop: (signal = 'SIGTERM') => end(signal),
    kill: async () => void (await end('SIGKILL')),
  };
}

/** A call of the REST API with the demo key. Returns the status and the decoded body (undefined when empty). */
export async function call(
  server: { readonly url: string },
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      'APCA-API-KEY-ID': DEMO_KEY,
      'APCA-API-SECRET-KEY': DEMO_SECRET,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}
