/** An Avro schema as JSON, as far as the rules of compatibility look into it. */
export type AvroSchema =
  | string
  | AvroRecord
  | AvroEnum
  | AvroArray
  | AvroMap
  | readonly AvroSchema[]
  | { readonly type: AvroSchema };

export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly default?: unknown;
}

export interface AvroRecord {
  readonly type: 'record';
  readonly name: string;
  readonly namespace?: string;
  readonly fields: readonly AvroField[];
}

export interface AvroEnum {
  readonly type: 'enum';
  readonly name: string;
  readonly namespace?: string;
  readonly symbols: readonly string[];
  readonly default?: string;
}

export interface AvroArray {
  readonly type: 'array';
  readonly items: AvroSchema;
}

export interface AvroMap {
  readonly type: 'map';
  readonly values: AvroSchema;
}

export function isRecord(schema: AvroSchema): schema is AvroRecord {
  return typeof schema === 'object' && 'fields' in schema;
}

export function isEnum(schema: AvroSchema): schema is AvroEnum {
  return typeof schema === 'object' && 'symbols' in schema;
}

export function isArray(schema: AvroSchema): schema is AvroArray {
  return typeof schema === 'object' && 'items' in schema;
}

export function isMap(schema: AvroSchema): schema is AvroMap {
  return typeof schema === 'object' && 'values' in schema && !Array.isArray(schema);
}

export function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}

/** The name a schema goes by in messages. */
export function nameOf(schema: AvroSchema): string {
  if (typeof schema === 'string') return schema;
  if (isUnion(schema)) return `[${schema.map(nameOf).join(', ')}]`;
  if (isRecord(schema) || isEnum(schema))
    return schema.namespace ? `${schema.namespace}.${schema.name}` : schema.name;
  if (isArray(schema)) return `array of ${nameOf(schema.items)}`;
  if (isMap(schema)) return `map of ${nameOf(schema.values)}`;
  return nameOf(schema.type);
}
