import type { Order, OrderCommand, OrderUpdate } from '../../../schemas/generated/types.ts';
import type { AppendedRecord } from '../../../streams/log/embedded/index.ts';
import { messageOf } from '../../../streams/log/errors.ts';
import { HOUSE_COMMANDS } from '../../../topologies/market-maker/topics.ts';
import { isFinal } from '../../../topologies/orders/applyFill.ts';
import { orderKey, STORES } from '../../../topologies/orders/stores.ts';
import { ACCOUNT_UPDATES, ORDER_COMMANDS, ORDER_UPDATES } from '../../../topologies/orders/topics.ts';
import { OutcomeCheck, type PendingCommand, Remembered } from './outcomes.ts';
import { type Findings, placeOf } from './report.ts';
import { type Snapshot, StoreReader, type VerificationSubject } from './snapshot.ts';
import { decodeValue, type Pacer, Range, walk } from './walk.ts';

/** Final orders remembered of one partition; a change after the end of an older one is not seen. */
const FINAL_ORDERS_MAX = 500_000;

/** Commands whose outcome is an account update. */
const ACCOUNT_COMMANDS: ReadonlySet<OrderCommand['kind']> = new Set(['OPEN_ACCOUNT', 'DEPOSIT', 'WITHDRAW']);

/** Follows the orders of one partition through their updates. */
export class OrderHistory {
  readonly #findings: Findings;
  readonly #open = new Map<string, Order>();
  readonly final = new Remembered<string, Pick<Order, 'status' | 'filledQuantityMicros'>>(FINAL_ORDERS_MAX);
  /** Number of the last update, by account. */
  readonly sequences = new Map<string, number>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** @param complete no update of this partition is gone */
  update(update: OrderUpdate, record: AppendedRecord, complete: boolean): void {
    this.#findings.checked('order updates');
    const { accountId, accountSequence, order, event } = update;
    // Whoever has no account has no sequence.
    if (accountSequence !== 0) {
      const before = this.sequences.get(accountId) ?? (complete ? 0 : accountSequence - 1);
      if (accountSequence !== before + 1) {
        this.#findings.violation(
          placeOf(record),
          'the updates of the account are not numbered without a gap',
          {
            account: accountId,
            before,
            number: accountSequence,
          },
        );
      }
      this.sequences.set(accountId, accountSequence);
    }
    // A refused order is told, not kept: it is no state of an order.
    if (order !== null && event !== 'REJECTED') this.#order(order, update, record);
  }

  #order(order: Order, update: OrderUpdate, record: AppendedRecord): void {
    const key = orderKey(order.accountId, order.orderId);
    const { status, filledQuantityMicros, quantityMicros } = order;
    const wrong = (what: string, figures: Readonly<Record<string, number | string>>): void =>
      this.#findings.violation(placeOf(record), `order ${key}: ${what}`, figures);
    if (filledQuantityMicros > quantityMicros)
      wrong('filled more than ordered', {
        filledMicros: filledQuantityMicros,
        orderedMicros: quantityMicros,
      });
    const ended = this.final.get(key);
    if (ended !== undefined) {
      if (ended.status !== status || ended.filledQuantityMicros !== filledQuantityMicros)
        wrong('changed after its end', {
          was: `${ended.status} ${ended.filledQuantityMicros}`,
          is: `${status} ${filledQuantityMicros}`,
        });
      return;
    }
    const before = this.#open.get(key);
    const filled =
      update.event === 'FILL' || update.event === 'PARTIAL_FILL' ? (update.quantityMicros ?? 0) : 0;
    if (before !== undefined && before.filledQuantityMicros + filled !== filledQuantityMicros)
      wrong('the filled quantity is not the one before with this execution', {
        beforeMicros: before.filledQuantityMicros,
        executionMicros: filled,
        filledMicros: filledQuantityMicros,
      });
    if (!isFinal(status)) this.#open.set(key, order);
    else {
      this.#open.delete(key);
      this.final.set(key, { status, filledQuantityMicros });
    }
  }
}

