import { type Command, InvalidArgumentError } from 'commander';
import { ServingError } from '../errors.ts';
import { type EntryView, SCAN_LIMIT_MAX } from '../ops/stores.ts';
import { optionsOf, wholeNumber, withAccess } from './context.ts';
import { print, printJson, printJsonLine, table, timeText } from './output.ts';
import { addStoreDump } from './storeDump.ts';
import { undecodableText } from './topic.ts';

interface ScanFlags {
  readonly prefix?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
}

function entryText({ key, window, value, undecodable }: EntryView): string {
  const end = window === null || window.endMs === null ? '' : `..${timeText(window.endMs)}`;
  const place = window === null ? key : `${key}  ${timeText(window.startMs)}${end}`;
  return `${place}  ${undecodable === null ? JSON.stringify(value) : undecodableText(undecodable)}`;
}

/** Bounds of a window store are times: milliseconds since the epoch, or as ISO 8601. */
function bound(text: string | undefined, windowed: boolean): string | number | null {
  if (text === undefined) return null;
  if (!windowed) return text;
  const timeMs = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(timeMs))
    throw new InvalidArgumentError(
      `${text} is no time; of a store of windows, sessions or versions, --from and --to are times (2013-10-07T14:30:00Z, or milliseconds)`,
    );
  return timeMs;
}

function addList(store: Command): void {
  store
    .command('list')
    .description('every store of every application; entries are counted up to 10,000 a store')
    .option('--count', 'count all entries, however many there are')
    .action((_options: unknown, command: Command) => {
      const options = optionsOf<{ readonly count?: boolean }>(command);
      return withAccess(options, async (access) => {
        const stores = await access.stores(options.count ?? false);
        if (options.json === true) {
          printJson(stores);
          return;
        }
        const rows = stores.map(
          ({ application, store, kind, residence, global, partitions, entries, counted }) => [
            application,
            store,
            global ? `${kind}, global` : kind,
            residence,
            partitions,
            entries === null ? '-' : counted ? String(entries) : `${entries}+`,
          ],
        );
        print(table(['APPLICATION', 'STORE', 'KIND', 'RESIDENCE', 'PARTITIONS', 'ENTRIES'], rows));
      });
    });
}

function addGet(store: Command): void {
  store
    .command('get')
    .description('the entry of a key, decoded; of other stores all windows, sessions or versions of the key')
    .argument('<application>', 'application id')
    .argument('<store>', 'name of the store')
    .argument('<key>', 'key as text')
    .action((application: string, name: string, key: string, _options: unknown, command: Command) => {
      const options = optionsOf<unknown>(command);
      return withAccess(options, async (access) => {
        const entries = await access.entries(application, name, key);
        if (options.json === true) printJson(entries);
        if (entries.length === 0)
          throw new ServingError('SERVING_NOT_FOUND', `${application}/${name} has no entry ${key}`);
        if (options.json !== true) for (const entry of entries) print(entryText(entry));
      });
    });
}

function addScan(store: Command): void {
  store
    .command('scan')
    .description(
      'entries in the order of their keys, decoded; of windows, sessions and versions by stretches of time',
    )
    .argument('<application>', 'application id')
    .argument('<store>', 'name of the store')
    .option('--prefix <text>', 'only keys that begin with it')
    .option('--from <key>', 'first key; of windows, sessions and versions the first start, as a time')
    .option('--to <key>', 'last key; of windows, sessions and versions the last start')
    .option('--limit <entries>', 'at most so many entries', wholeNumber(1, SCAN_LIMIT_MAX), 100)
    .action((application: string, name: string, _options: unknown, command: Command) => {
      const options = optionsOf<ScanFlags>(command);
      return withAccess(options, async (access) => {
        const summary = (await access.stores(false)).find(
          (known) => known.application === application && known.store === name,
        );
        const windowed = summary !== undefined && summary.layout !== 'plain';
        const scan = {
          prefix: options.prefix ?? null,
          from: bound(options.from, windowed),
          to: bound(options.to, windowed),
          limit: options.limit,
        };
        for await (const entry of access.scan(application, name, scan)) {
          if (options.json === true) printJsonLine(entry);
          else print(entryText(entry));
        }
      });
    });
}

/** `opentape store`. */
export function addStoreCommands(program: Command): void {
  const store = program.command('store').description('the state stores of the applications');
  addList(store);
  addGet(store);
  addScan(store);
  addStoreDump(store);
}
