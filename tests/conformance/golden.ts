/** Cases with what Kafka Streams made of them, kept so that the tests need no Java. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CaseSpec, NodeSpec, Outcome, WindowsSpec } from './spec.ts';

const FILE = join(process.cwd(), 'tests/conformance/golden/cases.jsonl');
const BYTES_MAX = 1_800_000;
const CASES_MAX = 500;

export interface GoldenCase {
  readonly spec: CaseSpec;
  readonly outcome: Outcome;
}

/** One case a line. */
function readAll(): GoldenCase[] {
  return readFileSync(FILE, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as GoldenCase);
}

/** Those of one partition a topic. */
export function readGolden(): GoldenCase[] {
  return readAll().filter(({ spec }) => spec.partitions === undefined);
}

export function readPartitionedGolden(): GoldenCase[] {
  return readAll().filter(({ spec }) => spec.partitions !== undefined);
}

function kindOf(windows: WindowsSpec): string {
  if ('gapMs' in windows) return 'session';
  if ('differenceMs' in windows) return 'sliding';
  return windows.sizeMs === windows.advanceMs ? 'tumbling' : 'hopping';
}

/** What a node puts to the test: the operator, how it is set, and what it stands on. */
function featureOf(node: NodeSpec, nodes: readonly NodeSpec[]): string {
  const { op, kind, cached, windows, joinWindows, store, maxRecords, of } = node;
  const grace = windows?.graceMs ?? joinWindows?.graceMs;
  const settings = [
    kind,
    cached === true ? 'cached' : '',
    store === undefined ? '' : 'kept',
    maxRecords === undefined ? '' : 'bounded',
    windows === undefined ? '' : kindOf(windows),
    node.onClose === true ? 'on close' : '',
    grace === undefined ? '' : grace > 0 ? 'grace' : 'no grace',
  ];
  return [op, ...settings, of === undefined ? '' : nodes[of]!.op].join(' ');
}

/** Those that show something new first, then others, as far as there is room. */
function chosen(cases: readonly GoldenCase[]): GoldenCase[] {
  const seen = new Set<string>();
  const [telling, others]: [GoldenCase[], GoldenCase[]] = [[], []];
  for (const each of cases) {
    const { nodes } = each.spec;
    if (!Object.values(each.outcome.topics ?? {}).some((records) => records.length > 0)) continue;
    const prefix = each.spec.partitions === undefined ? '' : 'partitioned ';
    const features = nodes
      .map((node) => prefix + featureOf(node, nodes))
      .filter((feature) => !seen.has(feature));
    for (const feature of features) seen.add(feature);
    (features.length > 0 ? telling : others).push(each);
  }
  let bytes = 0;
  return [...telling, ...others].slice(0, CASES_MAX).filter((each) => {
    bytes += Buffer.byteLength(JSON.stringify(each)) + 1;
    return bytes <= BYTES_MAX;
  });
}

export function writeGolden(cases: readonly GoldenCase[]): void {
  const kept = chosen(cases);
  writeFileSync(FILE, `${kept.map((each) => JSON.stringify(each)).join('\n')}\n`);
  console.log(`${kept.length} golden cases written`);
}
