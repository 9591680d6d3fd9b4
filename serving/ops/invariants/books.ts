import type { BookState, DepthUpdate, RestingOrder } from '../../../schemas/generated/types.ts';
import type { Ticker } from '../../../schemas/ids.ts';
import type { AppendedRecord } from '../../../streams/log/embedded/index.ts';
import { messageOf } from '../../../streams/log/errors.ts';
import type { Book } from '../../../topologies/matching/book.ts';
import { DepthChanges } from '../../../topologies/matching/depthChanges.ts';
import { LevelBook } from '../../../topologies/matching/levelBook.ts';
import { type Counters, execute, type MatchListener } from '../../../topologies/matching/match.ts';
import { restingOrderKey } from '../../../topologies/matching/stores.ts';
import { MARKET_DEPTH } from '../../../topologies/matching/topics.ts';
import { ORDERS_ACCEPTED } from '../../../topologies/orders/topics.ts';
import { type Findings, placeOf } from './report.ts';
import type { BookPartition, Snapshot, VerificationSubject } from './snapshot.ts';
import { decodeValue, type Pacer, Range, walk } from './walk.ts';

interface RebuiltBook {
  readonly book: Book;
  readonly resting: Map<string, RestingOrder>;
  readonly counters: Counters;
  depthSequence: number;
}

/** The books of one partition, built again from their commands. */
class Rebuild implements MatchListener {
  readonly books = new Map<Ticker, RebuiltBook>();
  readonly #changes = new DepthChanges();
  #current!: RebuiltBook;

  /** Carries out a command and returns the change of depth it leads to, or null. */
  execute(command: Parameters<typeof execute>[2]): DepthUpdate | null {
    const { symbol } = command;
    let current = this.books.get(symbol);
    if (current === undefined) {
      current = {
        book: new LevelBook(),
        resting: new Map(),
        counters: { prioritySequence: 0, tradeSequence: 0, lastPriceTicks: null },
        depthSequence: 0,
      };
      this.books.set(symbol, current);
    }
    this.#current = current;
    this.#changes.begin(current.book);
    execute(current.book, current.counters, command, this);
    const update = this.#changes.update(symbol, current.depthSequence + 1);
    if (update !== null) current.depthSequence = update.sequence;
    return update;
  }

  /** Best bid and ask of the book just changed, where they cross; null where all is well. */
  crossed(): { readonly bidTicks: number; readonly askTicks: number } | null {
    const bid = this.#current.book.first('BUY');
    const ask = this.#current.book.first('SELL');
    if (bid === null || ask === null || bid.priceTicks < ask.priceTicks) return null;
    return { bidTicks: bid.priceTicks, askTicks: ask.priceTicks };
  }

  touching(order: RestingOrder): void {
    this.#changes.touch(order);
  }

  rested(order: RestingOrder): void {
    this.#current.resting.set(restingOrderKey(order.symbol, order.prioritySequence), order);
  }

  left(order: RestingOrder): void {
    this.#current.resting.delete(restingOrderKey(order.symbol, order.prioritySequence));
  }

  traded(): void {
    // Trades are compared where they are settled.
  }

  report(): void {
    // Reports are compared by what the accounts made of them.
  }
}

/** Invariant 3: each book, built again from the commands it took, is the book in the store, and its deltas are those on the log. */
export async function verifyBooks(
  subject: VerificationSubject,
  snapshot: Snapshot,
  findings: Findings,
  pacer: Pacer,
  onPartition: (partition: number) => void,
): Promise<void> {
  for (const [partition, stored] of snapshot.books.entries()) {
    onPartition(partition);
    if (snapshot.settled) checkStored(stored, findings);
    await rebuildPartition(subject, snapshot, findings, pacer, partition, stored);
  }
}

