/** What the commands write: tables for people, JSON for programs. */

export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** One value on one line, for outputs without an end. */
export function printJsonLine(value: unknown): void {
  print(JSON.stringify(value));
}

/** Columns as wide as their widest cell; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const numeric = head.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'),
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A time in milliseconds since the epoch as text; the number where no calendar has it. */
export function timeText(timestampMs: number): string {
  const date = new Date(timestampMs);
  return Number.isNaN(date.getTime()) ? String(timestampMs) : date.toISOString();
}

const DAY_MS = 86_400_000;

export function durationText(ms: number | null): string {
  if (ms === null) return 'for ever';
  return ms % DAY_MS === 0 ? `${ms / DAY_MS} d` : `${ms / 1000} s`;
}

/** A count with its thousands apart. */
export function countText(count: number): string {
  return count.toLocaleString('en-US');
}
