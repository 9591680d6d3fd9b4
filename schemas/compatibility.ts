import {
  type AvroRecord,
  type AvroSchema,
  isArray,
  isEnum,
  isMap,
  isRecord,
  isUnion,
  nameOf,
} from './avroDocument.ts';

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

function isNamed(schema: AvroSchema): boolean {
  return isRecord(schema) || isEnum(schema);
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
    // A record that is there under its own name is the one that was meant: what is wrong within it is told.
    const same = isNamed(writer) ? reader.find((branch) => nameOf(branch) === nameOf(writer)) : undefined;
    if (same !== undefined) {
      this.compare(same, writer, path);
      return;
    }
    const before = this.problems.length;
    for (const branch of reader) {
      if (this.compare(branch, writer, path)) return;
      this.problems.length = before;
    }
    this.problems.push(
      `field ${path}: what was written as ${nameOf(writer)} is none of ${nameOf(reader)}; keep that type in the union`,
    );
  }

  #checkRemoved(reader: AvroRecord, writer: AvroRecord, path: string): void {
    for (const { name, ...field } of writer.fields) {
      if ('default' in field || reader.fields.some((kept) => kept.name === name)) continue;
      const at = path === '' ? name : `${path}.${name}`;
      this.problems.push(
        `field ${at} is gone and had no default, so the version before could not read what is written now; keep it`,
      );
    }
  }

  #compareSingle(reader: AvroSchema, writer: AvroSchema, path: string): void {
    if (isRecord(reader) && isRecord(writer) && nameOf(reader) === nameOf(writer)) {
      const pair = `${nameOf(reader)}<${nameOf(writer)}`;
      if (this.#seen.has(pair)) return;
      this.#seen.add(pair);
      this.#checkRemoved(reader, writer, path);
      for (const field of reader.fields) {
        const at = path === '' ? field.name : `${path}.${field.name}`;
        const written = writer.fields.find(({ name }) => name === field.name);
        if (written !== undefined) this.compare(field.type, written.type, at);
        else if (!('default' in field))
          this.problems.push(`field ${at} is new and has no default; give it one`);
      }
    } else if (isEnum(reader) && isEnum(writer) && nameOf(reader) === nameOf(writer)) {
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
 * What keeps a schema from following another: by Avro's rules of schema resolution it must read what was written before, and it must have
 * every field that readers of before cannot do without, so that one may go back a version. Symbols may be added to an enum.
 * Empty where nothing does.
 * @param schema JSON text of the new schema
 * @param before JSON text of the one in use
 */
export function changeProblems(schema: string, before: string): readonly string[] {
  const [reader, writer] = [JSON.parse(schema) as AvroSchema, JSON.parse(before) as AvroSchema];
  const comparison = new Comparison(reader, writer);
  comparison.compare(reader, writer, '');
  return comparison.problems;
}
