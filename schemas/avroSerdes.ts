import avro from 'avsc';
import type { Serde } from '../stores/serde.ts';
import { stringSerde } from '../stores/serdes.ts';
import { SchemaError } from './errors.ts';
import { SCHEMA_CATALOG } from './generated/catalog.ts';
import type { SchemaName, SchemaTypes } from './generated/types.ts';
import { HOT_CODECS, type HotCodec, UNFIT } from './quoteCodecs.ts';
import type { SchemaRegistry } from './registry/registry.ts';
import type { Serdes } from './serdes.ts';
import type { TopicDefinition } from './topic.ts';

/** Confluent wire format: a zero byte, the schema id in four bytes, the Avro body. */
const HEADER_BYTES = 5;
const MAGIC = 0;
/** Where values are encoded before their length is known. */
const SCRATCH = Buffer.allocUnsafe(4096);

function typeOf(schema: string): avro.Type {
  return avro.Type.forSchema(JSON.parse(schema) as avro.Schema, { wrapUnions: false });
}

/** The schemas that records may have been written with, by id. Known ones are compiled when they are first met. */
class Writers {
  readonly #schemas = new Map<number, string>();

  add(id: number, schema: string): void {
    this.#schemas.set(id, schema);
  }

  schema(id: number): string {
    const schema = this.#schemas.get(id);
    if (schema === undefined) throw new SchemaError('SCHEMA_UNKNOWN_ID', `schema id ${id} is not registered`);
    return schema;
  }
}

class AvroSerde<T> implements Serde<T> {
  readonly #name: string;
  readonly #id: number;
  readonly #type: avro.Type;
  readonly #hot: HotCodec<T> | null;
  readonly #writers: Writers;
  readonly #resolvers = new Map<number, { readonly type: avro.Type; readonly resolver: avro.Resolver }>();

  constructor(name: SchemaName, id: number, writers: Writers) {
    this.#name = name;
    this.#id = id;
    this.#type = typeOf(SCHEMA_CATALOG[name]);
    this.#hot = (HOT_CODECS[name] ?? null) as HotCodec<T> | null;
    this.#writers = writers;
  }

  serialize(topic: string, value: T): Buffer {
    const end = this.serializeInto(topic, value, SCRATCH, 0);
    if (end >= 0) return Buffer.from(SCRATCH.subarray(0, end));
    for (let length = 4 * SCRATCH.length; ; length *= 4) {
      const buffer = Buffer.allocUnsafe(length);
      const largeEnd = this.serializeInto(topic, value, buffer, 0);
      if (largeEnd >= 0) return buffer.subarray(0, largeEnd);
    }
  }

  serializeInto(topic: string, value: T, target: Buffer, offset: number): number {
    if (offset + HEADER_BYTES > target.length) return -1;
    target[offset] = MAGIC;
    target.writeUInt32BE(this.#id, offset + 1);
    let end = this.#hot === null ? UNFIT : this.#hot.encode(value, target, offset + HEADER_BYTES);
    if (end !== UNFIT) return end;
    try {
      end = this.#type.encode(value, target, offset + HEADER_BYTES);
    } catch (cause) {
      throw new SchemaError(
        'SCHEMA_MALFORMED',
        `${topic}: the value does not fit ${this.#name}: ${messageOf(cause)}`,
        { cause },
      );
    }
    return end < 0 ? -1 : end;
  }

  deserialize(topic: string, bytes: Buffer): T {
    if (bytes.length < HEADER_BYTES || bytes[0] !== MAGIC) {
      throw new SchemaError(
        'SCHEMA_BAD_MAGIC',
        `${topic}: the bytes do not begin with a zero byte and a schema id`,
      );
    }
    const id = bytes.readUInt32BE(1);
    const hot = id === this.#id ? (this.#hot?.decode?.(bytes, HEADER_BYTES) ?? null) : null;
    if (hot !== null) return hot;
    try {
      const { value, offset } = (
        id === this.#id ? this.#type.decode(bytes, HEADER_BYTES) : this.#decodeOlder(id, bytes)
      ) as {
        readonly value: T;
        readonly offset: number;
      };
      if (offset !== bytes.length)
        throw new Error(offset < 0 ? 'truncated' : `${bytes.length - offset} bytes too many`);
      return value;
    } catch (cause) {
      if (cause instanceof SchemaError) throw cause;
      throw new SchemaError(
        'SCHEMA_MALFORMED',
        `${topic}: the bytes do not fit ${this.#name}: ${messageOf(cause)}`,
        { cause },
      );
    }
  }

  #decodeOlder(id: number, bytes: Buffer): unknown {
    let known = this.#resolvers.get(id);
    if (known === undefined) {
      const type = typeOf(this.#writers.schema(id));
      known = { type, resolver: this.#type.createResolver(type) };
      this.#resolvers.set(id, known);
    }
    return this.#type.decode(bytes, HEADER_BYTES, known.resolver);
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** The subject of a topic's values, by Confluent's TopicNameStrategy. */
export function valueSubject(topic: string): string {
  return `${topic}-value`;
}

/**
 * Registers every schema, the topics' and the stores', and returns their serdes. The order of registration is fixed, so a new registry
 * gives the same ids every time.
 * @throws SchemaError SCHEMA_INCOMPATIBLE where a schema cannot read what was written before; SCHEMA_REGISTRY
 */
export async function createSerdes(
  registry: SchemaRegistry,
  topics: readonly TopicDefinition[],
): Promise<Serdes> {
  const writers = new Writers();
  const serdes = new Map<SchemaName, Serde<unknown>>();
  const ids = new Map<SchemaName, number>();
  for (const name of (Object.keys(SCHEMA_CATALOG) as SchemaName[]).sort())
    ids.set(name, await registry.register(name, SCHEMA_CATALOG[name]));
  for (const topic of [...topics].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    await registry.register(valueSubject(topic.name), SCHEMA_CATALOG[topic.schema]);
  }
  for (const { id, schema } of await registry.all()) writers.add(id, schema);
  const serde = <S extends SchemaName>(name: S): Serde<SchemaTypes[S]> => {
    let known = serdes.get(name);
    if (known === undefined) {
      const id = ids.get(name);
      if (id === undefined) throw new SchemaError('SCHEMA_UNKNOWN', `there is no schema ${name}`);
      known = new AvroSerde<SchemaTypes[S]>(name, id, writers) as Serde<unknown>;
      serdes.set(name, known);
    }
    return known as Serde<SchemaTypes[S]>;
  };
  return { key: stringSerde, value: ({ schema }) => serde(schema), store: serde };
}
