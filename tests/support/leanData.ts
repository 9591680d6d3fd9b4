import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { ROOT } from './sources.ts';

/** Real market data in Lean's format, beside the checkout. */
export const LEAN_DIRECTORY = join(ROOT, '..', 'shared', 'data', 'lean', 'Data');

/** Why tests on real data are left out, for `skip`; false where the data is there, or has to be. */
export function skipWithoutLeanData(): string | false {
  if (existsSync(join(LEAN_DIRECTORY, 'equity', 'usa')) || process.env.OPENTAPE_REQUIRE_SERVERS === '1')
    return false;
  return `no data in Lean's format at ${LEAN_DIRECTORY}`;
}

/** Fields of all lines of one of its files, read by the plainest means: an oracle must not share code with what it checks. */
export function leanLines(resolution: 'tick' | 'minute', symbol: string, name: string): string[][] {
  const path = join(LEAN_DIRECTORY, 'equity', 'usa', resolution, symbol, `${name}.zip`);
  const [content] = Object.values(unzipSync(readFileSync(path)));
  return Buffer.from(content!)
    .toString('latin1')
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => line.split(','));
}
