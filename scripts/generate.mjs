/**
 * Generates schemas/generated/ from schemas/avro/: the TypeScript types and the catalogue of self-contained schemas.
 * `node scripts/generate.mjs --check` changes nothing and exits 1 where the generated files are stale.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'schemas/avro');
const target = join(root, 'schemas/generated');
const PRIMITIVES = {
  string: 'string',
  long: 'number',
  int: 'number',
  double: 'number',
  boolean: 'boolean',
  null: 'null',
  bytes: 'Buffer',
};
const UNITS = new Set(['PriceTicks', 'QuantityMicros', 'CashMicros']);

const files = new Map();
for (const path of readdirSync(source, { recursive: true })
  .filter((name) => name.endsWith('.avsc'))
  .sort()) {
  const schema = JSON.parse(readFileSync(join(source, path), 'utf8'));
  files.set(`${schema.namespace}.${schema.name}`, schema);
}

/** Inlines named types of other files at their first use, so that each schema stands alone. */
function inline(schema, seen) {
  if (typeof schema === 'string') {
    if (schema in PRIMITIVES || seen.has(schema)) return schema;
    const named = files.get(schema);
    if (!named) throw new Error(`unknown type ${schema}`);
    return inline(named, seen);
  }
  if (Array.isArray(schema)) return schema.map((branch) => inline(branch, seen));
  if (schema.type === 'array') return { ...schema, items: inline(schema.items, seen) };
  if (schema.type === 'map') return { ...schema, values: inline(schema.values, seen) };
  if (schema.type === 'record' || schema.type === 'enum') {
    seen.add(`${schema.namespace}.${schema.name}`);
    if (schema.type === 'enum') return schema;
    return {
      ...schema,
      fields: schema.fields.map(({ brand, ...field }) => ({ ...field, type: inline(field.type, seen) })),
    };
  }
  return schema;
}

const declared = new Map();
const brands = new Set();

function comment(text, indent = '') {
  return text ? `${indent}/** ${text} */\n` : '';
}

function typeOf(schema, brand) {
  if (typeof schema === 'string') {
    if (schema in PRIMITIVES) return brand && schema !== 'null' ? brand : PRIMITIVES[schema];
    return schema.slice(schema.lastIndexOf('.') + 1);
  }
  if (Array.isArray(schema))
    return schema
      .map((branch) => typeOf(branch, brand))
      .sort((a, b) => (a === 'null') - (b === 'null'))
      .join(' | ');
  if (schema.type === 'array') return `readonly ${typeOf(schema.items)}[]`;
  if (schema.type === 'map') return `Readonly<Record<string, ${typeOf(schema.values)}>>`;
  declare(schema);
  return schema.name;
}

function declare(schema) {
  if (declared.has(schema.name)) return;
  declared.set(schema.name, '');
  if (schema.type === 'enum') {
    declared.set(
      schema.name,
      `${comment(schema.doc)}export type ${schema.name} = ${schema.symbols.map((symbol) => `'${symbol}'`).join(' | ')};\n`,
    );
    return;
  }
  const fields = schema.fields.map((field) => {
    if (field.brand) brands.add(field.brand);
    return `${comment(field.doc, '  ')}  readonly ${field.name}: ${typeOf(field.type, field.brand)};\n`;
  });
  declared.set(schema.name, `${comment(schema.doc)}export interface ${schema.name} {\n${fields.join('')}}\n`);
}

for (const schema of files.values()) declare(schema);
const records = [...files].filter(([, schema]) => schema.type === 'record');
const ids = [...brands].filter((brand) => !UNITS.has(brand)).sort();
const units = [...brands].filter((brand) => UNITS.has(brand)).sort();
const notice = '// Generated from schemas/avro by scripts/generate.mjs. Do not edit.\n';
const types = `${notice}import type { ${ids.join(', ')} } from '../ids.ts';
import type { ${units.join(', ')} } from '../units.ts';

${[...declared]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([, text]) => text)
  .join('\n')}
/** The TypeScript type of each schema, by full name. */
export interface SchemaTypes {
${records.map(([name, schema]) => `  readonly '${name}': ${schema.name};\n`).join('')}}

export type SchemaName = keyof SchemaTypes;
`;
const catalog = `${notice}import type { SchemaName } from './types.ts';

/** Each schema as one self-contained Avro document in JSON. */
export const SCHEMA_CATALOG: Readonly<Record<SchemaName, string>> = {
${records.map(([name]) => `  '${name}':\n    ${JSON.stringify(JSON.stringify(inline(name, new Set())))},\n`).join('')}};
`;

let stale = false;
for (const [name, text] of [
  ['types.ts', types],
  ['catalog.ts', catalog],
]) {
  const path = join(target, name);
  if (process.argv.includes('--check')) {
    if (readFileSync(path, 'utf8') !== text) {
      stale = true;
      console.error(`schemas/generated/${name} is stale: run npm run generate`);
    }
  } else writeFileSync(path, text);
}
process.exitCode = stale ? 1 : 0;
