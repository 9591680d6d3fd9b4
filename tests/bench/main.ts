/**
 * `npm run bench` runs all benchmarks; `npm run bench -- streams rest` only those named. Figures are printed as they come and at the
 * end as a table.
 */
import { benchPipeline } from './pipeline.ts';
import { benchQuotes } from './quotes.ts';
import { type BenchRow, machine, table } from './report.ts';
import { benchRest } from './rest.ts';
import { benchStart } from './start.ts';
import { benchStreams } from './streams.ts';

const BENCHES: Readonly<Record<string, () => Promise<readonly BenchRow[]>>> = {
  streams: benchStreams,
  pipeline: benchPipeline,
  quotes: benchQuotes,
  rest: benchRest,
  start: benchStart,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(
    `no benchmark is called ${unknown.join(', ')}; there are: ${Object.keys(BENCHES).join(', ')}`,
  );
  process.exit(2);
}
console.log(machine());
const rows: BenchRow[] = [];
for (const [name, run] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n${name} ...`);
  rows.push(...(await run()));
}
console.log(`\n${table(rows)}`);
process.exit(0);
