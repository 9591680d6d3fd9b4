/** What operators are drawn from. */
import type { Draft, Handle } from './generate.ts';
import type { Shape, ValueType } from './spec.ts';

/** Draws one more operator behind a stream or a table; false where it does not fit there. */
export type DrawOperator = (draft: Draft, from: Handle) => boolean;

export const PREDICATES = ['valueEven', 'valueShort', 'valuePresent', 'keyPresent', 'keyEven'] as const;
/** Those that hold for no value that an aggregation starts from. */
export const PREDICATES_OF_UPDATES = ['valueEven', 'valueShort'] as const;
export const TO_TEXT = ['mark', 'withKey', 'dropOdd'] as const;
export const TO_NUMBER = ['length', 'code', 'codeOrZero', 'dropOddCode'] as const;
export const KEYS = ['firstOfValue', 'valueBucket', 'keyBucket', 'keyText', 'always'] as const;
/** Those that make no key of a value that an aggregation starts from. */
export const KEYS_OF_UPDATES = ['firstOfValue', 'valueBucket'] as const;
export const EXPAND = ['letters', 'twice', 'unlessOdd'] as const;
export const EXPAND_KEYS = ['letterKeys', 'thereAndBack'] as const;
export const REDUCERS = {
  text: ['concat', 'latest', 'dropSame'],
  number: ['sum', 'greatest', 'dropAboveTwenty'],
} as const;
export const AGGREGATORS = { text: ['collect', 'collectSome'], number: ['total', 'totalSome'] } as const;
/** Those among them that may give null, which deletes. */
export const DELETING: readonly string[] = [
  'latest',
  'dropSame',
  'dropAboveTwenty',
  'collectSome',
  'totalSome',
];
export const SUBTRACT = { text: 'unconcat', number: 'minus' } as const;
export const UNAGGREGATE = { text: 'uncollect', number: 'untotal' } as const;
export const JOINERS = ['pair', 'pairSome'] as const;

export function mapperTo(draft: Draft): { readonly fn: string; readonly value: ValueType } {
  const value = draft.pick<ValueType>(['text', 'number']);
  return { fn: draft.pick<string>(value === 'text' ? TO_TEXT : TO_NUMBER), value };
}

/** Same windows, another value. */
export function withValue({ windowMs }: Shape, value: ValueType): Shape {
  return windowMs === undefined ? { value } : { value, windowMs };
}
