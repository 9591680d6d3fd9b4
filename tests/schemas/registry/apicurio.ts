import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const START_TIMEOUT_MS = 120_000;
const POLL_MS = 100;

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { readonly port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function runner(): string | null {
  const folder = process.env.OPENTAPE_TEST_APICURIO;
  if (folder === undefined || folder === '' || !existsSync(folder)) return null;
  const name = readdirSync(folder).find((each) => /^apicurio-registry-app-.*-runner\.jar$/.test(each));
  return name === undefined ? null : join(folder, name);
}

/** A real Apicurio Registry in a process of its own, keeping its schemas in memory. */
export class Apicurio {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  }

  /** Why there is none here; false where there is one. */
  static missing(): string | false {
    if (runner() === null)
      return 'OPENTAPE_TEST_APICURIO does not name a folder of Apicurio Registry (infra/registry/fetch.sh gets it)';
    return spawnSync('java', ['-version']).status === 0 ? false : 'java is missing';
  }

  static async start(): Promise<Apicurio> {
    const port = await freePort();
    const jar = runner()!;
    const child = spawn(
      'java',
      [
        '-Xmx384m',
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1',
        '-Dquarkus.http.host=127.0.0.1',
        `-Dquarkus.http.port=${port}`,
        '-jar',
        jar,
      ],
      { cwd: join(jar, '..'), stdio: 'ignore' },
    );
    const apicurio = new Apicurio(child, port);
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`Apicurio Registry ended with ${child.exitCode}`);
      if (performance.now() > deadline) {
        await apicurio.stop();
        throw new Error('Apicurio Registry did not start in time');
      }
      const answer = await fetch(`${apicurio.url}/subjects`).catch(() => null);
      if (answer?.ok) return apicurio;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await exited;
  }
}
