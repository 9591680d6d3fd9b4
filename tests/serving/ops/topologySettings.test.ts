import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTopologySettings, recordTopologySettings } from '../../../serving/ops/topologySettings.ts';
import { withTemporaryDirectory } from '../../support/temporary.ts';

const FILE = 'topology-settings.json';

test('settings are noted where they changed, the newest last; none where there was no run', async () => {
  await withTemporaryDirectory(async (directory) => {
    assert.deepEqual(readTopologySettings(directory), []);
    const [first, second] = [
      { session: 'always', marketMakerLevels: 3 },
      { session: 'us-equities', marketMakerLevels: 1 },
    ] as const;
    for (const settings of [first, first, second]) recordTopologySettings(directory, settings);
    assert.deepEqual(readTopologySettings(directory), [first, second]);
  });
});

test('a file of settings that cannot be read or is damaged is named, and never written over', async () => {
  await withTemporaryDirectory(async (directory) => {
    const settings = { session: 'always', marketMakerLevels: 3 } as const;
    writeFileSync(join(directory, FILE), '{"format":1,');
    assert.throws(() => recordTopologySettings(directory, settings), {
      code: 'SERVING_CONFIG',
      message: /is damaged/,
    });
    assert.equal(readFileSync(join(directory, FILE), 'utf8'), '{"format":1,');
  });
  await withTemporaryDirectory(async (directory) => {
    mkdirSync(join(directory, FILE));
    assert.throws(() => readTopologySettings(directory), {
      code: 'SERVING_CONFIG',
      message: /cannot be read/,
    });
  });
});
