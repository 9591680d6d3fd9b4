import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ServingError } from '../errors.ts';
import type { EntryView } from '../ops/stores.ts';
import { optionsOf, withAccess } from './context.ts';
import { EXIT } from './exitCodes.ts';
import { interruptible } from './interrupt.ts';
import { countText, print, printJson, timeText } from './output.ts';
import { ProgressBar } from './progress.ts';

interface DumpFlags {
  readonly out: string;
  readonly format?: 'jsonl' | 'csv';
  readonly prefix?: string;
}

const CSV_HEAD = 'partition,key,start,end,value,undecodable';

/** A field of RFC 4180: in quotes where it holds what would end it, quotes doubled. */
function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** An entry as a line of CSV, its value as JSON. */
function csvLine({ partition, key, window, value, undecodable }: EntryView): string {
  const time = (ms: number | null | undefined): string =>
    ms === null || ms === undefined ? '' : timeText(ms);
  return [
    String(partition),
    key,
    time(window?.startMs),
    time(window?.endMs),
    undecodable === null ? JSON.stringify(value) : '',
    undecodable === null ? '' : `${undecodable.cause} (${undecodable.head})`,
  ]
    .map(csvField)
    .join(',');
}

function formatOf({ format, out }: DumpFlags): 'jsonl' | 'csv' {
  if (format !== undefined) return format;
  if (/\.csv$/i.test(out)) return 'csv';
  if (/\.(jsonl|ndjson)$/i.test(out)) return 'jsonl';
  throw new InvalidArgumentError(
    `${out} tells no format: end its name with .jsonl or .csv, or name one with --format`,
  );
}

/** Writes all lines; one at a time, so that a slow disk holds the reading back. Stops at the signal. */
async function writeLines(
  file: WriteStream,
  head: string | null,
  entries: AsyncIterable<EntryView>,
  line: (entry: EntryView) => string,
  onEntry: (count: number) => void,
  signal: AbortSignal,
): Promise<number> {
  await once(file, 'open');
  if (head !== null) file.write(`${head}\n`);
  let count = 0;
  for await (const entry of entries) {
    if (signal.aborted) break;
    if (!file.write(`${line(entry)}\n`)) await once(file, 'drain');
    count += 1;
    onEntry(count);
  }
  file.end();
  await once(file, 'close');
  return count;
}

async function dump(application: string, store: string, command: Command): Promise<void> {
  const flags = optionsOf<DumpFlags>(command);
  const format = formatOf(flags);
  const draft = `${flags.out}.part`;
  await interruptible((signal) =>
    withAccess(flags, async (access) => {
      const summary = (await access.stores(true)).find(
        (known) => known.application === application && known.store === store,
      );
      const bar = new ProgressBar(`${application}/${store}`);
      const options = { prefix: flags.prefix ?? null, from: null, to: null, limit: null };
      const total = flags.prefix === undefined ? (summary?.entries ?? 0) : 0;
      let count: number;
      try {
        count = await writeLines(
          createWriteStream(draft),
          format === 'csv' ? CSV_HEAD : null,
          access.scan(application, store, options),
          format === 'csv' ? csvLine : (entry) => JSON.stringify(entry),
          (done) => bar.update(done, total),
          signal,
        );
      } catch (cause) {
        await rm(draft, { force: true });
        if (cause instanceof Error && 'syscall' in cause)
          throw new ServingError('SERVING_CONFIG', `${flags.out} cannot be written: ${cause.message}`, {
            cause,
          });
        throw cause;
      } finally {
        bar.end();
      }
      if (signal.aborted) {
        await rm(draft, { force: true });
        process.stderr.write(
          `opentape: interrupted after ${countText(count)} entries; ${flags.out} was not written\n`,
        );
        process.exitCode = EXIT.interrupted;
        return;
      }
      // Only a whole dump gets the name that was asked for.
      await rename(draft, flags.out);
      if (flags.json === true) printJson({ application, store, file: flags.out, format, entries: count });
      else print(`${countText(count)} entries of ${application}/${store} written to ${flags.out}`);
    }),
  );
}

/** `opentape store dump`. */
export function addStoreDump(store: Command): void {
  store
    .command('dump')
    .description('writes all entries of a store, decoded, to a file of JSON lines or CSV')
    .argument('<application>', 'application id')
    .argument('<store>', 'name of the store')
    .requiredOption('--out <file>', 'the file; its ending tells the format: .jsonl or .csv')
    .addOption(new Option('--format <format>', 'format of the file').choices(['jsonl', 'csv']))
    .option('--prefix <text>', 'only keys that begin with it')
    .action((application: string, name: string, _options: unknown, command: Command) =>
      dump(application, name, command),
    );
}
