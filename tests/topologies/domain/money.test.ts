import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CashMicros, PriceTicks, QuantityMicros } from '../../../schemas/units.ts';
import {
  formatAveragePrice,
  formatPrice,
  formatQuantity,
  formatUnits,
  parseCash,
  parsePrice,
  parseQuantity,
  parseUnits,
} from '../../../topologies/domain/decimal.ts';
import { AmountError, type AmountErrorCode } from '../../../topologies/domain/errors.ts';
import {
  add,
  collarPrice,
  isSubPenny,
  multiplyDivide,
  quantityFor,
  subtract,
  tradeCash,
} from '../../../topologies/domain/money.ts';

const SEED = 20131007;
const RUNS = { seed: SEED, numRuns: 2_000 };
const price = (ticks: number): PriceTicks => ticks as PriceTicks;
const quantity = (micros: number): QuantityMicros => micros as QuantityMicros;
const cash = (micros: number): CashMicros => micros as CashMicros;
const refuses = (code: AmountErrorCode, body: () => unknown): void =>
  assert.throws(body, (error) => error instanceof AmountError && error.code === code);

test(`the cash of a trade is the exact product, rounded half up once (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat({ max: 10_000_000_000 }), (micros, ticks) => {
      const exact = (BigInt(micros) * BigInt(ticks) + 5_000n) / 10_000n;
      if (exact > BigInt(Number.MAX_SAFE_INTEGER))
        refuses('AMOUNT_OUT_OF_RANGE', () => tradeCash(price(ticks), quantity(micros)));
      else assert.equal(BigInt(tradeCash(price(ticks), quantity(micros))), exact);
    }),
    RUNS,
  );
});

test(`small products take the fast way to the same result (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.nat({ max: 90_000_000 }), fc.nat({ max: 100_000_000 }), (micros, ticks) => {
      const exact = (BigInt(micros) * BigInt(ticks) + 5_000n) / 10_000n;
      assert.equal(BigInt(tradeCash(price(ticks), quantity(micros))), exact);
    }),
    RUNS,
  );
  assert.equal(tradeCash(price(1), quantity(5_000)), 1);
  assert.equal(tradeCash(price(1), quantity(4_999)), 0);
  assert.equal(tradeCash(price(1_995_000), quantity(1_000_000)), 199_500_000);
});

test(`multiply and divide agree with rational arithmetic, half away from zero (seed ${SEED})`, () => {
  const signed = fc.integer({ min: -1_000_000_000_000, max: 1_000_000_000_000 });
  fc.assert(
    fc.property(signed, signed, signed, (a, b, c) => {
      fc.pre(c !== 0);
      const numerator = BigInt(a) * BigInt(b) * (c < 0 ? -1n : 1n);
      const divisor = BigInt(Math.abs(c));
      const rounded = ((numerator < 0n ? -numerator : numerator) * 2n + divisor) / (divisor * 2n);
      if (rounded > BigInt(Number.MAX_SAFE_INTEGER))
        return refuses('AMOUNT_OUT_OF_RANGE', () => multiplyDivide(a, b, c));
      assert.equal(BigInt(multiplyDivide(a, b, c)), numerator < 0n ? -rounded : rounded);
    }),
    RUNS,
  );
  refuses('AMOUNT_OUT_OF_RANGE', () => multiplyDivide(1, 1, 0));
});

test('sums that could not be exact are refused', () => {
  assert.equal(add(cash(2), cash(3)), 5);
  assert.equal(subtract(cash(2), cash(3)), -1);
  refuses('AMOUNT_OUT_OF_RANGE', () => add(cash(Number.MAX_SAFE_INTEGER), cash(1)));
  refuses('AMOUNT_OUT_OF_RANGE', () => subtract(cash(-Number.MAX_SAFE_INTEGER), cash(1)));
});

test('an amount buys what it pays for and not a millionth more', () => {
  assert.equal(quantityFor(cash(100_000_000), price(1_995_000)), 501_253);
  refuses('AMOUNT_OUT_OF_RANGE', () => quantityFor(cash(1_000_000_000_000), price(1)));
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 900_000_000_000 }),
      fc.integer({ min: 1, max: 100_000_000 }),
      (micros, ticks) => {
        const bought = BigInt(quantityFor(cash(micros), price(ticks)));
        assert.ok(bought * BigInt(ticks) <= BigInt(micros) * 10_000n);
        assert.ok((bought + 1n) * BigInt(ticks) > BigInt(micros) * 10_000n);
      },
    ),
    RUNS,
  );
});

