import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { OrderCommand } from '../../../schemas/generated/types.ts';
import type { AccountId, CommandId, OrderId } from '../../../schemas/ids.ts';
import type { Serdes } from '../../../schemas/serdes.ts';
/** A real platform in a directory, traded on at random from a seed; and tools to damage what it left behind. */
import { topicRecord } from '../../../schemas/topicRecord.ts';
import type { CashMicros, PriceTicks, QuantityMicros } from '../../../schemas/units.ts';
import { openPlatform, type Platform } from '../../../serving/platform.ts';
import { type CommittedPosition, EmbeddedLog } from '../../../streams/log/embedded/index.ts';
import type { ProducerRecord } from '../../../streams/log/log.ts';
import { USER_ACTIONS } from '../../../topologies/audit/topics.ts';
import { ORDER_COMMANDS } from '../../../topologies/orders/topics.ts';
import { participantOf } from '../../streams/log/support.ts';
import { assetRecord } from '../../support/assets.ts';
import { limitOrder, numberedUuid, openAccount } from '../../support/commands.ts';
import { withTemporaryDirectory } from '../../support/temporary.ts';

export const SYMBOLS = ['AAPL', 'IBM', 'MSFT'];
export const HOUSE = numberedUuid(9, 0) as AccountId;
/** The minute that began last: what is older than the retention of a topic would go as soon as the demo account is opened. */
export const START_MS = Math.floor(Date.now() / 60_000) * 60_000;

export const customer = (index: number): AccountId => numberedUuid(1, index) as AccountId;

/** Opens a platform without a market of its own; its time is fixed. */
export function openFloor(dataDirectory: string): Promise<Platform> {
  return openPlatform({
    dataDirectory,
    session: 'always',
    marketMakerLevels: 3,
    memoryBudgetBytes: 32 * 2 ** 20,
    wallClock: () => START_MS,
    onApplicationFailed: (applicationId, cause) => console.error(`${applicationId} failed`, cause),
  });
}

export function commandRecord(platform: Platform, command: OrderCommand, atMs = START_MS): ProducerRecord {
  return topicRecord(platform.serdes, ORDER_COMMANDS, command.accountId, command, atMs);
}

/** Numbers from a seed (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}

/** Trades at random, at one time of the market: limit orders of every kind, cancels, replacements, repeated and refused commands, deposits and withdrawals. */
export async function trade(
  platform: Platform,
  commands: number,
  seed = 1,
  startMs = START_MS,
): Promise<void> {
  const pick = random(seed);
  await platform.producer.send(
    SYMBOLS.map((symbol) => assetRecord(platform.serdes, symbol, 'NYSE', START_MS)),
  );
  const accounts = Array.from({ length: 6 }, (_, index) => customer(index));
  const send = (all: readonly OrderCommand[]): Promise<unknown> =>
    platform.producer.send(all.map((command, index) => commandRecord(platform, command, startMs + index)));
  await send([
    openAccount(HOUSE, 0, 'HOUSE'),
    ...accounts.map((accountId) => openAccount(accountId, 1_000_000)),
  ]);
  let batch: OrderCommand[] = [];
  let last: OrderCommand | null = null;
  for (let index = 0; index < commands; index += 1) {
    const command = nextCommand(pick, index + seed * 1_000_000, accounts);
    batch.push(command);
    if (last !== null && pick(40) === 0) batch.push(last);
    // The house's commands come from a topology, once each; only customers repeat themselves.
    last = command.accountId === HOUSE ? null : command;
    if (batch.length < 1 + pick(30)) continue;
    await send(batch);
    batch = [];
  }
  await send(batch);
}

