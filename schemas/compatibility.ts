import { type AvroSchema, isArray, isEnum, isMap, isRecord, isUnion, nameOf } from './avroDocument.ts';

/** Primitive types a reader may widen to (Avro specification, schema resolution). */
const PROMOTIONS: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
};

type Named = Map<string, AvroSchema>;

function collect(schema: AvroSchema, into: Named): Named {
  if (typeof schema === 'string') return into;
  if (isUnion(schema)) for (const branch of schema) collect(branch, into);
  else if (isRecord(schema)) {
    into.set(nameOf(schema), schema);
    for (const field of schema.fields) collect(field.type, into);
  } else if (isEnum(schema)) into.set(nameOf(schema), schema);
  else if (isArray(schema)) collect(schema.items, into);
  else if (isMap(schema)) collect(schema.values, into);
  else collect(schema.type, into);
  return into;
}

function resolve(schema: AvroSchema, named: Named): AvroSchema {
  if (typeof schema === 'string') return named.get(schema) ?? schema;
  if (!isUnion(schema) && !isRecord(schema) && !isEnum(schema) && !isArray(schema) && !isMap(schema))
    return resolve(schema.type, named);
  return schema;
}

class Comparison {
  readonly #readerNames: Named;
  readonly #writerNames: Named;
  readonly #seen = new Set<string>();
  readonly problems: string[] = [];

  constructor(reader: AvroSchema, writer: AvroSchema) {
    this.#readerNames = collect(reader, new Map());
    this.#writerNames = collect(writer, new Map());
  }

  compare(readerSchema: AvroSchema, writerSchema: AvroSchema, path: string): boolean {
    const reader = resolve(readerSchema, this.#readerNames);
    const writer = resolve(writerSchema, this.#writerNames);
    const before = this.problems.length;
    if (isUnion(writer)) for (const branch of writer) this.compare(reader, branch, path);
    else if (isUnion(reader)) this.#someBranch(reader, writer, path);
    else this.#compareSingle(reader, writer, path);
    return this.problems.length === before;
  }

  #someBranch(reader: readonly AvroSchema[], writer: AvroSchema, path: string): void {
    const before = this.problems.length;
    for (const branch of reader) {
      if (this.compare(branch, writer, path)) return;
      this.problems.length = before;
    }
    this.problems.push(
      `field ${path}: what was written as ${nameOf(writer)} is none of ${nameOf(reader)}; keep that type in the union`,
    );
  }

  #compareSingle(reader: AvroSchema, writer: AvroSchema, path: string): void {
    if (isRecord(reader) && isRecord(writer)) {
      const pair = `${nameOf(reader)}<${nameOf(writer)}`;
      if (this.#seen.has(pair)) return;
      this.#seen.add(pair);
      for (const field of reader.fields) {
        const at = path === '' ? field.name : `${path}.${field.name}`;
        const written = writer.fields.find(({ name }) => name === field.name);
        if (written !== undefined) this.compare(field.type, written.type, at);
        else if (!('default' in field))
          this.problems.push(`field ${at} is new and has no default; give it one`);
      }
    } else if (isEnum(reader) && isEnum(writer)) {
      const gone = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol));
      if (gone.length > 0 && reader.default === undefined) {
        this.problems.push(
          `field ${path}: the symbols ${gone.join(', ')} of ${nameOf(writer)} are gone; keep them`,
        );
      }
    } else if (isArray(reader) && isArray(writer)) this.compare(reader.items, writer.items, `${path}[]`);
    else if (isMap(reader) && isMap(writer)) this.compare(reader.values, writer.values, `${path}{}`);
    else if (typeof reader === 'string' && typeof writer === 'string') {
      if (reader !== writer && !PROMOTIONS[writer]?.includes(reader)) {
        this.problems.push(`field ${path}: it was ${writer} and is ${reader} now; add a new field instead`);
      }
    } else
      this.problems.push(
        `field ${path}: it was ${nameOf(writer)} and is ${nameOf(reader)} now; add a new field instead`,
      );
  }
}

/**
 * What keeps a reader of one schema from reading records of another, by Avro's rules of schema resolution; empty where nothing does.
 * @param reader JSON text of the schema to read with
 * @param writer JSON text of the schema the records were written with
 */
export function readProblems(reader: string, writer: string): readonly string[] {
  const [readerSchema, writerSchema] = [JSON.parse(reader) as AvroSchema, JSON.parse(writer) as AvroSchema];
  const comparison = new Comparison(readerSchema, writerSchema);
  comparison.compare(readerSchema, writerSchema, '');
  return comparison.problems;
}
