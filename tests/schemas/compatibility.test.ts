import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeProblems } from '../../schemas/compatibility.ts';
import { SCHEMA_CATALOG } from '../../schemas/generated/catalog.ts';
import type { SchemaName } from '../../schemas/generated/types.ts';

type Fields = readonly Record<string, unknown>[];

const record = (fields: Fields, name = 'Trade'): object => ({
  type: 'record',
  name,
  namespace: 'test',
  fields,
});
const colour = (symbols: readonly string[], rest: object = {}): object => ({
  type: 'enum',
  name: 'Colour',
  namespace: 'test',
  symbols,
  ...rest,
});
const problems = (schema: object, before: object): readonly string[] =>
  changeProblems(JSON.stringify(schema), JSON.stringify(before));

const ID = { name: 'id', type: 'string' };
const PRICE = { name: 'price', type: 'long' };

test('takes what leaves both directions open', () => {
  const before = record([ID, PRICE, { name: 'side', type: colour(['RED']) }]);
  for (const after of [
    before,
    record([PRICE, ID, { name: 'side', type: colour(['RED', 'BLUE']) }]),
    record([
      ID,
      PRICE,
      { name: 'side', type: colour(['RED']) },
      { name: 'venue', type: 'string', default: '' },
    ]),
    record([ID, { name: 'price', type: 'double' }, { name: 'side', type: colour(['RED']) }]),
    record([ID, { name: 'price', type: ['null', 'long'] }, { name: 'side', type: colour(['RED']) }]),
  ])
    assert.deepEqual(problems(after, before), []);
  assert.deepEqual(problems(record([ID]), record([ID, { ...PRICE, default: 0 }])), []);
});

test('names the field that breaks, at any depth', () => {
  const nested = (fields: Fields): object =>
    record([{ name: 'legs', type: { type: 'array', items: ['null', record(fields, 'Leg')] } }]);
  const cases: readonly (readonly [object, object, RegExp])[] = [
    [record([ID]), record([ID, PRICE]), /^field price is gone and had no default/],
    [record([ID, PRICE]), record([ID]), /^field price is new and has no default; give it one$/],
    [
      record([ID, { name: 'price', type: 'string' }]),
      record([ID, PRICE]),
      /^field price: it was long and is string now/,
    ],
    [
      record([ID, { name: 'price', type: ['null', 'string'] }]),
      record([ID, { name: 'price', type: ['null', 'long'] }]),
      /^field price: what was written as long is none of \[null, string\]/,
    ],
    [
      record([{ name: 'side', type: colour(['RED']) }]),
      record([{ name: 'side', type: colour(['RED', 'BLUE']) }]),
      /^field side: the symbols BLUE of test\.Colour are gone; keep them$/,
    ],
    [nested([ID]), nested([ID, PRICE]), /^field legs\[\]\.price is gone/],
    [
      nested([ID, { name: 'price', type: 'string' }]),
      nested([ID, PRICE]),
      /^field legs\[\]\.price: it was long/,
    ],
    [
      record([{ name: 'leg', type: record([ID], 'Leg') }]),
      record([{ name: 'leg', type: record([ID], 'Part') }]),
      /^field leg: it was test\.Part and is test\.Leg now/,
    ],
  ];
  for (const [after, before, message] of cases) {
    const found = problems(after, before);
    assert.equal(found.length, 1, JSON.stringify(found));
    assert.match(found[0]!, message);
  }
});

test('no field of any schema of the platform can be dropped, changed or added without a word', () => {
  for (const name of Object.keys(SCHEMA_CATALOG) as SchemaName[]) {
    const text = SCHEMA_CATALOG[name];
    assert.deepEqual(changeProblems(text, text), [], name);
    const { fields, ...rest } = JSON.parse(text) as { readonly fields: Fields };
    for (const field of fields) {
      const without = JSON.stringify({ ...rest, fields: fields.filter((each) => each !== field) });
      const path = new RegExp(`field ${field.name} `);
      if ('default' in field) continue;
      assert.match(changeProblems(without, text).join(), path, `${name} without ${field.name}`);
      assert.match(changeProblems(text, without).join(), path, `${name} with ${field.name}`);
    }
  }
});