/** What can be said of a stored book by itself: not crossed, and numbered no further than its counters. */
function checkStored({ resting, counters }: BookPartition, findings: Findings): void {
  const tops = new Map<string, { bid: number; ask: number }>();
  for (const [key, order] of resting) {
    const place = `matching/resting-orders ${key}`;
    const top = tops.get(order.symbol) ?? { bid: Number.NEGATIVE_INFINITY, ask: Number.POSITIVE_INFINITY };
    tops.set(order.symbol, top);
    if (order.side === 'BUY') top.bid = Math.max(top.bid, order.priceTicks);
    else top.ask = Math.min(top.ask, order.priceTicks);
    if (key !== restingOrderKey(order.symbol, order.prioritySequence))
      findings.violation(place, 'the order is under a wrong key');
    if (!(order.leavesQuantityMicros > 0 && order.leavesQuantityMicros <= order.quantityMicros))
      findings.violation(place, 'the open quantity is not between zero and the ordered one', {
        openMicros: order.leavesQuantityMicros,
        orderedMicros: order.quantityMicros,
      });
    const last = counters.get(order.symbol)?.prioritySequence ?? 0;
    if (order.prioritySequence > last)
      findings.violation(place, 'the order has a place in line that was never given', {
        place: order.prioritySequence,
        last,
      });
  }
  for (const [symbol, { bid, ask }] of tops)
    if (bid >= ask)
      findings.violation(`matching/resting-orders ${symbol}`, 'the book is crossed', {
        bidTicks: bid,
        askTicks: ask,
      });
}

async function rebuildPartition(
  subject: VerificationSubject,
  snapshot: Snapshot,
  findings: Findings,
  pacer: Pacer,
  partition: number,
  stored: BookPartition,
): Promise<void> {
  const { engine, serdes } = subject;
  // Beside what goes on, all commands there are: their outcomes were looked at first, so that none of them is without its cause.
  const end = snapshot.settled
    ? (snapshot.positions.get(`matching/${ORDERS_ACCEPTED.name}/${partition}`) ?? 0)
    : (snapshot.ends.get(ORDERS_ACCEPTED.name)?.[partition] ?? 0);
  const commands = new Range(engine, ORDERS_ACCEPTED.name, partition, end);
  if (!commands.complete) {
    findings.notChecked(
      `books of partition ${partition} against their input: retention has removed early records of ${ORDERS_ACCEPTED.name}`,
    );
    return;
  }
  const rebuild = new Rebuild();
  const deltas = new DepthComparison(
    subject,
    findings,
    snapshot.ends.get(MARKET_DEPTH.name)?.[partition] ?? 0,
    partition,
  );
  let undecodable = 0;
  await walk(engine, [commands], pacer, async (record) => {
    const command = decodeValue(serdes, ORDERS_ACCEPTED, record, () => {
      undecodable += 1;
    });
    if (command === null) return;
    findings.checked('book commands');
    const update = rebuild.execute(command);
    const crossed = rebuild.crossed();
    if (crossed !== null)
      findings.violation(
        placeOf(record),
        `the book of ${command.symbol} is crossed after the command`,
        crossed,
      );
    if (update !== null) await deltas.expect(update, record);
  });
  await deltas.end();
  if (undecodable > 0)
    findings.notChecked(
      `${undecodable} book commands that cannot be decoded; they went to matching.dead-letter`,
    );
  if (!snapshot.settled)
    findings.notChecked(
      'the books in the stores: the deployment was busy, so that they are of no one moment',
    );
  else if (commands.complete) compareStored(rebuild, stored, findings);
  else findings.notChecked(`books of partition ${partition}: retention removed their input meanwhile`);
}

/** The deltas of depth on the log, against those that the rebuilt books give, one after the other. */
class DepthComparison {
  readonly #subject: VerificationSubject;
  readonly #findings: Findings;
  readonly #range: Range;
  #started: boolean;
  #skipped = 0;
  #onItsWay = 0;
  #failed = false;

  constructor(subject: VerificationSubject, findings: Findings, end: number, partition: number) {
    this.#subject = subject;
    this.#findings = findings;
    this.#range = new Range(subject.engine, MARKET_DEPTH.name, partition, end);
    this.#started = this.#range.complete;
  }

