/**
 * `npm run kafka:up`, `kafka:cluster` and `kafka:down`: a real Kafka with a schema registry and Kafka Connect on this machine, on loopback.
 * Ports: KAFKA_PORT (9092; a cluster takes the two after it as well), SCHEMA_REGISTRY_PORT (8081), KAFKA_CONNECT_PORT (8083).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { addressesFor, type KafkaClusterOptions } from './cluster.ts';
import { javaMissing, whenReady } from './java.ts';
import { notePid, runningPid, stopRunning } from './running.ts';
import { brokerServices, connectService, registryService, type Service } from './services.ts';

const START_TIMEOUT_MS = 180_000;
const ROOT = resolve(process.cwd());
const FOLDER = resolve(process.env.KAFKA_DIR ?? join(ROOT, '.kafka'));
const KINDS = { up: 1, cluster: 3 } as const;

function port(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined || text === '') return otherwise;
  const number = Number(text);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  throw new Error(`${name} must be a port from 1 to 65535, not '${text}'`);
}

function say(line: string): void {
  console.log(line);
}

/** Runs a script that brings jars, unless they are there. */
function fetchJars(what: string, script: string, folder: string): void {
  if (existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.jar'))) return;
  if (spawnSync('mvn', ['-version']).status !== 0) {
    throw new Error(
      `Maven is missing (\`mvn\` does not run); it brings ${what}. Install it, or put the jars into ${folder}`,
    );
  }
  say(`${what}: fetching with Maven, once ...`);
  const { status } = spawnSync(join(ROOT, script), [folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${what} could not be fetched (${script} ended with ${status})`);
}

async function checkFree(service: Service): Promise<void> {
  const found = Number(/:(\d+)(?:\/|$)/.exec(service.address)?.[1]);
  const probe = createServer();
  await new Promise<void>((done, fail) => {
    probe.once('error', () =>
      fail(
        new Error(`port ${found}, for ${service.name}, is in use by another program; choose another port`),
      ),
    );
    probe.listen(found, '127.0.0.1', () => probe.close(() => done()));
  });
}

/** Starts what does not run, all at a time, and waits until all of it answers. */
async function start(services: readonly Service[]): Promise<void> {
  const begun = performance.now();
  const starting: Promise<void>[] = [];
  for (const service of services) {
    if (runningPid(service.directory) !== null) {
      say(`${service.name}: runs already at ${service.address}`);
      continue;
    }
    await checkFree(service);
    const started = service.launch();
    notePid(service.directory, started.process.pid!);
    say(`${service.name}: starting at ${service.address}; its output is in ${started.output}`);
    starting.push(
      whenReady(started, service.name, () => service.answers(), START_TIMEOUT_MS).then(() => {
        say(`${service.name}: up after ${((performance.now() - begun) / 1000).toFixed(0)} s`);
        started.process.unref();
      }),
    );
  }
  await Promise.all(starting);
}

async function up(kind: keyof typeof KINDS): Promise<void> {
  const java = javaMissing();
  if (java !== false) throw new Error(java);
  const other = kind === 'up' ? 'cluster' : 'up';
  if (directories(other).some((directory) => runningPid(directory) !== null)) {
    throw new Error(
      `what \`npm run kafka:${other}\` started runs here; stop it first with \`npm run kafka:down\``,
    );
  }
  mkdirSync(FOLDER, { recursive: true });
  const libs = join(FOLDER, 'jars', 'kafka');
  const apicurio = join(FOLDER, 'jars', 'apicurio');
  fetchJars('Apache Kafka', 'infra/kafka/fetch.sh', libs);
  fetchJars('Apicurio Registry', 'infra/registry/fetch.sh', apicurio);
  const count = KINDS[kind];
  const directory = join(FOLDER, kind);
  const options: KafkaClusterOptions = {
    libs,
    directory,
    brokers: await addressesFor(count, port('KAFKA_PORT', 9092)),
    replicationFactor: count,
    minInsyncReplicas: count === 1 ? 1 : 2,
  };
  const registry = registryService(apicurio, join(directory, 'registry'), port('SCHEMA_REGISTRY_PORT', 8081));
  const brokers = brokerServices(options);
  // Kafka Connect makes its topics when it starts, so it comes after the brokers.
  await start([...brokers, registry]);
  await start([connectService(options, join(directory, 'connect'), port('KAFKA_CONNECT_PORT', 8083))]);
  say('\nTo run Opentape on it (once: npm run kafka:install), with secrets of your own:\n');
  say(`export OPENTAPE_ENGINE=kafka KAFKA_BROKERS=${brokers.map(({ address }) => address).join(',')}`);
  say(`export SCHEMA_REGISTRY_URL=${registry.address}`);
  say('export OPENTAPE_CLUSTER_SECRET=known-to-all-our-processes');
  say('export OPENTAPE_DEMO_KEY=DEMOKEY1 OPENTAPE_DEMO_SECRET=choose-a-long-secret');
  say('OPENTAPE_ROLES=all,source npm start');
}

/** The folders of everything that may run of one kind. */
function directories(kind: keyof typeof KINDS): string[] {
  const directory = join(FOLDER, kind);
  if (!existsSync(directory)) return [];
  return readdirSync(directory).map((name) => join(directory, name));
}

async function down(wipe: boolean): Promise<void> {
  const all = (Object.keys(KINDS) as (keyof typeof KINDS)[]).flatMap(directories);
  // Brokers last: what is connected to them leaves in an orderly way.
  const brokers = all.filter((directory) => /broker-\d+$/.test(directory));
  let stopped = 0;
  for (const group of [all.filter((directory) => !brokers.includes(directory)), brokers]) {
    const ended = await Promise.all(group.map(stopRunning));
    stopped += ended.filter(Boolean).length;
  }
  say(stopped === 0 ? 'nothing ran' : `stopped ${stopped} processes`);
  if (!wipe) return;
  for (const kind of Object.keys(KINDS)) rmSync(join(FOLDER, kind), { recursive: true, force: true });
  say('removed their data');
}

const [command, option] = process.argv.slice(2);
try {
  if (command === 'up' || command === 'cluster') await up(command);
  else if (command === 'down' && (option === undefined || option === '--wipe'))
    await down(option === '--wipe');
  else throw new Error('usage: up | cluster | down [--wipe]');
} catch (cause) {
  console.error(cause instanceof Error ? cause.message : String(cause));
  process.exitCode = 1;
}
