import { type Headers, NO_HEADERS } from '../../record.ts';
import type { OutcomeKind } from './workload.ts';

/** A committed record of a topic, as whoever compares looks at it. */
export interface OutcomeRecord {
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
}

/** What a run came to. */
export interface Outcome {
  /** Committed records by topic and partition. */
  readonly topics: ReadonlyMap<string, readonly (readonly OutcomeRecord[])[]>;
  /** Committed entries as text, by `application/store/partition`. */
  readonly stores: ReadonlyMap<string, readonly string[]>;
}

function bytesText(bytes: Buffer | null): string {
  if (bytes === null) return 'null';
  const text = bytes.toString('utf8');
  return /^[\x20-\x7e]*$/.test(text) ? text : `0x${bytes.toString('hex')}`;
}

export function recordText({ timestamp, key, value, headers }: OutcomeRecord): string {
  const noted = headers.map((header) => `${header.key}:${bytesText(header.value)}`).join(',');
  return `${bytesText(key)} = ${bytesText(value)} @${timestamp}${noted === '' ? '' : ` {${noted}}`}`;
}

export function entryText(key: Buffer, value: Buffer): string {
  return `${bytesText(key)} = ${bytesText(value)}`;
}

/** The first place where two lists of lines part, or null. */
export function firstDifference(
  what: string,
  actual: readonly string[],
  expected: readonly string[],
): string | null {
  for (let index = 0; index < Math.max(actual.length, expected.length); index += 1) {
    if (actual[index] === expected[index]) continue;
    const text = (line: string | undefined): string => line ?? 'nothing';
    return `${what}, line ${index} of ${actual.length}: ${text(actual[index])}; undisturbed: ${text(expected[index])} (of ${expected.length})`;
  }
  return null;
}

function byKey(partitions: readonly (readonly OutcomeRecord[])[]): Map<string, string[]> {
  const keys = new Map<string, string[]>();
  for (const record of partitions.flat()) {
    const key = bytesText(record.key);
    const lines = keys.get(key);
    if (lines === undefined) keys.set(key, [recordText(record)]);
    else lines.push(recordText(record));
  }
  return keys;
}

function linesOf(kind: OutcomeKind, partitions: readonly (readonly OutcomeRecord[])[]): string[] {
  if (kind === 'records')
    return partitions.flatMap((records, partition) =>
      records.map((record) => `partition ${partition}: ${recordText(record)}`),
    );
  if (kind === 'any-order') return partitions.flat().map(recordText).sort();
  // Which record's headers the last one has may depend on which came last.
  if (kind === 'last-by-key' || kind === 'last-value-by-key') {
    const bare = ({ key, value, timestamp }: OutcomeRecord): OutcomeRecord => ({
      key,
      value,
      timestamp: kind === 'last-by-key' ? timestamp : 0,
      headers: NO_HEADERS,
    });
    return linesOfKeys(partitions.map((records) => records.map(bare))).map((lines) => lines.at(-1)!);
  }
  return kind === 'records-by-key' ? linesOfKeys(partitions).flat() : [];
}

function linesOfKeys(partitions: readonly (readonly OutcomeRecord[])[]): string[][] {
  return [...byKey(partitions)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, lines]) => lines);
}

/** What of an outcome is not as in an undisturbed run, or null. @param storeNames the stores to look at; all of them where null */
export function compareOutcomes(
  actual: Outcome,
  expected: Outcome,
  kindOf: (topic: string) => OutcomeKind,
  storeNames: readonly string[] | null,
): string | null {
  const names = new Set([...actual.topics.keys(), ...expected.topics.keys()]);
  for (const topic of [...names].sort()) {
    const kind = kindOf(topic);
    const [ours, theirs] = [actual, expected].map((each) => linesOf(kind, each.topics.get(topic) ?? []));
    const difference = firstDifference(`topic ${topic} (${kind})`, ours!, theirs!);
    if (difference !== null) return difference;
  }
  const stores = new Set([...actual.stores.keys(), ...expected.stores.keys()]);
  for (const store of [...stores].sort()) {
    if (storeNames !== null && !storeNames.includes(store.split('/')[1]!)) continue;
    const difference = firstDifference(
      `store ${store}`,
      actual.stores.get(store) ?? [],
      expected.stores.get(store) ?? [],
    );
    if (difference !== null) return difference;
  }
  return null;
}