  async #next(): Promise<{ readonly record: AppendedRecord; readonly update: DepthUpdate } | null> {
    for (;;) {
      if (this.#range.used) await this.#range.fill(this.#subject.engine);
      const record = this.#range.peek();
      if (record === null) return null;
      const update = decodeValue(this.#subject.serdes, MARKET_DEPTH, record, (_, cause) => {
        this.#findings.violation(placeOf(record), `the record cannot be decoded: ${messageOf(cause)}`);
      });
      if (update !== null) return { record, update };
      this.#range.take(record);
    }
  }

  async expect(expected: DepthUpdate, cause: AppendedRecord): Promise<void> {
    if (this.#failed) return;
    const next = await this.#next();
    if (next === null) {
      if (!this.#started) this.#skipped += 1;
      else if (this.#subject.engine.cut?.mayBeOnItsWay(cause) === true) this.#onItsWay += 1;
      else this.#fail(placeOf(cause), 'the change of depth it leads to is not on the log', expected, null);
      return;
    }
    const { record, update } = next;
    const same = JSON.stringify(update) === JSON.stringify(expected);
    // Retention takes the oldest deltas first: comparing begins with the first one left.
    if (!this.#started && (update.symbol !== expected.symbol || update.sequence !== expected.sequence)) {
      this.#skipped += 1;
      return;
    }
    this.#started = true;
    this.#range.take(record);
    this.#findings.checked('depth deltas');
    if (!same) this.#fail(placeOf(record), 'the delta is not what the book gives', expected, update);
  }

  #fail(place: string, what: string, expected: DepthUpdate, found: DepthUpdate | null): void {
    this.#findings.violation(place, what, {
      symbol: expected.symbol,
      expectedSequence: expected.sequence,
      expectedChecksum: expected.checksum,
      sequence: found?.sequence ?? null,
      checksum: found?.checksum ?? null,
    });
    // Out of step once, nothing that follows can be told apart.
    if (found === null || found.symbol !== expected.symbol || found.sequence !== expected.sequence)
      this.#failed = true;
  }

  async end(): Promise<void> {
    if (this.#onItsWay > 0)
      this.#findings.notChecked(`${this.#onItsWay} changes of depth that may be on their way still`);
    if (this.#skipped > 0)
      this.#findings.notChecked(
        `${this.#skipped} changes of depth that retention has removed from ${MARKET_DEPTH.name}`,
      );
    const next = this.#failed ? null : await this.#next();
    if (next !== null && this.#started)
      this.#findings.violation(placeOf(next.record), 'the delta follows from no command', {
        symbol: next.update.symbol,
        sequence: next.update.sequence,
      });
  }
}

function compareStored({ books }: Rebuild, stored: BookPartition, findings: Findings): void {
  const rebuiltOrders = new Map<string, RestingOrder>();
  for (const [symbol, { resting, counters, depthSequence }] of books) {
    findings.checked('books');
    for (const [key, order] of resting) rebuiltOrders.set(key, order);
    const found = stored.counters.get(symbol) ?? null;
    const expected: BookState = { symbol, ...counters, depthSequence };
    // A book that nothing ever rested in or traded on is not stored.
    if (found === null && counters.prioritySequence === 0 && depthSequence === 0) continue;
    for (const name of ['prioritySequence', 'tradeSequence', 'depthSequence', 'lastPriceTicks'] as const) {
      if (found?.[name] !== expected[name])
        findings.violation(`matching/books ${symbol}`, `${name} is not what the commands give`, {
          stored: found?.[name] ?? null,
          rebuilt: expected[name],
        });
    }
  }
  for (const symbol of stored.counters.keys())
    if (!books.has(symbol as Ticker))
      findings.violation(`matching/books ${symbol}`, 'the store has a book that no command made');
  for (const [key, order] of stored.resting) {
    const rebuilt = rebuiltOrders.get(key);
    rebuiltOrders.delete(key);
    if (rebuilt !== undefined && sameOrder(rebuilt, order)) continue;
    findings.violation(
      `matching/resting-orders ${key}`,
      'the store has an order that the commands do not leave there',
      {
        storedOrder: order.orderId,
        storedOpenMicros: order.leavesQuantityMicros,
        storedPriceTicks: order.priceTicks,
        rebuiltOrder: rebuilt?.orderId ?? null,
        rebuiltOpenMicros: rebuilt?.leavesQuantityMicros ?? null,
        rebuiltPriceTicks: rebuilt?.priceTicks ?? null,
      },
    );
  }
  for (const [key, { orderId, leavesQuantityMicros }] of rebuiltOrders)
    findings.violation(
      `matching/resting-orders ${key}`,
      'an order that the commands leave there is not in the store',
      {
        order: orderId,
        openMicros: leavesQuantityMicros,
      },
    );
}

function sameOrder(a: RestingOrder, b: RestingOrder): boolean {
  return (Object.keys(a) as (keyof RestingOrder)[]).every((name) => a[name] === b[name]);
}
