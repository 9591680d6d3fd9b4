import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderMap } from '../../topologies/map.ts';
import { TOPICS } from '../../topologies/topics.ts';
import { ROOT } from '../support/sources.ts';

test('the map of the topologies is what the topologies are (npm run generate writes it)', async () => {
  assert.equal(readFileSync(join(ROOT, 'topologies/MAP.md'), 'utf8'), await renderMap());
});

test('the map shows every topic with an arrow to or from it, and every application with its stores', async () => {
  const map = await renderMap();
  for (const { name } of TOPICS)
    assert.match(map, new RegExp(`\\[/"${name.replaceAll('.', '\\.')}"/\\]`), name);
  for (const application of ['quotes', 'market-maker', 'orders', 'matching', 'portfolio', 'candles']) {
    const section = map.split(`\n## ${application}\n`)[1]?.split('\n## ')[0];
    assert.ok(section !== undefined, application);
    assert.match(section, /flowchart LR/);
    assert.match(section, /\| `[a-z0-9-]+` \| .*(in memory|on disk)/);
  }
});
