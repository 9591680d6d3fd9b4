import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { depthChecksum } from '../../../topologies/matching/depthChecksum.ts';
import { LevelBook } from '../../../topologies/matching/levelBook.ts';
import { Bench, type CommandFields, command } from './commands.ts';
import { NaiveBook } from './naiveBook.ts';

const SEED = 20131008;

const arrival = fc.record({
  kind: fc.constant('NEW' as const),
  account: fc.constantFrom('A', 'B', 'C', 'D'),
  side: fc.constantFrom('BUY' as const, 'SELL' as const),
  shares: fc.integer({ min: 1, max: 40 }),
  dollars: fc.integer({ min: 995, max: 1_005 }).map((cents) => cents / 100),
  type: fc.constantFrom('LIMIT' as const, 'LIMIT' as const, 'LIMIT' as const, 'MARKET' as const),
  timeInForce: fc.constantFrom(
    'DAY' as const,
    'GTC' as const,
    'GTC' as const,
    'IOC' as const,
    'FOK' as const,
  ),
});
const cancel = fc.record({ kind: fc.constant('CANCEL' as const), pick: fc.nat() });
const replace = fc.record({
  kind: fc.constant('REPLACE' as const),
  pick: fc.nat(),
  shares: fc.integer({ min: 1, max: 60 }),
  dollars: fc.integer({ min: 995, max: 1_005 }).map((cents) => cents / 100),
  samePrice: fc.boolean(),
});
const stream = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: arrival },
    { weight: 2, arbitrary: cancel },
    { weight: 2, arbitrary: replace },
  ),
  {
    maxLength: 120,
    size: 'max',
  },
);
type Step = typeof stream extends fc.Arbitrary<readonly (infer T)[]> ? T : never;

/** A command of a random step; cancels and replacements mean an order that rests. */
function fieldsOf(step: Step, index: number, bench: Bench): CommandFields | null {
  if (step.kind === 'NEW') {
    return {
      ...step,
      id: `o${index}`,
      collarDollars: step.side === 'BUY' ? step.dollars + 0.03 : step.dollars - 0.03,
    };
  }
  const resting = [...bench.resting.values()];
  const order = resting[step.pick % Math.max(1, resting.length)];
  if (!order) return null;
  const owner = {
    id: order.orderId,
    account: order.accountId,
    side: order.side,
    timeInForce: order.timeInForce,
  };
  if (step.kind === 'CANCEL') return { ...owner, kind: 'CANCEL' };
  const dollars = step.samePrice ? order.priceTicks / 10_000 : step.dollars;
  return { ...owner, kind: 'REPLACE', replacement: `o${index}`, shares: step.shares, dollars };
}

test(`random commands: the fast book tells and holds what the naive one does (seed ${SEED})`, () => {
  fc.assert(
    fc.property(stream, (steps) => {
      const fast = new Bench(new LevelBook());
      const naive = new Bench(new NaiveBook());
      steps.forEach((step, index) => {
        const fields = fieldsOf(step, index, naive);
        if (!fields) return;
        const bookCommand = command(fields);
        assert.deepEqual(fast.run(bookCommand), naive.run(bookCommand));
        assert.equal(fast.book.checksum(), naive.book.checksum());
      });
      assert.deepEqual(fast.book.depth('BUY', 1_000), naive.book.depth('BUY', 1_000));
      assert.deepEqual(fast.book.depth('SELL', 1_000), naive.book.depth('SELL', 1_000));
      assert.deepEqual(fast.resting, naive.resting);
      assert.deepEqual(fast.counters, naive.counters);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test(`random commands: never crossed, never filled beyond, every command reported, a rebuilt book is the same (seed ${SEED})`, () => {
  fc.assert(
    fc.property(stream, (steps) => {
      const bench = new Bench(new LevelBook());
      steps.forEach((step, index) => {
        const fields = fieldsOf(step, index, bench);
        if (!fields) return;
        const bookCommand = command(fields);
        const reports = bench.run(bookCommand);
        assert.ok(reports.some(({ accountId }) => accountId === bookCommand.accountId));
        for (const report of reports) assert.ok(report.leavesQuantityMicros >= 0);
        const bid = bench.book.first('BUY');
        const ask = bench.book.first('SELL');
        assert.ok(
          !bid || !ask || bid.priceTicks < ask.priceTicks || bid.accountId === ask.accountId,
          'crossed',
        );
      });
      const rebuilt = new LevelBook();
      for (const sequence of [...bench.resting.keys()].sort((a, b) => a - b))
        rebuilt.add(bench.resting.get(sequence)!);
      for (const side of ['BUY', 'SELL'] as const) {
        const walk = (book: LevelBook | Bench['book']): string[] => {
          const ids: string[] = [];
          for (let order = book.first(side); order; order = book.next(order)) ids.push(order.orderId);
          return ids;
        };
        assert.deepEqual(walk(rebuilt), walk(bench.book));
      }
      assert.equal(rebuilt.checksum(), bench.book.checksum());
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('the checksum is the CRC-32 of the text its page describes', () => {
  const bids = [{ priceTicks: 1_995_000, quantityMicros: 100_000_000 }] as never[];
  const asks = Array.from({ length: 12 }, (_, index) => ({
    priceTicks: 2_000_000 + index,
    quantityMicros: index + 1,
  })) as never[];
  // The reflected CRC-32 of "123456789" is 0xcbf43926 by definition; here bit by bit, without the table.
  const slow = (text: string): number => {
    let crc = 0xffffffff;
    for (const byte of Buffer.from(text)) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    }
    return (crc ^ -1) >>> 0;
  };
  assert.equal(slow('123456789'), 0xcbf43926);
  const text = Array.from({ length: 10 }, (_, index) => `${2_000_000 + index}:${index + 1};`).join('');
  assert.equal(depthChecksum(bids, []), slow('1995000:100000000;'));
  assert.equal(depthChecksum(bids, asks), slow(`1995000:100000000;${text}`));
  assert.equal(depthChecksum([], []), 0);
});
