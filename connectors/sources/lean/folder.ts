import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { ConnectorError } from '../../errors.ts';

export type Resolution = 'tick' | 'minute';

/** A day's files of one symbol. */
export interface SymbolDay {
  readonly symbol: string;
  readonly resolution: Resolution;
  /** Path of each file, or null where the folder has none. */
  readonly trades: string | null;
  readonly quotes: string | null;
}

export interface FolderOptions {
  /** The folder that holds `equity/usa`. */
  readonly directory: string;
  /** Tickers in capitals; null for all. */
  readonly symbols: readonly string[] | null;
  /** First and last day, YYYY-MM-DD; null for open. */
  readonly from: string | null;
  readonly to: string | null;
}

const FILE = /^(\d{8})_(trade|quote)\.zip$/;

function folders(path: string): readonly string[] {
  return existsSync(path)
    ? readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
        .sort()
    : [];
}

function days(base: string, resolution: Resolution, symbol: string): Map<string, SymbolDay> {
  const found = new Map<string, SymbolDay>();
  const directory = join(base, resolution, symbol);
  for (const name of existsSync(directory) ? readdirSync(directory) : []) {
    const match = FILE.exec(name);
    if (match === null) continue;
    const day = match[1]!;
    const before = found.get(day) ?? { symbol: symbol.toUpperCase(), resolution, trades: null, quotes: null };
    found.set(day, { ...before, [match[2] === 'trade' ? 'trades' : 'quotes']: join(directory, name) });
  }
  return found;
}

/**
 * The days of a folder in Lean's format and what each holds: ticks where there are any, else minute bars.
 * @returns days as YYYYMMDD, in order, each with its symbols in order
 * @throws ConnectorError SOURCE_FOLDER where the folder is not there or holds nothing of what was asked for
 */
export function listDays(options: FolderOptions): ReadonlyMap<string, readonly SymbolDay[]> {
  const base = join(options.directory, 'equity', 'usa');
  if (!existsSync(base)) {
    throw new ConnectorError(
      'SOURCE_FOLDER',
      `${options.directory} holds no equity/usa; name the Data folder of a Lean installation`,
    );
  }
  const present = [...new Set([...folders(join(base, 'tick')), ...folders(join(base, 'minute'))])].sort();
  const wanted = options.symbols?.map((symbol) => symbol.toLowerCase()) ?? present;
  const from = options.from?.replaceAll('-', '') ?? '';
  const to = options.to?.replaceAll('-', '') ?? '99999999';
  const all = new Map<string, SymbolDay[]>();
  for (const symbol of wanted) {
    const merged = new Map([...days(base, 'minute', symbol), ...days(base, 'tick', symbol)]);
    if (merged.size === 0) {
      throw new ConnectorError(
        'SOURCE_FOLDER',
        `${base} holds neither ticks nor minute bars of ${symbol.toUpperCase()}; it has ${present.join(', ').toUpperCase()}`,
      );
    }
    for (const [day, files] of merged)
      if (day >= from && day <= to) all.set(day, [...(all.get(day) ?? []), files]);
  }
  if (all.size === 0)
    throw new ConnectorError(
      'SOURCE_FOLDER',
      `${base} holds no day from ${options.from ?? 'the first'} to ${options.to ?? 'the last'}`,
    );
  return new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The lines of the only file in a zip. @throws ConnectorError SOURCE_FILE */
export function readLines(path: string): readonly string[] {
  try {
    const files = Object.values(unzipSync(readFileSync(path)));
    if (files.length !== 1) throw new Error(`it holds ${files.length} files where one is expected`);
    return Buffer.from(files[0]!)
      .toString('latin1')
      .split('\n')
      .filter((line) => line !== '' && line !== '\r');
  } catch (cause) {
    throw new ConnectorError(
      'SOURCE_FILE',
      `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}
