import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Side } from '../../../schemas/generated/types.ts';
import type { Book } from '../../../topologies/matching/book.ts';
import { LevelBook } from '../../../topologies/matching/levelBook.ts';
import { REASONS } from '../../../topologies/matching/match.ts';
import { Bench } from './commands.ts';
import { NaiveBook } from './naiveBook.ts';

const IMPLEMENTATIONS: Readonly<Record<string, () => Book>> = {
  'level book': () => new LevelBook(),
  'naive book': () => new NaiveBook(),
};

/** Takes everything out of the book by trading with it: a book with a broken list, sum or index does not survive this. */
function sweep(bench: Bench): void {
  for (const side of ['BUY', 'SELL'] as const satisfies readonly Side[]) {
    const open = bench.book.depth(side, 1_000).reduce((sum, level) => sum + level.quantityMicros, 0);
    if (open === 0) continue;
    const shares = open / 1_000_000;
    const opposite = side === 'BUY' ? 'SELL' : 'BUY';
    const collarDollars = opposite === 'BUY' ? 100_000 : 0.0001;
    const reports = bench.run({
      id: `sweep-${side}`,
      account: 'sweeper',
      side: opposite,
      type: 'MARKET',
      shares,
      collarDollars,
    });
    assert.equal(reports.at(-1)!.leavesQuantityMicros, 0);
    assert.equal(reports.at(-1)!.kind, 'TRADE');
  }
  assert.equal(bench.book.orderCount, 0);
  assert.equal(bench.book.first('BUY'), null);
  assert.equal(bench.book.first('SELL'), null);
  assert.deepEqual([...bench.book.depth('BUY', 1), ...bench.book.depth('SELL', 1)], []);
  assert.equal(bench.resting.size, 0);
  assert.equal(bench.book.checksum(), 0);
}

