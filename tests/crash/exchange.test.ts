import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { withTemporaryDirectory } from '../support/temporary.ts';
import { ExchangeProcess, type Fault, NO_FAULT } from './exchangeProcess.ts';
import { TRACE_SUFFIX } from './protocol.ts';
import { replayInto } from './replay.ts';
import { SeededRandom, Traders } from './traders.ts';
import { type Verified, verifyAsOperator, verifyDirectory } from './verifier.ts';

const SEED = Number(process.env.OPENTAPE_TEST_CRASH_SEED ?? 20131011);
const KILLS = 100;
const VERIFY_EVERY = 25;
const OUTSTANDING = 24;
const KILLS_A_PHASE = 4;
const COMMITS_BEFORE_MAX = 40;
/** Kills within the write that are wanted, and how often it is tried to hit it. */
const WITHIN_WRITE = 3;
const WITHIN_WRITE_ATTEMPTS = 24;
const TORN = 4;
/** Long enough for a few recoveries. */
const FAILING_LIFE_MIN_MS = 600;
const FAILING_LIFE_MAX_MS = 1_200;
const LIFE_MIN_MS = 5;
const LIFE_MAX_MS = 400;

/** A data directory with traders at its door, through any number of processes. */
class Ordeal {
  readonly directory: string;
  readonly random: SeededRandom;
  readonly traders: Traders;
  readonly #folder: string;

  constructor(folder: string, seed: number) {
    this.#folder = folder;
    this.directory = join(folder, 'data');
    this.random = new SeededRandom(seed);
    this.traders = new Traders(this.random);
  }

  /** A life that ends well: accounts are opened and a few orders traded. */
  async settleIn(): Promise<void> {
    const exchange = await ExchangeProcess.start(this.directory, this.traders, NO_FAULT);
    await exchange!.stop();
  }

  /** A life that ends by SIGKILL some milliseconds after it was ready. */
  async untilKilled(afterMs: number, fault = NO_FAULT): Promise<void> {
    const exchange = await ExchangeProcess.start(this.directory, this.traders, fault);
    await exchange!.loadThenKill(OUTSTANDING, afterMs);
  }

  /** A life that ends where the fault says. What it wrote beside its directory is returned. */
  async untilFault(fault: Fault): Promise<string> {
    const trace = `${this.directory}${TRACE_SUFFIX}`;
    rmSync(trace, { force: true });
    const exchange = await ExchangeProcess.start(this.directory, this.traders, fault);
    await exchange?.loadUntilKilled(OUTSTANDING);
    try {
      return readFileSync(trace, 'utf8');
    } catch {
      return '';
    }
  }

  verify(toldAll = false): Promise<Verified> {
    return verifyDirectory(this.directory, this.traders.sent, this.traders.followed, toldAll);
  }

  /** A last life that ends well: every client is then told everything, and a replay gives the same, byte for byte. */
  async conclude(t: TestContext): Promise<void> {
    const exchange = await ExchangeProcess.start(this.directory, this.traders, NO_FAULT);
    await exchange!.loadFor(OUTSTANDING, 200);
    await exchange!.stop();
    const verified = await this.verify(true);
    const acknowledged = [...this.traders.sent.values()].filter((sent) => sent.acknowledged.length > 0);
    t.diagnostic(
      `${verified.commands} commands, ${acknowledged.length} acknowledged, ${verified.trades} trades, ${verified.records} records`,
    );
    const seen = [...this.traders.followed.values()].flat();
    assert.ok(seen.some(({ update }) => update.event === 'FILL'));
    await verifyAsOperator(this.directory);
    const { original, replayed } = await replayInto(join(this.#folder, 'replay'), this.directory);
    assert.deepEqual(replayed, original);
  }
}

function ordeal(name: string, seed: number, body: (ordeal: Ordeal, t: TestContext) => Promise<void>): void {
  test(`${name} (seed ${seed})`, (t) =>
    withTemporaryDirectory(async (folder) => {
      const running = new Ordeal(folder, seed);
      await running.settleIn();
      await body(running, t);
      await running.conclude(t);
    }));
}

ordeal(
  `killed ${KILLS} times at random moments under load, it loses and doubles nothing`,
  SEED,
  async (o) => {
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await o.untilKilled(o.random.integer(LIFE_MIN_MS, LIFE_MAX_MS));
      if (kill % VERIFY_EVERY === 0) await o.verify();
    }
  },
);

const PHASES = [
  'open:before-database',
  'open:after-database',
  'commit:before-flush',
  'commit:before-write',
  'commit:after-write',
  'commit:after-mark',
  'commit:after-acknowledge',
] as const;

PHASES.forEach((point, index) => {
  ordeal(`killed at ${point}, it loses and doubles nothing`, SEED + 1 + index, async (o) => {
    for (let kill = 0; kill < KILLS_A_PHASE; kill += 1) {
      const occurrence = point.startsWith('open:') ? 0 : o.random.integer(0, COMMITS_BEFORE_MAX);
      await o.untilFault({ point, occurrence });
    }
  });
});

ordeal('killed while its disk fails now and then, it loses and doubles nothing', SEED + 19, async (o) => {
  for (let kill = 0; kill < KILLS_A_PHASE; kill += 1) {
    await o.untilKilled(o.random.integer(FAILING_LIFE_MIN_MS, FAILING_LIFE_MAX_MS), {
      point: 'failing-writes',
      occurrence: o.random.integer(3, 12),
    });
    await o.verify();
  }
});

ordeal('killed within the write of a commit, it loses and doubles nothing', SEED + 20, async (o, t) => {
  let within = 0;
  let attempts = 0;
  while (within < WITHIN_WRITE && attempts < WITHIN_WRITE_ATTEMPTS) {
    attempts += 1;
    const trace = await o.untilFault({
      point: 'during-write',
      occurrence: o.random.integer(1, COMMITS_BEFORE_MAX),
    });
    assert.match(trace, /^before-write/);
    if (!trace.includes('after-write')) within += 1;
  }
  t.diagnostic(`${within} of ${attempts} kills came before the write had returned`);
  assert.ok(within > 0, 'no kill came while the write was under way');
});

ordeal('with the write of its last commit torn, it loses nothing acknowledged', SEED + 21, async (o) => {
  for (let kill = 0; kill < TORN; kill += 1) {
    const occurrence = o.random.integer(1, COMMITS_BEFORE_MAX);
    const trace = await o.untilFault({ point: 'commit:after-write', occurrence });
    const folder = join(o.directory, 'log');
    const newest = readdirSync(folder)
      .filter((name) => name.endsWith('.log'))
      .sort()
      .at(-1)!;
    const path = join(folder, newest);
    const begin = Number(/before-write (\d+)\n$/.exec(trace)![1]);
    const { size } = statSync(path);
    assert.ok(begin < size, 'the commit is in the write-ahead log');
    truncateSync(path, o.random.integer(begin, size - 1));
    await o.verify();
  }
});
