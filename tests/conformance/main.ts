/** Runs generated cases on our engine and on Kafka Streams, and prints every difference, made as small as it goes; USAGE tells how. */
import { parseArgs } from 'node:util';
import { commandLine, wholeNumber } from '../support/commandLine.ts';
import { generate } from './generate.ts';
import { writeGolden } from './golden.ts';
import { buildOracle, Oracle } from './oracle.ts';
import { run } from './run.ts';
import { shrink } from './shrink.ts';
import type { CaseSpec, Outcome } from './spec.ts';

/** Differences shown in full; more of them are counted. */
const SHOWN_MAX = 5;
/** Cases between two lines of progress. */
const PROGRESS_EVERY = 1_000;
/** Cases under way at the oracle at one time. */
const AHEAD = 32;

const USAGE = `npm run conformance -- [options]

  --cases NUMBER    how many cases (1000)
  --seed NUMBER     the seed of the first of them; the next has the next one (1)
  --golden          write the golden vectors anew, from cases that agree

It needs Java 17, Maven and its repository, and ends with 1 where a case differs.`;

/** @throws Error that says which argument is wrong */
function readSettings(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      cases: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      golden: { type: 'boolean', default: false },
    },
  });
  return {
    cases: wholeNumber('cases', values.cases, 1),
    seed: wholeNumber('seed', values.seed),
    golden: values.golden,
  };
}

function differs(ours: Outcome, theirs: Outcome): boolean {
  const written = ({ topics, partitions }: Outcome): string => JSON.stringify([topics, partitions]);
  return theirs.error !== undefined || written(ours) !== written(theirs);
}

/** A difference stays of its kind while it is made smaller: an error is not traded for another output. */
function kindOf(ours: Outcome, theirs: Outcome): string {
  if (!differs(ours, theirs)) return 'none';
  return `${ours.error === undefined}/${theirs.error === undefined}`;
}

async function show(spec: CaseSpec, kind: string, oracle: Oracle): Promise<void> {
  const smallest = await shrink(
    spec,
    async (candidate) => kindOf(run(candidate), await oracle.run(candidate)) === kind,
  );
  console.log(`\ncase ${spec.id}:`);
  for (const [place, node] of smallest.nodes.entries())
    console.log(`  node ${place} ${JSON.stringify(node)}`);
  for (const input of smallest.inputs) console.log(`  input ${JSON.stringify(input)}`);
  console.log(`  ours          ${JSON.stringify(run(smallest))}`);
  console.log(`  Kafka Streams ${JSON.stringify(await oracle.run(smallest))}`);
}

async function main(): Promise<void> {
  const { cases, seed, golden } = commandLine(USAGE, readSettings);
  buildOracle();
  const oracle = new Oracle();
  const agreed: { spec: CaseSpec; outcome: Outcome }[] = [];
  const different: number[] = [];
  let told = 0;
  const startedMs = performance.now();
  for (let from = seed; from < seed + cases; from += AHEAD) {
    const specs = Array.from({ length: Math.min(AHEAD, seed + cases - from) }, (_, index) =>
      generate(from + index),
    );
    const theirs = await Promise.all(specs.map((spec) => oracle.run(spec)));
    for (const [index, spec] of specs.entries()) {
      const ours = run(spec);
      const outcome = theirs[index]!;
      const kind = kindOf(ours, outcome);
      if (kind === 'none') agreed.push({ spec, outcome });
      else if (different.push(Number(spec.id)) <= SHOWN_MAX) await show(spec, kind, oracle);
    }
    const done = agreed.length + different.length;
    if (done - told >= PROGRESS_EVERY) {
      told = done;
      console.error(`${done} cases, ${different.length} differ`);
    }
  }
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(
    `\n${cases} cases of seeds ${seed} to ${seed + cases - 1} in ${seconds.toFixed(0)} s: ${different.length} differ`,
  );
  if (different.length > 0) console.log(`they are ${different.slice(0, 100).join(' ')}`);
  if (golden) writeGolden(agreed);
  oracle.close();
  process.exitCode = different.length === 0 ? 0 : 1;
}

await main();