for (const [name, makeBook] of Object.entries(IMPLEMENTATIONS)) {
  const on = (title: string, body: (bench: Bench) => void): void => {
    test(`${name}: ${title}`, () => {
      const bench = new Bench(makeBook());
      body(bench);
      sweep(bench);
    });
  };

  on('a limit order that meets nothing is booked', (bench) => {
    assert.deepEqual(bench.says({ id: 'a1' }), ['BOOKED a1']);
    assert.deepEqual(bench.book.depth('BUY', 5), [{ priceTicks: 100_000, quantityMicros: 100_000_000 }]);
  });

  on('the better price trades first, at one price the older order', (bench) => {
    bench.run({ id: 's1', side: 'SELL', dollars: 10.02 });
    bench.run({ id: 's2', side: 'SELL', dollars: 10.01 });
    bench.run({ id: 's3', side: 'SELL', dollars: 10.01 });
    assert.deepEqual(bench.says({ id: 'b1', account: 'B', shares: 250, dollars: 10.02 }), [
      'MAKER s2 100@10.01 left 0',
      'TAKER b1 100@10.01 left 150',
      'MAKER s3 100@10.01 left 0',
      'TAKER b1 100@10.01 left 50',
      'MAKER s1 50@10.02 left 50',
      'TAKER b1 50@10.02 left 0',
    ]);
    assert.deepEqual(
      bench.trades.map(({ tradeNumber }) => tradeNumber),
      [1, 2, 3],
    );
  });

  on('what a limit order cannot trade rests at its limit', (bench) => {
    bench.run({ id: 's1', side: 'SELL', shares: 30 });
    assert.deepEqual(bench.says({ id: 'b1', account: 'B' }), [
      'MAKER s1 30@10 left 0',
      'TAKER b1 30@10 left 70',
    ]);
    assert.deepEqual(bench.book.depth('BUY', 5), [{ priceTicks: 100_000, quantityMicros: 70_000_000 }]);
  });

  on('a market order trades up to its collar and the rest is cancelled', (bench) => {
    bench.run({ id: 's1', side: 'SELL', dollars: 10 });
    bench.run({ id: 's2', side: 'SELL', dollars: 10.5 });
    bench.run({ id: 's3', side: 'SELL', dollars: 10.51 });
    assert.deepEqual(
      bench.says({ id: 'b1', account: 'B', type: 'MARKET', shares: 250, collarDollars: 10.5 }),
      [
        'MAKER s1 100@10 left 0',
        'TAKER b1 100@10 left 150',
        'MAKER s2 100@10.5 left 0',
        'TAKER b1 100@10.5 left 50',
        `CANCELED b1: ${REASONS.collar}`,
      ],
    );
    const last = bench.reports.at(-1)!;
    assert.deepEqual([last.cumulativeQuantityMicros, last.leavesQuantityMicros], [200_000_000, 0]);
  });

  on('immediate-or-cancel never rests', (bench) => {
    bench.run({ id: 's1', side: 'SELL', shares: 40 });
    assert.deepEqual(bench.says({ id: 'b1', account: 'B', timeInForce: 'IOC' }), [
      'MAKER s1 40@10 left 0',
      'TAKER b1 40@10 left 60',
      `CANCELED b1: ${REASONS.immediateOrCancel}`,
    ]);
    assert.equal(bench.book.orderCount, 0);
  });

  on('fill-or-kill trades in full or not at all', (bench) => {
    bench.run({ id: 's1', side: 'SELL', shares: 60, dollars: 10 });
    bench.run({ id: 's2', side: 'SELL', shares: 60, dollars: 10.01 });
    const killed = [`CANCELED b1: ${REASONS.fillOrKill}`];
    assert.deepEqual(bench.says({ id: 'b1', account: 'B', timeInForce: 'FOK', dollars: 10 }), killed);
    assert.deepEqual(
      bench.says({ id: 'b1', account: 'B', timeInForce: 'FOK', shares: 121, dollars: 11 }),
      killed,
    );
    assert.equal(bench.trades.length, 0);
    assert.equal(
      bench.says({ id: 'b1', account: 'B', timeInForce: 'FOK', dollars: 10.01 }).at(-1),
      'TAKER b1 40@10.01 left 0',
    );
  });

  on('an order of the same account in the way cancels the rest of the newer one', (bench) => {
    bench.run({ id: 's1', account: 'C', side: 'SELL', shares: 10, dollars: 10 });
    bench.run({ id: 's2', account: 'B', side: 'SELL', shares: 10, dollars: 10 });
    assert.deepEqual(bench.says({ id: 'b0', account: 'B', timeInForce: 'FOK', shares: 15 }), [
      `CANCELED b0: ${REASONS.fillOrKill}`,
    ]);
    assert.deepEqual(bench.says({ id: 'b1', account: 'B', shares: 15 }), [
      'MAKER s1 10@10 left 0',
      'TAKER b1 10@10 left 5',
      `CANCELED b1: ${REASONS.selfTrade}`,
    ]);
    assert.equal(bench.book.orderCount, 1);
  });

  on('a cancel takes an order out of the middle of its queue', (bench) => {
    for (const id of ['s1', 's2', 's3']) bench.run({ id, side: 'SELL' });
    assert.deepEqual(bench.says({ id: 's2', kind: 'CANCEL' }), ['CANCELED s2']);
    assert.deepEqual(bench.says({ id: 's2', kind: 'CANCEL' }), [
      `CANCEL_REJECTED s2: ${REASONS.unknownOrder}`,
    ]);
    assert.deepEqual(bench.says({ id: 's1', kind: 'CANCEL', account: 'B' }), [
      `CANCEL_REJECTED s1: ${REASONS.unknownOrder}`,
    ]);
    assert.deepEqual(bench.says({ id: 's1', kind: 'CANCEL', reason: 'EXPIRED' }), ['EXPIRED s1']);
    assert.equal(bench.says({ id: 'b1', account: 'B', shares: 1 })[0], 'MAKER s3 1@10 left 99');
  });

  on('an order arrives behind the rest of its queue after the last of it was cancelled', (bench) => {
    for (const id of ['s1', 's2', 's3']) bench.run({ id, side: 'SELL' });
    bench.run({ id: 's3', kind: 'CANCEL' });
    bench.run({ id: 's4', side: 'SELL' });
    assert.deepEqual(
      bench.says({ id: 'b1', account: 'B', shares: 300 }).filter((line) => line.startsWith('MAKER')),
      ['MAKER s1 100@10 left 0', 'MAKER s2 100@10 left 0', 'MAKER s4 100@10 left 0'],
    );
  });

  on('a smaller size keeps its place, a new price or a larger size loses it', (bench) => {
    for (const id of ['s1', 's2', 's3']) bench.run({ id, side: 'SELL' });
    const replace = { kind: 'REPLACE', side: 'SELL' } as const;
    assert.deepEqual(bench.says({ ...replace, id: 's1', replacement: 's1b', shares: 60 }), ['REPLACED s1']);
    assert.equal(bench.book.find('s1' as never), null);
    assert.deepEqual(bench.says({ ...replace, id: 's2', replacement: 's2b', shares: 101 }), ['REPLACED s2']);
    assert.deepEqual(
      bench.says({ id: 'b1', account: 'B', shares: 261 }).filter((line) => line.startsWith('MAKER')),
      ['MAKER s1b 60@10 left 0', 'MAKER s3 100@10 left 0', 'MAKER s2b 101@10 left 0'],
    );
  });

  on('a replacement counts what has filled, and trades where its new price meets the book', (bench) => {
    bench.run({ id: 's1', side: 'SELL', dollars: 11 });
    bench.run({ id: 'b1', account: 'B', dollars: 10 });
    bench.run({ id: 's2', side: 'SELL', dollars: 10, shares: 30 });
    const replace = { kind: 'REPLACE', account: 'B', id: 'b1', replacement: 'b2' } as const;
    assert.deepEqual(bench.says({ ...replace, shares: 30 }), [
      `REPLACE_REJECTED b1: ${REASONS.filledBeyond}`,
    ]);
    const reports = bench.run({ ...replace, shares: 150, dollars: 11 });
    assert.deepEqual(
      reports.map(({ kind, orderId }) => `${kind} ${orderId}`),
      ['REPLACED b1', 'TRADE s1', 'TRADE b2'],
    );
    assert.deepEqual(
      [reports[0]!.cumulativeQuantityMicros, reports[0]!.leavesQuantityMicros],
      [30_000_000, 120_000_000],
    );
    assert.deepEqual(
      [reports[2]!.cumulativeQuantityMicros, reports[2]!.leavesQuantityMicros],
      [130_000_000, 20_000_000],
    );
    assert.equal(reports[0]!.replacementOrderId, 'b2');
    assert.deepEqual(bench.says({ ...replace, shares: 10 }), [
      `REPLACE_REJECTED b1: ${REASONS.unknownOrder}`,
    ]);
  });

  on('an order id that is in the book is refused, the order in the book stays', (bench) => {
    bench.run({ id: 'b1' });
    assert.deepEqual(bench.says({ id: 'b1', shares: 5 }), [`CANCELED b1: ${REASONS.duplicateOrder}`]);
    assert.equal(bench.book.find('b1' as never)?.leavesQuantityMicros, 100_000_000);
  });

  on('a level whose sum could not be exact takes no more', (bench) => {
    bench.run({ id: 'b1', shares: 9_000_000_000 });
    assert.deepEqual(bench.says({ id: 'b2', shares: 8_000_000_000 }), [`CANCELED b2: ${REASONS.levelFull}`]);
  });
}