/** Invariant 2, partition by partition: an account's commands and updates are all in one. */
export async function verifyOrders(
  subject: VerificationSubject,
  snapshot: Snapshot,
  findings: Findings,
  pacer: Pacer,
  onPartition: (partition: number) => void,
): Promise<void> {
  const partitions = snapshot.ends.get(ORDER_COMMANDS.name)?.length ?? 0;
  for (let partition = 0; partition < partitions; partition += 1) {
    onPartition(partition);
    await verifyPartition(subject, snapshot, findings, pacer, partition);
  }
  compareOpenOrders(snapshot, findings);
  await verifyStoredOrders(subject, findings, pacer);
}

async function verifyPartition(
  subject: VerificationSubject,
  snapshot: Snapshot,
  findings: Findings,
  pacer: Pacer,
  partition: number,
): Promise<void> {
  const { engine, serdes } = subject;
  const endOf = (topic: string): number => snapshot.ends.get(topic)?.[partition] ?? 0;
  // Beside what goes on, all commands there are: outcomes were looked at first, so that none is without its command.
  const processed = (topic: string): number =>
    snapshot.settled ? (snapshot.positions.get(`orders/${topic}/${partition}`) ?? 0) : endOf(topic);
  const range = (topic: string, end: number): Range => new Range(engine, topic, partition, end);
  const commands = range(
    ORDER_COMMANDS.name,
    Math.min(processed(ORDER_COMMANDS.name), endOf(ORDER_COMMANDS.name)),
  );
  const updates = range(ORDER_UPDATES.name, endOf(ORDER_UPDATES.name));
  // In this order: of equal times, a command comes before its outcome.
  const ranges = [commands];
  if (snapshot.ends.has(HOUSE_COMMANDS.name))
    ranges.push(
      range(HOUSE_COMMANDS.name, Math.min(processed(HOUSE_COMMANDS.name), endOf(HOUSE_COMMANDS.name))),
    );
  ranges.push(updates, range(ACCOUNT_UPDATES.name, endOf(ACCOUNT_UPDATES.name)));
  await updates.fill(engine);
  const history = new OrderHistory(findings);
  const isHouse = (accountId: string): boolean => snapshot.accounts.get(accountId)?.accountType === 'HOUSE';
  const outcomes = new OutcomeCheck(findings, isHouse, engine.kind === 'embedded');
  let tooOld = 0;
  let undecodable = 0;
  const damaged = (record: AppendedRecord, cause: unknown): void =>
    findings.violation(placeOf(record), `the record cannot be decoded: ${messageOf(cause)}`);
  const skipped = (): void => {
    undecodable += 1;
  };
  await walk(engine, ranges, pacer, (record, { topic }) => {
    if (topic === ORDER_UPDATES.name) {
      const update = decodeValue(serdes, ORDER_UPDATES, record, damaged);
      if (update === null) return;
      history.update(update, record, updates.complete);
      outcomes.orderUpdate(update, record);
    } else if (topic === ACCOUNT_UPDATES.name) {
      const update = decodeValue(serdes, ACCOUNT_UPDATES, record, damaged);
      if (update !== null) outcomes.accountUpdate(update, record);
    } else {
      const command = decodeValue(serdes, ORDER_COMMANDS, record, skipped);
      if (command === null) return;
      const toldElsewhere = ACCOUNT_COMMANDS.has(command.kind);
      if (toldElsewhere || updates.complete || record.sequence >= updates.firstSequence)
        outcomes.command(command, record);
      else {
        outcomes.excuse(command);
        tooOld += 1;
      }
    }
  });
  outcomes.end();
  if (tooOld > 0)
    findings.notChecked(
      `outcomes of ${tooOld} commands: retention has removed them from ${ORDER_UPDATES.name}`,
    );
  if (undecodable > 0)
    findings.notChecked(`${undecodable} commands that cannot be decoded; they went to orders.dead-letter`);
  if (history.final.forgotten > 0)
    findings.notChecked(
      `changes after the end of the ${history.final.forgotten} oldest orders of partition ${partition}`,
    );
  await reportUnanswered(subject, snapshot, findings, pacer, commands, outcomes.pending);
  if (!snapshot.settled) return;
  compareSequences(history, snapshot, findings);
  await compareFinal(subject, history, isHouse, findings, pacer);
}