function nextCommand(
  pick: (below: number) => number,
  index: number,
  accounts: readonly AccountId[],
): OrderCommand {
  const house = pick(2) === 0;
  const accountId = house ? HOUSE : accounts[pick(accounts.length)]!;
  const symbol = SYMBOLS[pick(SYMBOLS.length)]!;
  const side = pick(2) === 0 ? 'BUY' : 'SELL';
  const timeInForce = (['GTC', 'DAY', 'IOC', 'FOK'] as const)[pick(4)]!;
  const price = 1_000_000 + (pick(21) - 10) * 100;
  const order = limitOrder(index, accountId, symbol, side, 1 + pick(20), price, timeInForce);
  const kind = pick(10);
  if (kind > 2) return order;
  const about = { ...order, orderId: numberedUuid(2, index - 1 - pick(20)) as OrderId };
  if (kind === 0) return { ...bare(about), kind: 'CANCEL' };
  if (kind === 1) {
    return {
      ...bare(about),
      kind: 'REPLACE',
      replacementOrderId: numberedUuid(2, index) as OrderId,
      quantityMicros: ((1 + pick(30)) * 1_000_000) as QuantityMicros,
      limitPriceTicks: price as PriceTicks,
    };
  }
  const amountMicros = ((pick(2_000) - 100) * 1_000_000) as CashMicros;
  return {
    ...bare(order),
    kind: pick(2) === 0 ? 'DEPOSIT' : 'WITHDRAW',
    accountId: accounts[pick(accounts.length)]!,
    orderId: null,
    amountMicros,
  };
}

function bare(order: OrderCommand): OrderCommand {
  return {
    ...order,
    clientOrderId: null,
    symbol: null,
    side: null,
    orderType: null,
    timeInForce: null,
    quantityMicros: null,
    limitPriceTicks: null,
    commandId: order.commandId as CommandId,
  };
}

/** A stopped instance that was traded on, to be copied by tests that damage it. */
export class TradedDirectory {
  readonly path: string;
  readonly serdes: Serdes;

  private constructor(path: string, serdes: Serdes) {
    this.path = path;
    this.serdes = serdes;
  }

  static async make(path: string, commands: number): Promise<TradedDirectory> {
    const platform = await openFloor(path);
    await trade(platform, commands);
    await platform.close();
    return new TradedDirectory(path, platform.serdes);
  }

  /** Runs `body` with a copy that it may damage. */
  copied<T>(body: (directory: string) => Promise<T>): Promise<T> {
    return withTemporaryDirectory(async (parent) => {
      const directory = join(parent, 'data');
      cpSync(this.path, directory, { recursive: true });
      return body(directory);
    });
  }
}

/** What is done to a stopped instance's log behind its back, in one commit. */
export interface Damage {
  readonly records?: readonly ProducerRecord[];
  readonly stores?: (engine: EmbeddedLog) => void;
  readonly positions?: readonly CommittedPosition[];
}

/** Changes a stopped instance's log behind its back. */
export async function damage(
  directory: string,
  { records = [], stores, positions = [] }: Damage,
): Promise<void> {
  const engine = await EmbeddedLog.open({ directory, maintenanceIntervalMs: null });
  try {
    engine.attach(
      participantOf({
        beforeCommit: (writer) => {
          for (const position of positions) writer.putPosition(position);
        },
      }),
    );
    stores?.(engine);
    const producer = engine.createProducer();
    // The record is what makes a commit.
    await producer.send([
      ...records,
      { topic: USER_ACTIONS.name, key: null, value: null, timestamp: START_MS },
    ]);
    await producer.close();
  } finally {
    await engine.close();
  }
}

/** Changes the first entry of a store that `change` returns other bytes for; null removes it. */
export function changeEntry(
  applicationId: string,
  storeName: string,
  change: (key: string, value: Buffer) => Buffer | null | undefined,
): (engine: EmbeddedLog) => void {
  return (engine) => {
    for (const location of engine.state.list()) {
      if (location.applicationId !== applicationId || location.storeName !== storeName) continue;
      const store = engine.state.open(location, 'persistent');
      for (const { key, value } of [...store.scan(null, null, false)]) {
        const changed = change(key.toString(), value);
        if (changed === undefined) continue;
        store.put(key, changed);
        return;
      }
    }
    assert.fail(`${applicationId}/${storeName} has no entry to change`);
  };
}
