import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openPlatform } from '../../serving/platform.ts';
import { OWN_VENUE } from '../../topologies/matching/depthChanges.ts';
import { MARKET_TRADES } from '../../topologies/quotes/topics.ts';
import { writeLeanFolder } from '../support/leanFolder.ts';
import { readTopic } from '../support/platform.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { ROOT } from '../support/sources.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import { until } from '../support/until.ts';

const TRADES = 15_000;
const KILLS = 4;
/** A life of the server lasts until it has committed so many records, of which the replay's are some; the next ones last longer. */
const LIFE_RECORDS = 500;

/** A day of trades numbered by their price, with a quote before each tenth. */
function writeDay(folder: string): void {
  const times = Array.from({ length: TRADES }, (_, index) => 34_200_000 + index * 100);
  writeLeanFolder(folder, {
    'tick/ibm/20131007_trade.zip': times.map((time, index) => `${time},${index + 1},100,N,1,0`),
    'tick/ibm/20131007_quote.zip': times
      .filter((_, index) => index % 10 === 0)
      .map(
        (time, index) =>
          `${time},${1_000_000 + (index % 50) * 100},300,${1_000_100 + (index % 50) * 100},300,N,1,0`,
      ),
  });
}

async function readiness(
  server: RunningServer,
): Promise<{ readonly status: number; readonly source: string }> {
  const response = await fetch(`${server.url}/ready`);
  const { checks } = (await response.json()) as { readonly checks: { readonly source: string } };
  return { status: response.status, source: checks.source };
}

/** How many records a server has committed since its start. */
async function committed(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^opentape_log_records_total (\d+)$/m.exec(text)![1]);
}

/** Starts the server with settings it must refuse. Returns its one line. */
function refusal(settings: Readonly<Record<string, string>>): string {
  const { status, stderr, stdout } = spawnSync(process.execPath, [`${ROOT}/dist/serving/main.js`], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, PORT: '0', ...settings },
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(status, 1, `${stdout}${stderr}`);
  assert.equal(stdout, '');
  assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
  return stderr;
}

test('a replay killed again and again loses no event and repeats none; then /ready says that it is finished', async () => {
  await withTemporaryDirectory(async (parent) => {
    const [folder, data] = [join(parent, 'lean'), join(parent, 'data')];
    writeDay(folder);
    const settings = {
      OPENTAPE_DATA_DIR: data,
      OPENTAPE_SOURCE: 'lean',
      OPENTAPE_LEAN_DIR: folder,
      OPENTAPE_LEAN_SPEED: 'max',
    };
    let killed = 0;
    let server = await startServer(settings);
    for (; killed < KILLS && (await readiness(server)).source !== 'finished'; killed += 1) {
      const { url } = server;
      await until(
        'the replay is under way',
        async () => (await committed(url)) > LIFE_RECORDS * (killed + 1),
      );
      await server.kill();
      server = await startServer(settings);
    }
    await until('the replay is finished', async () => (await readiness(server)).source === 'finished');
    assert.equal((await readiness(server)).status, 200);
    assert.match(
      server.output(),
      /"message":"the replay is finished","source":"lean-[0-9a-f]{8}","done":"100.0%"/,
    );
    assert.match(server.output(), /"marketTime":"2013-10-07T13:54:59.900Z"/);
    assert.equal(await server.stop(), 0);
    assert.equal(killed, KILLS);
    const platform = await openPlatform({
      dataDirectory: data,
      session: 'us-equities',
      marketMakerLevels: 1,
    });
    const prices = readTopic(platform, MARKET_TRADES)
      .filter(({ value }) => value.exchange !== OWN_VENUE)
      .map(({ value }) => value.priceTicks as number);
    await platform.close();
    assert.deepEqual(
      prices,
      Array.from({ length: TRADES }, (_, index) => index + 1),
    );
  });
});

test('refuses a folder that is missing or empty in one line, and makes nothing', async () => {
  await withTemporaryDirectory(async (parent) => {
    const data = join(parent, 'data');
    const settings = { OPENTAPE_DATA_DIR: data, OPENTAPE_SOURCE: 'lean' };
    assert.match(
      refusal({ ...settings, OPENTAPE_LEAN_DIR: join(parent, 'nowhere') }),
      /nowhere is not there/,
    );
    const empty = join(parent, 'empty');
    mkdirSync(empty);
    assert.match(refusal({ ...settings, OPENTAPE_LEAN_DIR: empty }), /holds no equity\/usa/);
    mkdirSync(join(empty, 'equity/usa/tick'), { recursive: true });
    assert.match(refusal({ ...settings, OPENTAPE_LEAN_DIR: empty }), /holds no day of ticks or minute bars/);
    assert.equal(existsSync(data), false);
  });
});

test('refuses a replay in a data directory that has seen a later market', async () => {
  await withTemporaryDirectory(async (parent) => {
    const [folder, data] = [join(parent, 'lean'), join(parent, 'data')];
    writeDay(folder);
    const simulated = await startServer({ OPENTAPE_DATA_DIR: data });
    assert.equal(await simulated.stop(), 0);
    const settings = { OPENTAPE_DATA_DIR: data, OPENTAPE_SOURCE: 'lean', OPENTAPE_LEAN_DIR: folder };
    assert.match(
      refusal(settings),
      /SOURCE_TIME: the data directory has seen the market at 20\d\d-.*a data directory of its own/,
    );
    const again = await startServer({ OPENTAPE_DATA_DIR: data });
    assert.equal((await readiness(again)).source, 'ok');
    assert.equal(await again.stop(), 0);
  });
});
