/** Kafka Streams as a child process: a case goes in as a line of JSON, its outcome comes back as one. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { CaseSpec, Outcome } from './spec.ts';

const ROOT = process.cwd();
const PROJECT = join(ROOT, 'infra/kafka-streams-oracle');
const MAIN_CLASS = 'opentape.oracle.Main';

/** Builds the program where it is not yet built. @throws Error where Maven or Java fail */
export function buildOracle(): void {
  const result = spawnSync('mvn', ['-q', '-B', 'package'], { cwd: PROJECT, stdio: 'inherit' });
  if (result.status !== 0 || !existsSync(join(PROJECT, 'target/dependency')))
    throw new Error('the oracle was not built; it needs Java 17, Maven and its repository');
}

export class Oracle {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  readonly #waiting: ((outcome: Outcome) => void)[] = [];
  #failure: Error | null = null;
  #rejections: ((cause: Error) => void)[] = [];

  constructor() {
    const classpath = `${join(PROJECT, 'target/classes')}:${join(PROJECT, 'target/dependency')}/*`;
    this.#process = spawn('nice', [
      '-n',
      '15',
      'java',
      // Stores in RocksDB are synced after each record: on a disk that takes most of the time.
      ...(existsSync('/dev/shm') ? ['-Djava.io.tmpdir=/dev/shm'] : []),
      '-Xmx512m',
      '-XX:+UseSerialGC',
      '-cp',
      classpath,
      MAIN_CLASS,
    ]);
    this.#process.stderr.pipe(process.stderr);
    this.#process.once('close', (status) => this.#ended(new Error(`the oracle ended with ${status}`)));
    this.#process.once('error', (cause) => this.#ended(cause));
    this.#lines = createInterface({ input: this.#process.stdout });
    this.#lines.on('line', (line) => {
      this.#rejections.shift();
      this.#waiting.shift()?.(JSON.parse(line) as Outcome);
    });
  }

  #ended(cause: Error): void {
    this.#failure = cause;
    for (const reject of this.#rejections.splice(0)) reject(cause);
  }

  /** What Kafka Streams makes of a case. @throws Error where the program has ended */
  run(spec: CaseSpec): Promise<Outcome> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      this.#rejections.push(reject);
      this.#process.stdin.write(`${JSON.stringify(spec)}\n`);
    });
  }

  close(): void {
    this.#process.stdin.end();
  }
}
