import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CashMicros, PriceTicks, QuantityMicros } from '../../../schemas/units.ts';
import { cashOf, parseUnits, quantityFor, unitsText } from '../../../serving/app/market/decimal.ts';
import {
  formatCash,
  formatCompact,
  formatPercent,
  formatPrice,
  formatQuantity,
} from '../../../serving/app/market/format.ts';
import * as money from '../../../topologies/domain/money.ts';

const SEED = 20131008;

test('decimals are read and written exactly', () => {
  fc.assert(
    fc.property(fc.integer({ min: -9e15, max: 9e15 }), fc.constantFrom(4, 6), (units, decimals) => {
      assert.equal(parseUnits(unitsText(units, decimals), decimals), units);
    }),
    { seed: SEED },
  );
  assert.equal(parseUnits(' 1,234.50 ', 4), 12_345_000);
  assert.equal(parseUnits('.5', 6), 500_000);
  assert.equal(parseUnits('0.1000000', 4), 1_000);
});

test('what is no decimal, too fine or too large is not read', () => {
  for (const text of [
    '',
    '.',
    '-',
    'ten',
    '1e3',
    '1,5',
    '1,5000',
    ',500',
    '0x10',
    '1.2.3',
    '0.00001',
    '99999999999999999',
  ])
    assert.equal(parseUnits(text, 4), null, text);
});

test('cash and quantity are those that the server reckons', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e8 }), fc.integer({ min: 1, max: 1e11 }), (price, quantity) => {
      assert.equal(cashOf(price, quantity), money.tradeCash(price as PriceTicks, quantity as QuantityMicros));
      assert.equal(
        quantityFor(quantity, price),
        money.quantityFor(quantity as CashMicros, price as PriceTicks),
      );
    }),
    { seed: SEED },
  );
});

test('prices have two decimals, or four where they have parts of a cent', () => {
  assert.equal(formatPrice(1_995_000), '199.50');
  assert.equal(formatPrice(12_345_678_900), '1,234,567.89');
  assert.equal(formatPrice(1_995_050), '199.5050');
  assert.equal(formatPrice(9_900), '0.9900');
  assert.equal(formatPrice(-1_200, true), '−0.12');
  assert.equal(formatPrice(1_200, true), '+0.12');
  assert.equal(formatPrice(0, true), '0.00');
  assert.equal(formatPrice(null), '–');
});

test('cash is rounded to the cent, half away from zero, and keeps no sign at zero', () => {
  assert.equal(formatCash(1_234_567_895_000), '$1,234,567.90');
  assert.equal(formatCash(-5_000, true), '−$0.01');
  assert.equal(formatCash(-4_999, true), '$0.00');
  assert.equal(formatCash(1_000_000, true), '+$1.00');
});

test('quantities, percents and large figures read well', () => {
  assert.equal(formatQuantity(1_234_500_000), '1,234.5');
  assert.equal(formatQuantity(-10_000_000), '−10');
  assert.equal(formatQuantity(1), '0.000001');
  assert.equal(formatPercent(0.012345), '+1.23%');
  assert.equal(formatPercent(-0.00001), '0.00%');
  assert.equal(formatPercent(Number.NaN), '–');
  assert.equal(formatCompact(1_234_000_000), '1.23K');
  assert.equal(formatCompact(56_780_000_000_000), '56.8M');
  assert.equal(formatCompact(999_000_000), '999');
});