/** A command that has no outcome is an earlier one sent again, or a violation. */
async function reportUnanswered(
  { engine, serdes }: VerificationSubject,
  snapshot: Snapshot,
  findings: Findings,
  pacer: Pacer,
  { topic, partition, end }: Range,
  unanswered: ReadonlyMap<string, PendingCommand>,
): Promise<void> {
  const pending = new Map(
    [...unanswered].filter(([, { record }]) => engine.cut?.mayBeOnItsWay(record) !== true),
  );
  if (pending.size < unanswered.size)
    findings.notChecked(
      `outcomes of ${unanswered.size - pending.size} commands of partition ${partition} that may be on their way still`,
    );
  if (pending.size === 0) return;
  const behind = snapshot.lag.some(
    ({ applicationId }) => applicationId === 'orders' || applicationId === 'matching',
  );
  if (behind) {
    findings.notChecked(
      `outcomes of ${pending.size} commands of partition ${partition} that are still being processed`,
    );
    return;
  }
  const repeated = await repeatedCommands({ engine, serdes }, topic, partition, end, pacer, pending);
  for (const [commandId, { command, record }] of pending) {
    // The house's commands come from a topology, once each: none is taken for another one sent again.
    const house = snapshot.accounts.get(command.accountId)?.accountType === 'HOUSE';
    if (house || !repeated.has(commandId))
      findings.violation(placeOf(record), `the ${command.kind} has no outcome`, {
        command: commandId,
        account: command.accountId,
      });
  }
}

/** Of the commands given, those that an earlier record already asked for: by command id, or for a SUBMIT by the order's ids. */
async function repeatedCommands(
  { engine, serdes }: Pick<VerificationSubject, 'engine' | 'serdes'>,
  topic: string,
  partition: number,
  end: number,
  pacer: Pacer,
  pending: ReadonlyMap<string, PendingCommand>,
): Promise<ReadonlySet<string>> {
  const byOrder = new Map<string, PendingCommand>();
  const nameOf = ({ accountId, orderId, clientOrderId }: OrderCommand): string =>
    `${accountId}/${orderId}/${clientOrderId ?? orderId}`;
  for (const waiting of pending.values())
    if (waiting.command.kind === 'SUBMIT') byOrder.set(nameOf(waiting.command), waiting);
  const repeated = new Set<string>();
  await walk(engine, [new Range(engine, topic, partition, end)], pacer, (record) => {
    const command = decodeValue(serdes, ORDER_COMMANDS, record, () => undefined);
    if (command === null) return;
    const same = pending.get(command.commandId) ?? byOrder.get(nameOf(command));
    if (same !== undefined && same.record.topic === topic && record.offset < same.record.offset)
      repeated.add(same.command.commandId);
  });
  return repeated;
}

function compareSequences(history: OrderHistory, snapshot: Snapshot, findings: Findings): void {
  for (const [accountId, sequence] of history.sequences) {
    const stored = snapshot.accounts.get(accountId)?.updatesSequence ?? null;
    if (stored !== sequence)
      findings.violation(`orders/accounts ${accountId}`, 'the store counts other updates than the log has', {
        stored,
        onTheLog: sequence,
      });
  }
}

