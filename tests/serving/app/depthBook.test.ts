import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PriceTicks, QuantityMicros } from '../../../schemas/units.ts';
import { DepthBook, type DepthMessage, type LevelText } from '../../../serving/app/market/depthBook.ts';
import { crc32 } from '../../../serving/app/market/depthChecksum.ts';
import { formatPrice, formatQuantity } from '../../../topologies/domain/decimal.ts';
import { depthChecksum } from '../../../topologies/matching/depthChecksum.ts';

const SEED = 20131007;

/** The server's side of the channel: levels in maps, the checksum by the matcher's own code. */
class Publisher {
  readonly bids = new Map<number, number>();
  readonly asks = new Map<number, number>();
  sequence = 0;

  sorted(side: 'bids' | 'asks') {
    return [...this[side]]
      .sort(([a], [b]) => (side === 'bids' ? b - a : a - b))
      .map(([priceTicks, quantityMicros]) => ({
        priceTicks: priceTicks as PriceTicks,
        quantityMicros: quantityMicros as QuantityMicros,
      }));
  }

  #message(
    type: DepthMessage['type'],
    bids: LevelText[],
    asks: LevelText[],
    previous?: number,
  ): DepthMessage {
    return {
      type,
      symbol: 'IBM',
      sequence: this.sequence,
      ...(previous === undefined ? {} : { previous }),
      bids,
      asks,
      checksum: depthChecksum(this.sorted('bids'), this.sorted('asks')),
    };
  }

  snapshot(): DepthMessage {
    const text = (side: 'bids' | 'asks'): LevelText[] =>
      this.sorted(side).map(({ priceTicks, quantityMicros }) => [
        formatPrice(priceTicks),
        formatQuantity(quantityMicros),
      ]);
    return this.#message('snapshot', text('bids'), text('asks'));
  }

  delta(side: 'bids' | 'asks', changes: readonly (readonly [number, number])[]): DepthMessage {
    const previous = this.sequence;
    this.sequence += 1;
    for (const [price, size] of changes) {
      if (size === 0) this[side].delete(price);
      else this[side].set(price, size);
    }
    const text = changes.map(
      ([price, size]): LevelText => [
        formatPrice(price as PriceTicks),
        formatQuantity(size as QuantityMicros),
      ],
    );
    return this.#message('delta', side === 'bids' ? text : [], side === 'asks' ? text : [], previous);
  }
}

const changes = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 3 })), {
  minLength: 1,
  maxLength: 5,
  selector: ([price]) => price,
});
const flow = fc.array(fc.tuple(fc.constantFrom('bids' as const, 'asks' as const), changes), {
  maxLength: 40,
});

/** Bids below 1.00, asks above, sizes with fractions of shares. */
function spread(side: 'bids' | 'asks', given: readonly (readonly [number, number])[]) {
  return given.map(
    ([price, size]) =>
      [side === 'bids' ? 10_000 - price * 7 : 10_000 + price * 100, size * 1_500_000] as const,
  );
}

test('a book kept from a snapshot and deltas is the book that was published', () => {
  fc.assert(
    fc.property(flow, fc.nat(10), (steps, snapshotAfter) => {
      const publisher = new Publisher();
      const book = new DepthBook('IBM');
      for (const [index, [side, given]] of steps.entries()) {
        const delta = publisher.delta(side, spread(side, given));
        // Deltas before the first snapshot tell nothing; the one at its sequence is in it.
        if (index === snapshotAfter) assert.equal(book.apply(publisher.snapshot()), 'applied');
        assert.equal(book.apply(delta), index <= snapshotAfter ? 'stale' : 'applied');
      }
      if (book.sequence === null) assert.equal(book.apply(publisher.snapshot()), 'applied');
      assert.deepEqual(book.bids, publisher.sorted('bids'));
      assert.deepEqual(book.asks, publisher.sorted('asks'));
      assert.equal(book.sequence, publisher.sequence);
    }),
    { seed: SEED },
  );
});

test('a missing delta is a gap: the book is empty until the next snapshot', () => {
  const publisher = new Publisher();
  const book = new DepthBook('IBM');
  publisher.delta('bids', [[9_900, 1_000_000]]);
  book.apply(publisher.snapshot());
  publisher.delta('bids', [[9_800, 1_000_000]]);
  assert.equal(book.apply(publisher.delta('asks', [[10_100, 2_000_000]])), 'gap');
  assert.deepEqual([book.bids, book.asks, book.sequence], [[], [], null]);
  assert.equal(book.apply(publisher.delta('asks', [[10_200, 2_000_000]])), 'stale');
  assert.equal(book.apply(publisher.snapshot()), 'applied');
  assert.equal(book.asks.length, 2);
});

test('a checksum that does not hold, or a level that cannot be read, is damage', () => {
  const publisher = new Publisher();
  const book = new DepthBook('IBM');
  const delta = publisher.delta('bids', [[9_900, 1_000_000]]);
  assert.equal(book.apply({ ...publisher.snapshot(), checksum: 1 }), 'damaged');
  assert.equal(book.apply(publisher.snapshot()), 'applied');
  assert.equal(book.apply(delta), 'stale');
  const next = publisher.delta('bids', [[9_800, 5_000_000]]);
  assert.equal(book.apply({ ...next, bids: [['0.98', '6']] }), 'damaged');
  assert.equal(book.apply(publisher.snapshot()), 'applied');
  const last = publisher.delta('bids', [[9_700, 5_000_000]]);
  assert.equal(book.apply({ ...last, bids: [['0.97', 'five']] }), 'damaged');
});

test('the checksum is the CRC-32 of zlib', () => {
  assert.equal(crc32('123456789'), 0xcbf43926);
  assert.equal(crc32(''), 0);
});
