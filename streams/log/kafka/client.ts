import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LogError } from '../errors.ts';
import type { RdKafka } from './rdkafka.ts';

const PACKAGE = 'node-rdkafka';
/** The version that the tests run with. */
const VERSION = '3.6.1';
/** What to run, for those who use the package of the runtime and for those who work in the repository. */
export const HOW_TO_INSTALL = `run npm install ${PACKAGE}@${VERSION}, or in the repository of Opentape npm run kafka:install`;
/** Where `npm run kafka:install` puts the package, from the root of the checkout. */
const INSTALLED_IN = join('infra', 'kafka', 'client');

let loaded: RdKafka | null = null;

/**
 * Loads node-rdkafka when Kafka is asked for, not before: it is compiled on installation, which nobody should wait for who does not use it.
 * An application's own installation comes first. It does not load in worker threads.
 * @throws LogError LOG_KAFKA_CLIENT_MISSING
 */
export function loadRdKafka(): RdKafka {
  loaded ??= load();
  return loaded;
}

function load(): RdKafka {
  const here = fileURLToPath(import.meta.url);
  const failures: unknown[] = [];
  for (const from of [here, ...installations(here)]) {
    const require = createRequire(from);
    let path: string;
    try {
      path = require.resolve(PACKAGE);
    } catch {
      continue;
    }
    try {
      return require(path) as RdKafka;
    } catch (cause) {
      failures.push(cause);
    }
  }
  if (failures.length === 0) {
    throw new LogError('LOG_KAFKA_CLIENT_MISSING', `${PACKAGE} is not installed; ${HOW_TO_INSTALL}`);
  }
  throw new LogError(
    'LOG_KAFKA_CLIENT_MISSING',
    `${PACKAGE} is installed but does not load on Node.js ${process.version}; ${HOW_TO_INSTALL} again`,
    failures[0],
  );
}

/** A file in each folder of ours above this one that the package may be installed in. */
function* installations(here: string): Iterable<string> {
  for (let folder = dirname(here), above = dirname(folder); above !== folder; ) {
    const candidate = join(folder, INSTALLED_IN);
    if (existsSync(join(candidate, 'node_modules', PACKAGE))) yield join(candidate, 'package.json');
    folder = above;
    above = dirname(folder);
  }
}

/** Whether the client is there, for tools and tests that say so instead of failing. */
export function rdKafkaMissing(): string | false {
  try {
    loadRdKafka();
    return false;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}
