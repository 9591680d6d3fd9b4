import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ApplicationOptions } from '../../topologies/applications.ts';
import type { Config } from '../config.ts';
import { ServingError } from '../errors.ts';

const FILE = 'topology-settings.json';

const contents = z.object({
  format: z.literal(1),
  /** In order of time; a start with the settings of the one before adds nothing. */
  settings: z.array(
    z.object({ session: z.enum(['always', 'us-equities']), marketMakerLevels: z.number().int().min(0) }),
  ),
});

/** Levels the house quotes on each side: a replay shows the market as it was, the simulator a little depth. */
const LEVELS = { simulator: 3, lean: 1, none: 1 } as const;

/** The settings that decide what the applications make of their input. */
export function topologySettings(config: Config): ApplicationOptions {
  return {
    session: config.session,
    marketMakerLevels: config.marketMaker ? LEVELS[config.source.kind] : 0,
  };
}

/** Settings a data directory was run with, the newest last; empty where it never was. @throws ServingError SERVING_CONFIG where the file is damaged or cannot be read */
export function readTopologySettings(dataDirectory: string): readonly ApplicationOptions[] {
  const path = join(dataDirectory, FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new ServingError('SERVING_CONFIG', `${path} cannot be read; start as the user it belongs to`, {
      cause,
    });
  }
  try {
    return contents.parse(JSON.parse(text)).settings;
  } catch (cause) {
    throw new ServingError('SERVING_CONFIG', `${path} is damaged; remove it: only verify --replay needs it`, {
      cause,
    });
  }
}

/** Notes with which settings a data directory is run, so that a replay can be made with the same ones. */
export function recordTopologySettings(dataDirectory: string, options: ApplicationOptions): void {
  const known = readTopologySettings(dataDirectory);
  const last = known[known.length - 1];
  const { session, marketMakerLevels } = options;
  if (last?.session === session && last.marketMakerLevels === marketMakerLevels) return;
  const path = join(dataDirectory, FILE);
  const text = JSON.stringify({ format: 1, settings: [...known, { session, marketMakerLevels }] });
  writeFileSync(`${path}.draft`, `${text}\n`);
  renameSync(`${path}.draft`, path);
}
