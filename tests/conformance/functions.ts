/**
 * The functions that cases are written with. infra/kafka-streams-oracle has each of them in Java under the same name; both work on text and
 * whole numbers alike by way of `text` and `code`.
 */
import type { KeyValue, Windowed } from '../../streams/index.ts';

type Unary = (key: unknown, value: unknown) => unknown;

function isWindowed(value: unknown): value is Windowed<unknown> {
  return typeof value === 'object' && value !== null && 'window' in value;
}

export function text(value: unknown): string {
  if (value === null || value === undefined) return 'nil';
  return isWindowed(value) ? `${text(value.key)}@${value.window.startMs}` : String(value);
}

/** A number that stands for a value: of a number its amount, of text the sum of its characters. */
export function code(value: unknown): number {
  if (typeof value === 'number') return Math.abs(value);
  let sum = 0;
  const characters = text(value);
  for (let index = 0; index < characters.length; index += 1) sum += characters.charCodeAt(index);
  return sum;
}

/** Keeps texts short, whatever they go through. */
function clip(value: string): string {
  return value.slice(-8);
}

/** Those marked `refusesInitial` hold for no value that an aggregation starts from. */
export const PREDICATES: Readonly<Record<string, (key: unknown, value: unknown) => boolean>> = {
  valueEven: (_key, value) => value !== null && code(value) > 0 && code(value) % 2 === 0,
  valueShort: (_key, value) => value !== null && code(value) > 0 && text(value).length <= 2,
  valuePresent: (_key, value) => value !== null,
  keyPresent: (key) => key !== null,
  keyEven: (key) => key !== null && code(key) % 2 === 0,
};

export const TO_TEXT: Readonly<Record<string, Unary>> = {
  mark: (_key, value) => (value === null ? null : clip(`${text(value)}!`)),
  withKey: (key, value) => clip(`${text(key)}:${text(value)}`),
  dropOdd: (_key, value) => (value === null || code(value) % 2 !== 0 ? null : text(value)),
};

export const TO_NUMBER: Readonly<Record<string, Unary>> = {
  length: (_key, value) => (value === null ? null : text(value).length),
  code: (_key, value) => (value === null ? null : code(value)),
  codeOrZero: (_key, value) => (value === null ? 0 : code(value)),
  dropOddCode: (_key, value) => (value === null || code(value) % 2 !== 0 ? null : code(value)),
};

export const KEYS: Readonly<Record<string, Unary>> = {
  firstOfValue: (_key, value) => (value === null || code(value) === 0 ? null : text(value).slice(0, 1)),
  valueBucket: (_key, value) => (value === null || code(value) === 0 ? null : `m${code(value) % 3}`),
  keyBucket: (key) => (key === null ? null : `k${code(key) % 2}`),
  keyText: (key) => (key === null ? null : text(key)),
  always: () => 'all',
};

export const EXPAND: Readonly<Record<string, (value: unknown) => readonly string[]>> = {
  letters: (value) => (value === null ? [] : [...text(value)].slice(0, 4)),
  twice: (value) => [clip(text(value)), clip(`${text(value)}'`)],
  unlessOdd: (value) => (code(value) % 2 === 0 ? [text(value)] : []),
};

export const EXPAND_KEYS: Readonly<
  Record<string, (key: unknown, value: unknown) => readonly KeyValue<string, string>[]>
> = {
  letterKeys: (_key, value) => EXPAND.letters!(value).map((key) => ({ key, value: clip(text(value)) })),
  thereAndBack: (key, value) => [
    { key: text(key), value: text(value) },
    { key: clip(text(value)), value: text(key) },
  ],
};

export const REDUCERS: Readonly<Record<string, (aggregate: unknown, value: unknown) => unknown>> = {
  concat: (aggregate, value) => clip(text(aggregate) + text(value)),
  latest: (_aggregate, value) => value,
  dropSame: (aggregate, value) =>
    text(aggregate) === text(value) ? null : clip(text(aggregate) + text(value)),
  unconcat: (aggregate, value) => clip(`${text(aggregate)}-${text(value)}`),
  sum: (aggregate, value) => Number(aggregate) + Number(value),
  greatest: (aggregate, value) => Math.max(Number(aggregate), Number(value)),
  dropAboveTwenty: (aggregate, value) =>
    Number(aggregate) + Number(value) > 20 ? null : Number(aggregate) + Number(value),
  minus: (aggregate, value) => Number(aggregate) - Number(value),
};

export const AGGREGATORS: Readonly<
  Record<string, (key: unknown, value: unknown, aggregate: unknown) => unknown>
> = {
  collect: (_key, value, aggregate) => clip(text(aggregate) + text(value)),
  collectSome: (_key, value, aggregate) =>
    text(aggregate).length > 5 ? null : clip(text(aggregate) + text(value)),
  uncollect: (_key, value, aggregate) => clip(`${text(aggregate)}-${text(value)}`),
  total: (_key, value, aggregate) => Number(aggregate) + code(value),
  totalSome: (_key, value, aggregate) => (Number(aggregate) > 300 ? null : Number(aggregate) + code(value)),
  untotal: (_key, value, aggregate) => Number(aggregate) - code(value),
};

export const JOINERS: Readonly<Record<string, (left: unknown, right: unknown) => unknown>> = {
  pair: (left, right) => clip(`${text(left)}/${text(right)}`),
  pairSome: (left, right) =>
    (code(left) + code(right)) % 3 === 0 ? null : clip(`${text(left)}/${text(right)}`),
};
