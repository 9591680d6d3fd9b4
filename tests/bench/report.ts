import { cpus, totalmem } from 'node:os';

/** One figure of a benchmark. */
export interface BenchRow {
  readonly bench: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What the project asks of this figure, as text: `>= 400,000`. */
  readonly target?: string;
  /** What it is measured beside, in the same run: a name and the ratio of this figure to it. */
  readonly beside?: { readonly what: string; readonly ratio: number };
}

const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

/** A percentile of numbers sorted ascending, by the nearest-rank method. @param p between 0 and 100 */
export function percentile(sorted: ArrayLike<number>, p: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((p / 100) * sorted.length) - 1))]!;
}

/** The median, minimum and maximum of some runs. */
export function spread(values: readonly number[]): {
  readonly median: number;
  readonly min: number;
  readonly max: number;
} {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: percentile(sorted, 50), min: sorted[0]!, max: sorted[sorted.length - 1]! };
}

/** The machine a run was made on, in a line. */
export function machine(): string {
  const cpu = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `${cpus().length} x ${cpu}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node.js ${process.version}, ${process.platform}-${process.arch}`;
}

/** The rows as a Markdown table, ready for the README. */
export function table(rows: readonly BenchRow[]): string {
  const lines = rows.map((row) => {
    const beside = row.beside ? `${number.format(row.beside.ratio)} x ${row.beside.what}` : '';
    return `| ${row.bench} | ${row.what} | ${number.format(row.value)} ${row.unit} | ${row.target ?? ''} | ${beside} |`;
  });
  return [
    '| bench | figure | measured | target | beside, same run |',
    '|---|---|---:|---|---|',
    ...lines,
  ].join('\n');
}
