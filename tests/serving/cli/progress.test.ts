import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barText } from '../../../serving/cli/progress.ts';

test('a bar tells part, count, rate and the time that is left', () => {
  assert.equal(
    barText('copying', 2_500, 10_000, 1_000),
    'copying  [#######---------------------] 25%  2,500 of 10,000  2,500/s  3 s left',
  );
  assert.match(barText('copying', 10_000, 10_000, 4_000), /\[#{28}\] 100% {2}10,000 of 10,000 {2}2,500\/s$/);
  assert.match(barText('copying', 1, 7_201, 1_000), / 2 h 0 min left$/);
});

test('without a total there is no bar, and without time no rate', () => {
  assert.equal(barText('dumping', 1_234, 0, 2_000), 'dumping  1,234  617/s');
  assert.equal(barText('dumping', 1_234, 0, 1), 'dumping  1,234');
});