test('prices from a dollar up move in cents, below it in hundredths of a cent', () => {
  assert.deepEqual(
    [10_000, 10_100, 10_050, 9_999, 1].map((ticks) => isSubPenny(price(ticks))),
    [false, false, true, false, false],
  );
});

test('the collar of a market order lies five per cent away, on a price that orders may have', () => {
  assert.equal(collarPrice('BUY', price(1_995_000)), 2_094_800);
  assert.equal(collarPrice('SELL', price(1_995_000)), 1_895_200);
  assert.equal(collarPrice('SELL', price(1)), 1);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000_000 }), (ticks) => {
      const buy = collarPrice('BUY', price(ticks));
      const sell = collarPrice('SELL', price(ticks));
      assert.ok(buy * 100 >= ticks * 105 && buy * 100 < ticks * 105 + 10_200, `${ticks} -> ${buy}`);
      assert.ok(
        sell === 1 || (sell * 100 <= ticks * 95 + 100 && sell * 100 > ticks * 95 - 10_200),
        `${ticks} -> ${sell}`,
      );
      assert.ok(!isSubPenny(buy) && !isSubPenny(sell));
    }),
    RUNS,
  );
});

test(`every count of units survives being written and read (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.constantFrom(4, 6), (units, decimals) => {
      assert.equal(parseUnits(formatUnits(units, decimals), decimals), units);
    }),
    RUNS,
  );
});

test('reads what clients send', () => {
  assert.equal(parsePrice('199.5'), 1_995_000);
  assert.equal(parsePrice('199.50000'), 1_995_000);
  assert.equal(parsePrice('.5'), 5_000);
  assert.equal(parsePrice('1e2'), 1_000_000);
  assert.equal(parsePrice('1.5e-3'), 15);
  assert.equal(parsePrice('+007.'), 70_000);
  assert.equal(parseQuantity('0.000001'), 1);
  assert.equal(parseCash('100000'), 100_000_000_000);
  assert.equal(parseCash('-0'), 0);
  assert.equal(formatPrice(price(1_995_000)), '199.5');
  assert.equal(formatQuantity(quantity(-1_500_000)), '-1.5');
  assert.equal(formatQuantity(quantity(10_000_000)), '10');
});

test('says what is wrong with a text', () => {
  for (const text of [
    '',
    '.',
    'abc',
    '1,000',
    '0x10',
    '1e',
    ' 1',
    'NaN',
    'Infinity',
    '1'.repeat(65),
    '1e9999',
  ]) {
    refuses('AMOUNT_MALFORMED', () => parsePrice(text));
  }
  refuses('AMOUNT_NEGATIVE', () => parsePrice('-1'));
  refuses('AMOUNT_TOO_MANY_DECIMALS', () => parsePrice('1.00001'));
  refuses('AMOUNT_TOO_MANY_DECIMALS', () => parseQuantity('1e-7'));
  refuses('AMOUNT_TOO_LARGE', () => parsePrice('1e13'));
  refuses('AMOUNT_TOO_LARGE', () => parsePrice('1e300'));
  refuses('AMOUNT_TOO_LARGE', () => parseCash('9007199254.740992'));
});

test(`an average price is the quotient, rounded to four decimals (seed ${SEED})`, () => {
  assert.equal(formatAveragePrice(cash(199_500_000), quantity(1_000_000)), '199.5');
  assert.equal(formatAveragePrice(cash(66_499_934), quantity(333_333)), '199.5');
  assert.equal(formatAveragePrice(cash(-199_500_000), quantity(-1_000_000)), '199.5');
  assert.equal(formatAveragePrice(cash(-1), quantity(3), 6), '-0.333333');
  assert.equal(formatAveragePrice(cash(0), quantity(0)), null);
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 1_000_000_000_000 }), (micros, shares) => {
      const text = formatAveragePrice(cash(micros), quantity(shares))!;
      const [whole, fraction = ''] = text.split('.');
      const units = BigInt(whole!) * 10_000n + BigInt(fraction.padEnd(4, '0'));
      const error = units * BigInt(shares) * 2n - BigInt(micros) * 20_000n;
      assert.ok((error < 0n ? -error : error) <= BigInt(shares));
    }),
    RUNS,
  );
});
