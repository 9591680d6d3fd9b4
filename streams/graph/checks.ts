import { isSerde } from '../../stores/serde.ts';
import { shown } from '../../stores/storeArguments.ts';
import { StreamsError } from '../errors.ts';

/** What a topology is told is checked here, as a caller without types may pass anything. Each check names the place, the value and what is right. */
export function refuse(message: string): never {
  throw new StreamsError('STREAMS_TOPOLOGY', message);
}

/** @throws StreamsError STREAMS_TOPOLOGY where it is neither left out nor a function */
export function checkOptionalFunction(place: string, what: string, signature: string, given: unknown): void {
  if (given !== undefined && typeof given !== 'function')
    refuse(`${place}: its ${what} is ${shown(given)}; leave it out or pass a function ${signature}`);
}

/** @throws StreamsError STREAMS_TOPOLOGY where it is none of the values there are */
export function checkOneOf(place: string, what: string, valid: readonly string[], given: unknown): void {
  if (!valid.some((each) => each === given))
    refuse(`${place}: its ${what} is ${shown(given)}; give one of ${valid.join(', ')}`);
}

/** The topics that a source is to read, by their names. @throws StreamsError STREAMS_TOPOLOGY for a pattern and other things that are no names */
export function topicNames(place: string, given: unknown): readonly string[] {
  const names = typeof given === 'string' ? [given] : given;
  if (!Array.isArray(names) || names.some((name) => typeof name !== 'string')) {
    const what = given instanceof RegExp ? 'a pattern, which cannot be subscribed to' : shown(given);
    refuse(`${place} reads ${what}; pass the name of a topic, or an array of names`);
  }
  return names;
}

interface SerdePair {
  readonly keySerde?: unknown;
  readonly valueSerde?: unknown;
}

/** @throws StreamsError STREAMS_TOPOLOGY where keys or values have no serde, or what is none */
export function checkSerdes(place: string, options: SerdePair | undefined): void {
  for (const what of ['key', 'value'] as const) {
    const serde = options?.[`${what}Serde`];
    if (serde === undefined || serde === null)
      refuse(`${place} has no serde for its ${what}; pass keySerde and valueSerde`);
    if (!isSerde(serde)) refuseSerde(place, what, serde);
  }
}

/** Refuses what was passed as a serde and is none. */
export function refuseSerde(place: string, what: 'key' | 'value', given: unknown): never {
  return refuse(`${place}: its ${what}Serde is ${shown(given)}; pass one with serialize and deserialize`);
}

const OFFSET_RESETS = ['earliest', 'latest'] as const;

interface Reading {
  readonly timestampExtractor?: unknown;
  readonly offsetReset?: unknown;
}

/** The settings of a source beside its serdes. @throws StreamsError STREAMS_TOPOLOGY */
export function checkReading(place: string, { timestampExtractor, offsetReset }: Reading): void {
  const signature = '(record, partitionTimeMs) => timestampMs';
  checkOptionalFunction(place, 'timestampExtractor', signature, timestampExtractor);
  if (offsetReset !== undefined) checkOneOf(place, 'offsetReset', OFFSET_RESETS, offsetReset);
}

/** All settings of a source. @throws StreamsError STREAMS_TOPOLOGY naming it */
export function checkSource(name: string, options: (SerdePair & Reading) | undefined): void {
  checkSerdes(`node ${name}`, options);
  checkReading(`source ${name}`, options ?? {});
}

export function checkPartitioner(place: string, given: unknown, what = 'partitioner'): void {
  checkOptionalFunction(place, what, '(topic, key, value, partitions) => partition or null', given);
}

/** @throws StreamsError STREAMS_TOPOLOGY where it makes no processors, gives one to all that ask, or gives what is none */
export function checkSupplier(place: string, supplier: { readonly get?: unknown } | null | undefined): void {
  if (typeof supplier?.get !== 'function')
    refuse(`${place} needs what makes its processor; pass a supplier { get: () => processor }`);
  const made = [0, 1].map(() => (supplier as { get(): unknown }).get());
  for (const processor of made) {
    if (typeof (processor as { readonly process?: unknown } | null | undefined)?.process !== 'function')
      refuse(
        `${place}: its supplier gave ${shown(processor)}, which has no process(record); return a processor`,
      );
  }
  // As in Kafka Streams: one that tasks share would mix what they keep.
  if (made[0] === made[1])
    refuse(`${place}: its supplier gives the same processor again; make a new one in each call of get()`);
}
