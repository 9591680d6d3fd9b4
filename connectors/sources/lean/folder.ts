import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ConnectorError } from '../../errors.ts';

export type Resolution = 'tick' | 'minute';

export interface DayFile {
  readonly path: string;
  readonly resolution: Resolution;
  readonly bytes: number;
}

/** A day's files of one symbol: null where the folder has none. */
export interface SymbolDay {
  readonly symbol: string;
  readonly trades: DayFile | null;
  readonly quotes: DayFile | null;
}

/** The size of a day's files together. */
export function bytesOf(files: readonly SymbolDay[]): number {
  return files.reduce((sum, { trades, quotes }) => sum + (trades?.bytes ?? 0) + (quotes?.bytes ?? 0), 0);
}

export interface FolderOptions {
  /** The folder that holds `equity/usa`, or `Data/equity/usa`. */
  readonly directory: string;
  /** Tickers in capitals; null for all. */
  readonly symbols: readonly string[] | null;
  /** First and last day, YYYY-MM-DD; null for open. */
  readonly from: string | null;
  readonly to: string | null;
}

const FILE = /^(\d{8})_(trade|quote)\.zip$/;

function refuse(message: string): never {
  throw new ConnectorError('SOURCE_FOLDER', message);
}

function folders(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

/** Adds a symbol's files of one resolution to its days; a finer file that is there already stays. */
function addDays(days: Map<string, SymbolDay>, base: string, resolution: Resolution, symbol: string): void {
  const directory = join(base, resolution, symbol);
  for (const name of existsSync(directory) ? readdirSync(directory) : []) {
    const match = FILE.exec(name);
    if (match === null) continue;
    const day = match[1]!;
    const kind = match[2] === 'trade' ? 'trades' : 'quotes';
    const before = days.get(day) ?? { symbol: symbol.toUpperCase(), trades: null, quotes: null };
    if (before[kind] !== null) continue;
    const path = join(directory, name);
    days.set(day, { ...before, [kind]: { path, resolution, bytes: statSync(path).size } });
  }
}

/**
 * The days of a folder in Lean's format and what each holds, trades and quotes each by itself: ticks where there are any, else minute bars.
 * @returns days as YYYYMMDD, in order, each with its symbols in order
 * @throws ConnectorError SOURCE_FOLDER where the folder is not there or holds nothing of what was asked for
 */
export function listDays(options: FolderOptions): ReadonlyMap<string, readonly SymbolDay[]> {
  const { directory } = options;
  if (!existsSync(directory)) refuse(`the folder ${directory} is not there`);
  // A Lean installation keeps its data in a folder of that name.
  const base =
    [directory, join(directory, 'Data')]
      .map((folder) => join(folder, 'equity', 'usa'))
      .find((folder) => existsSync(folder)) ?? join(directory, 'equity', 'usa');
  if (!existsSync(base))
    refuse(`${directory} holds no equity/usa; name the Data folder of a Lean installation`);
  const present = [...new Set([...folders(join(base, 'tick')), ...folders(join(base, 'minute'))])].sort();
  const asked = options.symbols?.map((symbol) => symbol.toLowerCase());
  const from = options.from?.replaceAll('-', '') ?? '';
  const to = options.to?.replaceAll('-', '') ?? '99999999';
  const all = new Map<string, SymbolDay[]>();
  // Sorted, each once: the place of an event in its day must not depend on how the symbols were asked for.
  for (const symbol of asked === undefined ? present : [...new Set(asked)].sort()) {
    const days = new Map<string, SymbolDay>();
    addDays(days, base, 'tick', symbol);
    addDays(days, base, 'minute', symbol);
    if (days.size === 0 && asked !== undefined) {
      const known = present.join(', ').toUpperCase() || 'none of any symbol';
      refuse(`${base} holds neither ticks nor minute bars of ${symbol.toUpperCase()}; it has ${known}`);
    }
    for (const [day, files] of days)
      if (day >= from && day <= to) all.set(day, [...(all.get(day) ?? []), files]);
  }
  if (all.size === 0) {
    const bounds = options.from !== null || options.to !== null;
    const range = bounds ? ` from ${options.from ?? 'the first'} to ${options.to ?? 'the last'}` : '';
    refuse(`${base} holds no day of ticks or minute bars${range}`);
  }
  return new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
}