/** Final orders of customers are in the store as they ended. Those of the house are not kept. */
async function compareFinal(
  subject: VerificationSubject,
  history: OrderHistory,
  isHouse: (accountId: string) => boolean,
  findings: Findings,
  pacer: Pacer,
): Promise<void> {
  const reader = new StoreReader(subject, findings);
  const partitions = reader.partitions('orders', STORES.orders);
  for (const [key, ended] of history.final.entries()) {
    if (isHouse(key.slice(0, key.indexOf('/')))) continue;
    const stored = reader.get('orders', STORES.orders, 'opentape.orders.Order', key, partitions);
    if (stored?.status !== ended.status || stored.filledQuantityMicros !== ended.filledQuantityMicros) {
      findings.violation(`orders/orders ${key}`, 'the store has another end of the order than its updates', {
        stored: stored === null ? null : `${stored.status} ${stored.filledQuantityMicros}`,
        told: `${ended.status} ${ended.filledQuantityMicros}`,
      });
    }
    if (pacer.due) await pacer.turn();
  }
}

/** What rests in the books is what the accounts have open. */
function compareOpenOrders(snapshot: Snapshot, findings: Findings): void {
  if (!snapshot.settled) {
    findings.notChecked(
      'orders against the stores: the deployment was busy, so that they are of no one moment',
    );
    return;
  }
  if (snapshot.lag.length > 0) {
    findings.notChecked('open orders against the books: not everything is processed yet');
    return;
  }
  const counts = new Map<string, number>();
  const resting = new Set<string>();
  for (const book of snapshot.books) {
    for (const { accountId, orderId, symbol, leavesQuantityMicros } of book.resting.values()) {
      const key = `${accountId}/${orderId}`;
      resting.add(key);
      counts.set(accountId, (counts.get(accountId) ?? 0) + 1);
      findings.checked('resting orders');
      const order = snapshot.bookOrders.get(key) ?? null;
      const open =
        order === null || isFinal(order.status) ? null : order.quantityMicros - order.filledQuantityMicros;
      if (open !== leavesQuantityMicros)
        findings.violation(
          `matching/resting-orders ${symbol}`,
          `order ${key} rests with another open quantity than the account has`,
          {
            restingMicros: leavesQuantityMicros,
            openMicros: open,
            status: order?.status ?? null,
          },
        );
    }
  }
  for (const [key, order] of snapshot.openOrders) {
    if (order === null || isFinal(order.status) || !resting.has(key))
      findings.violation(
        `orders/open-limits ${key}`,
        'the order is open for its account, but rests in no book',
        {
          status: order?.status ?? null,
        },
      );
  }
  for (const [accountId, { openOrders }] of snapshot.accounts) {
    const count = counts.get(accountId) ?? 0;
    if (openOrders !== count)
      findings.violation(
        `orders/accounts ${accountId}`,
        'the account counts other open orders than rest in the books',
        {
          counted: openOrders,
          resting: count,
        },
      );
  }
}

/** Every order in the store by itself. */
async function verifyStoredOrders(
  subject: VerificationSubject,
  findings: Findings,
  pacer: Pacer,
): Promise<void> {
  const reader = new StoreReader(subject, findings);
  for (const [key, order] of reader.entries('orders', STORES.orders, 'opentape.orders.Order')) {
    findings.checked('orders');
    const place = `orders/orders ${key}`;
    const { filledQuantityMicros, quantityMicros, status, heldCashMicros, heldQuantityMicros } = order;
    if (key !== orderKey(order.accountId, order.orderId))
      findings.violation(place, 'the order is under a wrong key');
    if (filledQuantityMicros > quantityMicros || filledQuantityMicros < 0)
      findings.violation(place, 'filled more than ordered', {
        filledMicros: filledQuantityMicros,
        orderedMicros: quantityMicros,
      });
    if ((status === 'FILLED') !== (filledQuantityMicros === quantityMicros) && status !== 'REPLACED')
      findings.violation(place, 'the state does not fit the filled quantity', {
        status,
        filledMicros: filledQuantityMicros,
        orderedMicros: quantityMicros,
      });
    if (isFinal(status) && (heldCashMicros !== 0 || heldQuantityMicros !== 0))
      findings.violation(place, 'an order at its end still holds cash or shares', {
        heldCashMicros,
        heldQuantityMicros,
      });
    if (pacer.due) await pacer.turn();
  }
}
