import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
import { ConnectorError } from '../../errors.ts';

const DAY_MS = 86_400_000;
const NEWLINE = 0x0a;

/** A line of one of Lean's files: fields separated by commas, the first of them milliseconds since midnight in New York. */
export interface Row {
  readonly atMs: number;
  readonly text: readonly string[];
  /** A field as a number from 0 up. @throws ConnectorError SOURCE_FILE where it is none */
  number(field: number): number;
}

/** The only file in a zip. @throws ConnectorError SOURCE_FILE */
function readZip(path: string): Buffer {
  try {
    const files = Object.values(unzipSync(readFileSync(path)));
    if (files.length !== 1) throw new Error(`it holds ${files.length} files where one is expected`);
    return Buffer.from(files[0]!.buffer, files[0]!.byteOffset, files[0]!.byteLength);
  } catch (cause) {
    throw new ConnectorError(
      'SOURCE_FILE',
      `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

class TextRow implements Row {
  readonly text: readonly string[];
  readonly #place: () => string;
  readonly atMs: number;

  constructor(line: string, place: () => string, leastFields: number) {
    this.text = line.split(',');
    this.#place = place;
    if (this.text.length < leastFields)
      this.#refuse(`${this.text.length} fields where ${leastFields} are expected`);
    this.atMs = Math.floor(this.number(0));
    if (this.atMs >= DAY_MS) this.#refuse(`${this.text[0]} ms lie beyond the day`);
  }

  number(field: number): number {
    const text = this.text[field]!;
    const value = Number(text);
    if (text === '' || !Number.isFinite(value) || value < 0) {
      this.#refuse(`field ${field + 1} is ${JSON.stringify(text)}, not a number from 0 up`);
    }
    return value;
  }

  #refuse(what: string): never {
    throw new ConnectorError('SOURCE_FILE', `${this.#place()}: ${what}`);
  }
}

/**
 * The rows of a zipped file, read as they are asked for: only the file's bytes are held. Empty lines are left out.
 * @throws ConnectorError SOURCE_FILE, naming file and line, where the file is no zip of one file, or a row is not what it should be or
 * is earlier than the one before
 */
export function* readRows(path: string, leastFields: number): Generator<Row> {
  const bytes = readZip(path);
  let lastMs = 0;
  let number = 0;
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    const line = bytes.toString('latin1', start, end).trimEnd();
    start = end + 1;
    number += 1;
    if (line === '') continue;
    const at = number;
    const row = new TextRow(line, () => `${path}, line ${at}`, leastFields);
    if (row.atMs < lastMs) {
      throw new ConnectorError(
        'SOURCE_FILE',
        `${path}, line ${at}: ${row.atMs} ms is earlier than the line before, at ${lastMs} ms`,
      );
    }
    lastMs = row.atMs;
    yield row;
  }
}
