import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { SchemaName, SchemaTypes } from '../../../schemas/generated/types.ts';
import type { TopicDefinition, TopicValue } from '../../../schemas/topic.ts';
import { readConfig } from '../../../serving/config.ts';
import {
  type InvariantName,
  type VerificationReport,
  verifyInvariants,
} from '../../../serving/ops/invariants/verify.ts';
import { openStopped, verificationSubject } from '../../../serving/ops/subject.ts';
import type { ProducerRecord } from '../../../streams/log/log.ts';
import { MARKET_DEPTH } from '../../../topologies/matching/topics.ts';
import {
  ACCOUNT_UPDATES,
  ORDER_COMMANDS,
  ORDER_UPDATES,
  ORDERS_ACCEPTED,
  TRADE_EVENTS,
} from '../../../topologies/orders/topics.ts';
import { changeEntry, customer, type Damage, damage, HOUSE, TradedDirectory } from './tradingFloor.ts';

const parent = mkdtempSync(join(tmpdir(), 'opentape-violations-'));
let traded: TradedDirectory;

before(async () => {
  traded = await TradedDirectory.make(join(parent, 'data'), 1_200);
});
after(() => rmSync(parent, { recursive: true, force: true }));

async function verify(
  directory: string,
  caughtUpWithinMs: number | null = null,
): Promise<VerificationReport> {
  const subject = verificationSubject(await openStopped(readConfig({ OPENTAPE_DATA_DIR: directory })));
  try {
    return await verifyInvariants(subject, { caughtUpWithinMs });
  } finally {
    await subject.engine.close();
  }
}

function told(report: VerificationReport, invariant: InvariantName): string {
  return report.invariants
    .filter((each) => each.invariant === invariant)
    .flatMap(({ violations }) => violations)
    .map(({ place, what, figures }) => `${place}: ${what} ${JSON.stringify(figures)}`)
    .join('\n');
}

/** The last record of a topic whose value fits, as it can be sent again, changed. */
async function again<T extends TopicDefinition>(
  topic: T,
  fits: (value: TopicValue<T>) => boolean,
  change: (value: TopicValue<T>) => TopicValue<T> = (value) => value,
): Promise<ProducerRecord> {
  const serde = traded.serdes.value(topic as TopicDefinition);
  const subject = verificationSubject(await openStopped(readConfig({ OPENTAPE_DATA_DIR: traded.path })));
  try {
    const { partitions } = await subject.engine.admin.describeTopic(topic.name);
    for (let partition = 0; partition < partitions; partition += 1) {
      const records = subject.engine.readSync(topic.name, partition, 0, 1_000_000);
      for (const { key, value, timestamp } of [...records].reverse()) {
        if (value === null) continue;
        const decoded = serde.deserialize(topic.name, value) as TopicValue<T>;
        if (!fits(decoded)) continue;
        const changed = serde.serialize(topic.name, change(decoded) as SchemaTypes[SchemaName]);
        return { topic: topic.name, partition, key, value: changed, timestamp };
      }
    }
  } finally {
    await subject.engine.close();
  }
  return assert.fail(`no record of ${topic.name} fits`);
}

/** Changes the first fitting entry of a store. */
function entry<S extends SchemaName>(
  applicationId: string,
  store: string,
  schema: S,
  change: (value: SchemaTypes[S]) => SchemaTypes[S] | null | undefined,
): NonNullable<Damage['stores']> {
  const serde = traded.serdes.store(schema);
  return changeEntry(applicationId, store, (_, bytes) => {
    const changed = change(serde.deserialize(store, bytes));
    return changed === null || changed === undefined ? changed : serde.serialize(store, changed);
  });
}

async function finds(invariant: InvariantName, expected: RegExp, done: Damage): Promise<void> {
  await traded.copied(async (directory) => {
    await damage(directory, done);
    const report = await verify(directory);
    assert.equal(report.ok, false);
    assert.match(told(report, invariant), expected);
  });
}

const plus = <T extends number>(value: T, by = 1): T => (value + by) as T;

