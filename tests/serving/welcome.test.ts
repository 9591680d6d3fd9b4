import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../serving/config.ts';
import { firstOrderSymbol } from '../../serving/welcome.ts';
import { writeLeanFolder } from '../support/leanFolder.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';

const symbolFor = (environment: Record<string, string>) => firstOrderSymbol(readConfig(environment));

test('the first order is in a symbol the simulator has', () => {
  assert.equal(symbolFor({}), 'AAPL');
  assert.equal(symbolFor({ OPENTAPE_SIMULATOR_SYMBOLS: 'KO,IBM' }), 'KO');
  assert.equal(symbolFor({ OPENTAPE_SIMULATOR_SYMBOLS: 'KO,AAPL' }), 'AAPL');
});

test('the first order is in a symbol the replay begins with', () =>
  withTemporaryDirectory(async (directory) => {
    writeLeanFolder(directory, {
      'minute/bac/20131008_trade.zip': ['0,1,1,1,1,1'],
      'minute/ibm/20131007_trade.zip': ['0,1,1,1,1,1'],
    });
    const replay = { OPENTAPE_SOURCE: 'lean', OPENTAPE_LEAN_DIR: directory };
    assert.equal(symbolFor(replay), 'IBM');
    assert.equal(symbolFor({ ...replay, OPENTAPE_LEAN_SYMBOLS: 'BAC' }), 'BAC');
  }));
