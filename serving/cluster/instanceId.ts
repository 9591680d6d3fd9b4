import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { makeDirectories } from '../../streams/log/state/markedDirectory.ts';
import { ServingError } from '../errors.ts';

const FILE = 'instance-id';
const VALID = /^[A-Za-z0-9._-]{1,64}$/;
const HOST_MAX = 48;

/**
 * The name of a process that keeps its state in a data directory: made at the first start and kept there, so that a restart finds its
 * partitions again.
 * @throws ServingError SERVING_CONFIG where the file holds no such name, or cannot be made
 */
export function instanceIdOf(dataDirectory: string): string {
  const path = join(dataDirectory, FILE);
  if (existsSync(path)) {
    const kept = readFileSync(path, 'utf8').trim();
    if (VALID.test(kept)) return kept;
    throw new ServingError('SERVING_CONFIG', `${path} is damaged; remove it, or set OPENTAPE_INSTANCE_ID`);
  }
  const host = hostname()
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, HOST_MAX);
  const made = `${host}-${randomBytes(4).toString('hex')}`;
  try {
    makeDirectories(dataDirectory);
    writeFileSync(path, `${made}\n`, { flush: true });
  } catch (cause) {
    throw new ServingError('SERVING_CONFIG', `the data directory ${dataDirectory} cannot be made`, { cause });
  }
  return made;
}