test('a stopped directory that nobody damaged holds, and verifying leaves it as it is', async () => {
  await traded.copied(async (directory) => {
    await damage(directory, {});
    const first = await verify(directory);
    assert.deepEqual(
      first.invariants.flatMap(({ violations, notChecked }) => [...violations, ...notChecked]),
      [],
    );
    assert.deepEqual(await verify(directory), first);
    const checked = Object.assign({}, ...first.invariants.map((each) => each.checked)) as Record<
      string,
      number
    >;
    for (const what of [
      'trades',
      'accounts',
      'commands',
      'order updates',
      'orders',
      'book commands',
      'depth deltas',
      'books',
    ])
      assert.ok(checked[what]! > 0, what);
  });
});

test('money: finds cash in an account that nobody paid in', () =>
  finds(
    'money',
    /orders\/accounts .*: cash in the store differ.*\n(.*\n)*.*cash and fees of all accounts are not deposits less withdrawals/,
    {
      stores: entry('orders', 'accounts', 'opentape.orders.AccountState', (account) => ({
        ...account,
        cashMicros: plus(account.cashMicros),
      })),
    },
  ));

test('money: finds shares that nobody sold', () =>
  finds(
    'money',
    /the position differs from what the trades give.*\n(.*\n)*.*do not sum to zero \{"sumMicros":"5"\}/,
    {
      stores: entry('orders', 'positions', 'opentape.orders.PositionState', (position) => ({
        ...position,
        quantityMicros: plus(position.quantityMicros, 5),
      })),
    },
  ));

test('money: finds cash put aside for no order', () =>
  finds('money', /cash put aside is not what the open orders hold/, {
    stores: entry('orders', 'accounts', 'opentape.orders.AccountState', (account) => ({
      ...account,
      heldCashMicros: plus(account.heldCashMicros),
    })),
  }));

test('money: finds a trade settled on one side only', async () =>
  finds(
    'money',
    /trade\.events\[\d\]@\d+: one side of a trade was settled, or one twice.*"execution":"IBM:999"/,
    {
      records: [
        await again(
          TRADE_EVENTS,
          () => true,
          (trade) => ({
            ...trade,
            symbol: 'IBM' as typeof trade.symbol,
            executionId: 'IBM:999' as typeof trade.executionId,
          }),
        ),
      ],
    },
  ));

test('money: finds an execution whose cash is not price times quantity', async () =>
  finds('money', /the cash of an execution is not price times quantity/, {
    records: [
      await again(
        TRADE_EVENTS,
        () => true,
        (trade) => ({ ...trade, cashMicros: plus(trade.cashMicros) }),
      ),
    ],
  }));

test('money: finds a deposit that never reached the account', async () =>
  finds('money', /deposits in the store differ from what the log gives/, {
    records: [await again(ACCOUNT_UPDATES, ({ kind }) => kind === 'DEPOSITED')],
  }));

test('orders: finds an outcome told twice, and the gap in the numbers', async () =>
  finds('orders', /not numbered without a gap.*\n(.*\n)*.*NEW is a second outcome of a SUBMIT/, {
    records: [await again(ORDER_UPDATES, ({ event, commandId }) => event === 'NEW' && commandId !== null)],
  }));

test('orders: finds an order that goes on after its end', async () =>
  finds('orders', /changed after its end \{"was":"CANCELED/, {
    records: [
      await again(
        ORDER_UPDATES,
        ({ event }) => event === 'CANCELED',
        (update) => ({ ...update, order: { ...update.order!, status: 'NEW' } }),
      ),
    ],
  }));

test('orders: finds an order filled beyond its quantity', () =>
  finds('orders', /orders\/orders .*: filled more than ordered/, {
    stores: entry('orders', 'orders', 'opentape.orders.Order', (order) => ({
      ...order,
      filledQuantityMicros: plus(order.quantityMicros),
    })),
  }));

test('orders: finds an end that the store has otherwise', () =>
  finds('orders', /the store has another end of the order than its updates/, {
    stores: entry('orders', 'orders', 'opentape.orders.Order', (order) =>
      order.status === 'CANCELED' ? { ...order, status: 'EXPIRED' } : undefined,
    ),
  }));

test('orders: finds a command without an outcome', async () => {
  const command = await again(
    ORDER_COMMANDS,
    ({ kind, accountId }) => kind === 'SUBMIT' && accountId === HOUSE,
    (value) => ({ ...value, commandId: 'lost' as typeof value.commandId }),
  );
  const offset = await endOf(ORDER_COMMANDS.name, command.partition!);
  await finds(
    'orders',
    new RegExp(`orders\\.commands\\[\\d\\]@${offset}: the SUBMIT has no outcome .*"command":"lost"`),
    {
      records: [command],
      positions: [
        {
          applicationId: 'orders',
          topic: ORDER_COMMANDS.name,
          partition: command.partition!,
          offset: offset + 1,
          partitionTimeMs: 0,
        },
      ],
    },
  );
});

