import { spawn, spawnSync } from 'node:child_process';

export interface Python {
  readonly path: string;
}

/** What a script needs of a Python beside the standard library. */
export interface PythonPackage {
  /** As it is imported. */
  readonly module: string;
  /** As it is installed. */
  readonly name: string;
}

export const ALPACA_PY: PythonPackage = { module: 'alpaca', name: 'alpaca-py' };
export const CONFLUENT_KAFKA: PythonPackage = {
  module: 'confluent_kafka.schema_registry.avro',
  name: 'confluent-kafka[avro,schemaregistry]',
};

/**
 * The Python that OPENTAPE_TEST_PYTHON names, if it has a package. Null, with the reason printed, where there is none.
 * @throws where OPENTAPE_REQUIRE_SERVERS=1 asks for it
 */
export function findPython({ module, name }: PythonPackage = ALPACA_PY): Python | null {
  const path = process.env.OPENTAPE_TEST_PYTHON;
  const reason =
    path === undefined
      ? `OPENTAPE_TEST_PYTHON does not name a Python with ${name}`
      : spawnSync(path, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0
        ? null
        : `${path} cannot import ${module}; install ${name}`;
  if (reason === null) return { path: path! };
  if (process.env.OPENTAPE_REQUIRE_SERVERS === '1') throw new Error(reason);
  console.log(`skipped: ${reason}`);
  return null;
}

/** Runs a script to its end. @throws with everything it wrote where it fails or takes too long */
export function runPython(
  python: Python,
  script: string,
  args: readonly string[],
  timeoutMs = 90_000,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(python.path, ['-c', script, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => {
      output += String(chunk);
    });
    child.stderr.on('data', (chunk) => {
      errors += String(chunk);
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Error(`Python ended (${code ?? signal}):\n${output}\n${errors}`));
    });
  });
}
