import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const POLL_MS = 100;
const LINES_SHOWN = 15;

/** A port of the loopback address that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', resolve);
  });
  const { port } = probe.address() as { readonly port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Why no Java program can be run here, or false. */
export function javaMissing(): string | false {
  return spawnSync('java', ['-version']).status === 0
    ? false
    : 'Java 17 or newer is missing (`java` does not run)';
}

/** Why a folder does not hold Kafka's jars, or false. */
export function jarsMissing(libs: string): string | false {
  return existsSync(libs) && existsSync(join(libs, 'kafka-clients-4.1.1.jar'))
    ? false
    : `${libs} does not hold the jars of Apache Kafka 4.1.1 (infra/kafka/fetch.sh gets them)`;
}

export interface JavaProgram {
  /** What follows the options of the virtual machine: a class path and a class, or a jar, and its arguments. */
  readonly command: readonly string[];
  /** For its log configuration and its output. */
  readonly directory: string;
  readonly name: string;
  readonly heapMiB: number;
  /** Whether it goes on when this process ends. */
  readonly detached: boolean;
}

/** Logs what matters to standard output, which goes to a file. */
const LOG_CONFIGURATION = `<Configuration status="ERROR"><Appenders>
<Console name="out" target="SYSTEM_OUT"><PatternLayout pattern="%d{ISO8601} %p %m (%c{1})%n"/></Console>
</Appenders><Loggers><Root level="INFO"><AppenderRef ref="out"/></Root></Loggers></Configuration>
`;

/** The command of a class in Kafka's jars. */
export function kafkaClass(libs: string, mainClass: string, ...args: readonly string[]): readonly string[] {
  return ['-cp', join(libs, '*'), mainClass, ...args];
}

function javaArguments(program: JavaProgram): string[] {
  const configuration = join(program.directory, 'log4j2.xml');
  writeFileSync(configuration, LOG_CONFIGURATION);
  return [
    `-Xmx${program.heapMiB}m`,
    '-XX:+UseSerialGC',
    `-Dlog4j2.configurationFile=${configuration}`,
    ...program.command,
  ];
}

/** Where a program's output goes. */
function outputOf(directory: string, name: string): string {
  return join(directory, `${name}.log`);
}

export interface StartedProgram {
  readonly process: ChildProcess;
  /** The file of its output. */
  readonly output: string;
}

/** Starts a program with its output appended to a file. */
export function startJava(program: JavaProgram): StartedProgram {
  const output = outputOf(program.directory, program.name);
  const file = openSync(output, 'a');
  try {
    const child = spawn('java', javaArguments(program), {
      cwd: program.directory,
      stdio: ['ignore', file, file],
      detached: program.detached,
    });
    return { process: child, output };
  } finally {
    closeSync(file);
  }
}

/** Runs a program to its end. @throws with its output where it fails */
export function runJava(program: JavaProgram): string {
  const result = spawnSync('java', javaArguments(program), { cwd: program.directory, encoding: 'utf8' });
  if (result.status !== 0) {
    throw new Error(`${program.name} ended with ${result.status}:\n${result.stdout}\n${result.stderr}`);
  }
  return result.stdout;
}

/** The last lines of a program's output. */
function lastLines(output: string): string {
  if (!existsSync(output)) return '';
  return readFileSync(output, 'utf8').trimEnd().split('\n').slice(-LINES_SHOWN).join('\n');
}

/**
 * Waits until a program is seen to be ready.
 * @throws with its last lines where it ends before, or where the time runs out
 */
export async function whenReady(
  started: StartedProgram,
  what: string,
  ready: () => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await ready())) {
    const { exitCode, signalCode } = started.process;
    if (exitCode !== null || signalCode !== null) {
      throw new Error(`${what} ended (${exitCode ?? signalCode}):\n${lastLines(started.output)}`);
    }
    if (performance.now() > deadline) {
      throw new Error(`${what} did not start within ${timeoutMs / 1000} s:\n${lastLines(started.output)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