test('orders: finds an answer to a command that is not on the log', async () =>
  finds('orders', /DEPOSITED answers a command that is not on the log/, {
    records: [
      await again(
        ACCOUNT_UPDATES,
        ({ kind, accountId }) => kind === 'DEPOSITED' && accountId !== HOUSE,
        (update) => ({ ...update, commandId: 'invented' as typeof update.commandId }),
      ),
    ],
  }));

test('books: finds an order that is missing in the store', () =>
  finds('books', /an order that the commands leave there is not in the store/, {
    stores: entry('matching', 'resting-orders', 'opentape.matching.RestingOrder', () => null),
  }));

test('books: finds a crossed book', () =>
  finds('books', /matching\/resting-orders [A-Z]+: the book is crossed/, {
    stores: entry('matching', 'resting-orders', 'opentape.matching.RestingOrder', (order) =>
      order.side === 'BUY' ? { ...order, priceTicks: plus(order.priceTicks, 1_000_000) } : undefined,
    ),
  }));

test('books: finds counters that the commands do not give', () =>
  finds('books', /tradeSequence is not what the commands give/, {
    stores: entry('matching', 'books', 'opentape.matching.BookState', (book) => ({
      ...book,
      tradeSequence: plus(book.tradeSequence),
    })),
  }));

test('books: finds a change of depth that follows from no command', async () =>
  finds('books', /market\.depth\[\d\]@\d+: the delta follows from no command/, {
    records: [await again(MARKET_DEPTH, () => true)],
  }));

test('books and orders: find a command that was booked and left no trace', async () => {
  const command = await again(
    ORDERS_ACCEPTED,
    ({ kind, side, timeInForce }) => kind === 'NEW' && side === 'BUY' && timeInForce === 'GTC',
    (value) => ({
      ...value,
      orderId: 'ghost' as typeof value.orderId,
      limitPriceTicks: plus(value.limitPriceTicks!, -100_000),
    }),
  );
  const offset = await endOf(ORDERS_ACCEPTED.name, command.partition!);
  await finds('books', /the change of depth it leads to is not on the log/, {
    records: [command],
    positions: [
      {
        applicationId: 'matching',
        topic: ORDERS_ACCEPTED.name,
        partition: command.partition!,
        offset: offset + 1,
        partitionTimeMs: 0,
      },
    ],
  });
});

test('log: finds a position beyond the end', () =>
  finds('log', /orders\.commands\[1\]: orders is at offset 999999, beyond the end/, {
    positions: [
      {
        applicationId: 'orders',
        topic: ORDER_COMMANDS.name,
        partition: 1,
        offset: 999_999,
        partitionTimeMs: 0,
      },
    ],
  }));

test('state: finds an entry that cannot be decoded, and how it begins', () =>
  finds('state', /orders\/accounts\[\d\] .*: the entry cannot be decoded: .*"bytes":3,"head":"010203"/, {
    stores: changeEntry('orders', 'accounts', () => Buffer.from([1, 2, 3])),
  }));

test('state: a backlog is told of a stopped instance, and held against one that runs', async () => {
  const command = await again(
    ORDER_COMMANDS,
    ({ kind, accountId }) => kind === 'DEPOSIT' && accountId === customer(1),
  );
  await traded.copied(async (directory) => {
    await damage(directory, { records: [command] });
    const stopped = await verify(directory);
    assert.equal(stopped.ok, true);
    assert.match(
      stopped.invariants[4]!.notChecked.join(),
      /orders has 1 records of orders\.commands\[\d\] left to process/,
    );
    const running = await verify(directory, 50);
    assert.match(told(running, 'state'), /orders has not caught up within 50 ms/);
  });
});

async function endOf(topic: string, partition: number): Promise<number> {
  const subject = verificationSubject(await openStopped(readConfig({ OPENTAPE_DATA_DIR: traded.path })));
  try {
    return subject.engine.committedEnd(topic, partition);
  } finally {
    await subject.engine.close();
  }
}
