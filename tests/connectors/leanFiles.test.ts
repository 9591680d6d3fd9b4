import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { strToU8, zipSync } from 'fflate';
import { ConnectorError, type ConnectorErrorCode } from '../../connectors/errors.ts';
import { DayReader } from '../../connectors/sources/lean/day.ts';
import { type FolderOptions, listDays } from '../../connectors/sources/lean/folder.ts';
import type { LeanEvent } from '../../connectors/sources/lean/parse.ts';
import { writeLeanFolder } from '../support/leanFolder.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';

const ALL = { symbols: null, from: null, to: null } as const;

function refusal(code: ConnectorErrorCode, step: () => unknown): string {
  try {
    step();
  } catch (error) {
    assert.ok(error instanceof ConnectorError, String(error));
    assert.equal(error.code, code);
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  throw new Error('nothing was refused');
}

function readAll(options: FolderOptions, day: string): LeanEvent[] {
  const reader = new DayReader(listDays(options).get(day)!);
  const events: LeanEvent[] = [];
  for (let event = reader.next(); event !== null; event = reader.next()) events.push(event);
  return events;
}

async function eventsOf(
  files: Readonly<Record<string, readonly string[]>>,
  day = '20131007',
): Promise<LeanEvent[]> {
  return withTemporaryDirectory(async (directory) => {
    writeLeanFolder(directory, files);
    return readAll({ directory, ...ALL }, day);
  });
}

test('a trade tick keeps its price, venue and conditions; a suspicious one and an official price do not count', async () => {
  const events = await eventsOf({
    'tick/ibm/20131007_trade.zip': [
      '34200000,1821400,64,Q,4000000,0',
      '34200001,1820000,138862,N,40,0',
      '34200002,1820100,100,D,1,1',
      '57600000,1820200,22,Q,1000000,0',
      '57600001,1820300,7,P,20000020,0',
      '57600002,0,7,P,1,0',
    ],
  });
  assert.deepEqual(
    events.map(({ atMs, trade }) => [
      atMs,
      trade!.priceTicks,
      trade!.sizeMicros,
      trade!.eligible,
      trade!.conditions,
    ]),
    [
      [34_200_000, 1_821_400, 64_000_000, false, '4000000'],
      [34_200_001, 1_820_000, 138_862_000_000, true, '40'],
      [34_200_002, 1_820_100, 100_000_000, false, '1'],
      [57_600_000, 1_820_200, 22_000_000, false, '1000000'],
      [57_600_001, 1_820_300, 7_000_000, true, '20000020'],
    ],
  );
  assert.deepEqual(
    events.map(({ trade }) => [trade!.exchange, trade!.tradeNumber, trade!.symbol]),
    [
      ['Q', 1, 'IBM'],
      ['N', 2, 'IBM'],
      ['D', 3, 'IBM'],
      ['Q', 4, 'IBM'],
      ['P', 5, 'IBM'],
    ],
  );
});

test('a quote tick tells of the side it has; suspicious ones are left out', async () => {
  const events = await eventsOf({
    'tick/ibm/20131007_quote.zip': [
      '34200000,1820000,300,0,0,P,1,0',
      '34200000,0,0,1820500,200,N,1,0',
      '34200001,1820000,300,1820500,200,N,1,1',
      '34200002,1819900,100,1820400,0,N,1,0',
    ],
  });
  const shown = events.map(({ quote }) => [
    quote!.exchange,
    quote!.bidPriceTicks,
    quote!.bidSizeMicros,
    quote!.askPriceTicks,
    quote!.askSizeMicros,
  ]);
  assert.deepEqual(shown, [
    ['P', 1_820_000, 300_000_000, null, null],
    ['N', null, null, 1_820_500, 200_000_000],
    ['N', 1_819_900, 100_000_000, 1_820_400, 0],
  ]);
});

test('a minute bar becomes trades within its minute, at its four prices and with its whole volume', async () => {
  const events = await eventsOf({
    'minute/ibm/20131007_trade.zip': ['34200000,100,130,90,110,1002', '34260000,50,50,50,50,2'],
  });
  assert.deepEqual(
    events.map(({ atMs, trade }) => [atMs, trade!.priceTicks, trade!.sizeMicros / 1e6]),
    [
      [34_200_000, 100, 250],
      [34_215_000, 130, 250],
      [34_230_000, 90, 250],
      [34_245_000, 110, 252],
      [34_305_000, 50, 2],
    ],
  );
});

test('a minute bar of quotes opens and closes its minute; a side it does not have stays as it was', async () => {
  const events = await eventsOf({
    'minute/ibm/20131007_quote.zip': [
      '34200000,100,105,95,102,300,110,115,105,112,200',
      '34260000,101,101,101,101,100,,,,,',
    ],
  });
  assert.deepEqual(
    events.map(({ atMs, quote }) => [atMs, quote!.bidPriceTicks, quote!.askPriceTicks, quote!.askSizeMicros]),
    [
      [34_200_000, 100, 110, 200_000_000],
      [34_259_999, 102, 112, 200_000_000],
      [34_260_000, 101, null, null],
      [34_319_999, 101, null, null],
    ],
  );
});

test('ticks go before minute bars, for trades and quotes each by itself', async () => {
  const events = await eventsOf({
    'tick/spy/20131007_trade.zip': ['34200000,1674100,100,P,1,0'],
    'minute/spy/20131007_trade.zip': ['34200000,1,1,1,1,1'],
    'minute/spy/20131007_quote.zip': ['34200000,100,105,95,102,300,110,115,105,112,200'],
  });
  assert.deepEqual(
    events.map(({ quote, trade }) => quote?.bidPriceTicks ?? trade!.priceTicks),
    [100, 1_674_100, 102],
  );
});

test('merges the files of a day by time; at one time by symbol, quotes first', async () => {
  const lines = (...times: number[]): string[] => times.map((time) => `${time},1000,1,N,1,0`);
  const quotes = (...times: number[]): string[] => times.map((time) => `${time},1000,1,1100,1,N,1,0`);
  const events = await eventsOf({
    'tick/bbb/20131007_trade.zip': lines(5, 5, 9),
    'tick/bbb/20131007_quote.zip': quotes(1, 5),
    'tick/aaa/20131007_trade.zip': lines(5, 20),
    'tick/aaa/20131007_quote.zip': quotes(5, 7),
  });
  assert.deepEqual(
    events.map(({ atMs, quote, trade }) => `${atMs} ${(quote ?? trade).symbol} ${quote ? 'quote' : 'trade'}`),
    [
      '1 BBB quote',
      '5 AAA quote',
      '5 AAA trade',
      '5 BBB quote',
      '5 BBB trade',
      '5 BBB trade',
      '7 AAA quote',
      '9 BBB trade',
      '20 AAA trade',
    ],
  );
});

test('takes a Lean installation for its Data folder', async () => {
  await withTemporaryDirectory(async (directory) => {
    writeLeanFolder(join(directory, 'Data'), { 'tick/ibm/20131007_trade.zip': ['0,1,1,N,1,0'] });
    assert.deepEqual([...listDays({ directory, ...ALL }).keys()], ['20131007']);
  });
});

test('lists the days and symbols asked for, in order, each once', async () => {
  await withTemporaryDirectory(async (directory) => {
    const line = ['0,1,1,N,1,0'];
    writeLeanFolder(directory, {
      'tick/ibm/20131008_trade.zip': line,
      'tick/ibm/20131007_trade.zip': line,
      'tick/aig/20131008_trade.zip': line,
      'minute/bac/20131009_trade.zip': ['0,1,1,1,1,1'],
      'tick/ibm/notes.zip': line,
    });
    mkdirSync(join(directory, 'equity/usa/tick/empty'));
    const list = (options: Partial<FolderOptions>): string =>
      [...listDays({ directory, ...ALL, ...options })]
        .map(([day, symbols]) => `${day}:${symbols.map(({ symbol }) => symbol).join('+')}`)
        .join(' ');
    assert.equal(list({}), '20131007:IBM 20131008:AIG+IBM 20131009:BAC');
    assert.equal(list({ symbols: ['IBM', 'AIG', 'IBM'] }), '20131007:IBM 20131008:AIG+IBM');
    assert.equal(list({ from: '2013-10-08', to: '2013-10-08' }), '20131008:AIG+IBM');
    const refuse = (options: Partial<FolderOptions>): string => refusal('SOURCE_FOLDER', () => list(options));
    assert.match(
      refuse({ symbols: ['MSFT'] }),
      /neither ticks nor minute bars of MSFT; it has AIG, BAC, EMPTY, IBM/,
    );
    assert.match(refuse({ from: '2014-01-01' }), /no day .* from 2014-01-01 to the last/);
    assert.match(refuse({ directory: join(directory, 'nowhere') }), /nowhere is not there/);
    assert.match(refuse({ directory: join(directory, 'equity') }), /holds no equity\/usa/);
  });
});

for (const [what, lines, expected] of [
  ['too few fields', ['1,1,1,N,1,0', '2,1,1'], /line 2: 3 fields where 6 are expected/],
  ['a price that is no number', ['1,x,1,N,1,0'], /line 1: field 2 is "x", not a number from 0 up/],
  ['a negative size', ['', '1,1,-5,N,1,0'], /line 2: field 3 is "-5"/],
  ['an empty time', [',1,5,N,1,0'], /line 1: field 1 is ""/],
  ['a time beyond the day', ['86400000,1,5,N,1,0'], /line 1: 86400000 ms lie beyond the day/],
  [
    'a line out of order',
    ['5,1,5,N,1,0', '4,1,5,N,1,0'],
    /line 2: 4 ms is earlier than the line before, at 5 ms/,
  ],
] as const) {
  test(`refuses ${what}, naming file and line`, async () => {
    await withTemporaryDirectory(async (directory) => {
      writeLeanFolder(directory, { 'tick/ibm/20131007_trade.zip': lines });
      const message = refusal('SOURCE_FILE', () => readAll({ directory, ...ALL }, '20131007'));
      assert.match(message, expected);
      assert.match(message, /tick\/ibm\/20131007_trade\.zip/);
    });
  });
}

test('refuses what is no zip of one file', async () => {
  await withTemporaryDirectory(async (directory) => {
    writeLeanFolder(directory, { 'tick/ibm/20131007_trade.zip': ['1,1,1,N,1,0'] });
    const path = join(directory, 'equity/usa/tick/ibm/20131007_trade.zip');
    const refuse = (bytes: Uint8Array): string => {
      writeFileSync(path, bytes);
      return refusal('SOURCE_FILE', () => readAll({ directory, ...ALL }, '20131007'));
    };
    assert.match(refuse(Buffer.from('not a zip')), /20131007_trade\.zip cannot be read/);
    assert.match(refuse(new Uint8Array()), /20131007_trade\.zip cannot be read/);
    assert.match(
      refuse(zipSync({ a: strToU8('1'), b: strToU8('2') })),
      /holds 2 files where one is expected/,
    );
  });
});
