import { type Command, InvalidArgumentError } from 'commander';
import { ServingError } from '../errors.ts';
import {
  type DeadLetterView,
  discardOperation,
  listDeadLetters,
  retryOperation,
} from '../ops/deadLetters.ts';
import { optionsOf, wholeNumber, withAccess } from './context.ts';
import { print, printJson, table, timeText } from './output.ts';

interface ListFlags {
  readonly all?: boolean;
}

interface ChosenFlags {
  readonly open?: boolean;
  readonly allReaders?: boolean;
}

const BYTES_A_LINE = 16;
const MESSAGE_SHOWN = 72;

/** Bytes as hexadecimal and text side by side. */
function hexDump(base64: string | null): string {
  if (base64 === null) return '  none';
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length === 0) return '  no bytes';
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_A_LINE) {
    const part = bytes.subarray(at, at + BYTES_A_LINE);
    const hex = [...part].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = [...part]
      .map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.'))
      .join('');
    lines.push(`  ${at.toString(16).padStart(6, '0')}  ${hex.padEnd(3 * BYTES_A_LINE)} ${text}`);
  }
  return lines.join('\n');
}

function textOf(base64: string | null): string {
  return base64 === null ? 'null' : JSON.stringify(Buffer.from(base64, 'base64').toString('utf8'));
}

function letterText(letter: DeadLetterView): string {
  const { applicationId, offset, timestampMs, topic, partition, sourceOffset, markedAtMs, headers } = letter;
  const marked = markedAtMs === null ? '' : ` at ${timeText(markedAtMs)}`;
  return [
    `Dead letter ${offset} of ${applicationId}: ${letter.status}${marked}`,
    `Read from ${topic}[${partition}]@${sourceOffset}, time ${timeText(timestampMs)}`,
    `Failed in ${letter.node}, task ${letter.task}: ${letter.exception}`,
    `  ${letter.message}`,
    'Headers:',
    ...(headers.length === 0 ? ['  none'] : headers.map(({ key, value }) => `  ${key}=${textOf(value)}`)),
    'Key:',
    hexDump(letter.key),
    'Value:',
    hexDump(letter.value),
  ].join('\n');
}

function list(application: string | undefined, command: Command): Promise<void> {
  const flags = optionsOf<ListFlags>(command);
  return withAccess(flags, async (access) => {
    const letters: DeadLetterView[] = [];
    const params = { application: application ?? null, marked: flags.all === true, offset: null };
    for await (const letter of access.run(listDeadLetters, params)) letters.push(letter);
    if (flags.json === true) {
      printJson(letters);
      return;
    }
    if (letters.length === 0) {
      print(flags.all === true ? 'There are no dead letters.' : 'There are no open dead letters.');
      return;
    }
    const rows = letters.map((letter) => [
      letter.applicationId,
      letter.offset,
      letter.status,
      `${letter.topic}[${letter.partition}]@${letter.sourceOffset}`,
      letter.exception,
      letter.message.slice(0, MESSAGE_SHOWN),
    ]);
    print(table(['APPLICATION', 'LETTER', 'STATUS', 'READ FROM', 'EXCEPTION', 'MESSAGE'], rows));
  });
}

function show(application: string, offset: number, command: Command): Promise<void> {
  const flags = optionsOf<unknown>(command);
  return withAccess(flags, async (access) => {
    for await (const letter of access.run(listDeadLetters, { application, marked: true, offset })) {
      if (flags.json === true) printJson(letter);
      else print(letterText(letter));
      return;
    }
    throw new ServingError(
      'SERVING_NOT_FOUND',
      `${application} has no dead letter ${offset}; see dlq list --all`,
    );
  });
}

/** The letters named, or null for all that are open. */
function chosen(offsets: readonly number[], { open }: ChosenFlags): readonly number[] | null {
  if (open === true && offsets.length > 0)
    throw new InvalidArgumentError('--open means all open letters; name letters or give --open, not both');
  if (open !== true && offsets.length === 0)
    throw new InvalidArgumentError('name the letters (see dlq list), or give --open for all that are open');
  return open === true ? null : offsets;
}

function retry(application: string, letters: readonly number[], command: Command): Promise<void> {
  const flags = optionsOf<ChosenFlags>(command);
  const offsets = chosen(letters, flags);
  return withAccess(flags, async (access) => {
    const done: object[] = [];
    const params = { application, offsets, allReaders: flags.allReaders === true };
    for await (const line of access.run(retryOperation, params)) {
      done.push(line);
      if (flags.json !== true)
        print(`letter ${line.offset} is back as ${line.topic}[${line.partition}]@${line.toOffset}`);
    }
    if (flags.json === true) printJson(done);
    else print(`${done.length} put back${access.mode === 'stopped' ? '; processed at the next start' : ''}.`);
  });
}

function discard(application: string, letters: readonly number[], command: Command): Promise<void> {
  const flags = optionsOf<ChosenFlags>(command);
  const offsets = chosen(letters, flags);
  return withAccess(flags, async (access) => {
    const done: object[] = [];
    for await (const line of access.run(discardOperation, { application, offsets })) done.push(line);
    if (flags.json === true) printJson(done);
    else print(`${done.length} discarded; dlq list --all shows them until retention removes them.`);
  });
}

/** Numbers of letters, one argument each. */
function letterNumbers(text: string, before: readonly number[] | undefined): readonly number[] {
  return [...(before ?? []), wholeNumber(0)(text)];
}

/** `opentape dlq`. */
export function addDlqCommands(program: Command): void {
  const dlq = program.command('dlq').description('dead letters: records that an application put aside');
  dlq
    .command('list')
    .description('open dead letters with their cause')
    .argument('[application]', 'application id; left out: all')
    .option('--all', 'those that were retried or discarded too')
    .action((application: string | undefined, _options: unknown, command: Command) =>
      list(application, command),
    );
  dlq
    .command('show')
    .description('a dead letter with its cause, original headers and bytes')
    .argument('<application>', 'application id')
    .argument('<letter>', 'number of the letter, as dlq list shows it', wholeNumber(0))
    .action((application: string, letter: number, _options: unknown, command: Command) =>
      show(application, letter, command),
    );
  dlq
    .command('retry')
    .description('puts dead letters back on the topic they were read from, each once, and marks them')
    .argument('<application>', 'application id')
    .argument('[letters...]', 'numbers of letters', letterNumbers, [])
    .option('--open', 'all that are open')
    .option('--all-readers', 'also where other applications read the topic and process the record once more')
    .action((application: string, letters: readonly number[], _options: unknown, command: Command) =>
      retry(application, letters, command),
    );
  dlq
    .command('discard')
    .description('marks dead letters as not to be retried; nothing is deleted')
    .argument('<application>', 'application id')
    .argument('[letters...]', 'numbers of letters', letterNumbers, [])
    .option('--open', 'all that are open')
    .action((application: string, letters: readonly number[], _options: unknown, command: Command) =>
      discard(application, letters, command),
    );
}
