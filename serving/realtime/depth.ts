import type { BookState, DepthLevel, DepthUpdate, RestingOrder } from '../../schemas/generated/types.ts';
import type { TailSubscription } from '../../streams/log/log.ts';
import { formatPrice, formatQuantity } from '../../topologies/domain/decimal.ts';
import { depthChecksum } from '../../topologies/matching/depthChecksum.ts';
import { BOOKS, bookOf, RESTING_ORDERS, restingOrdersPrefix } from '../../topologies/matching/stores.ts';
import { MARKET_DEPTH } from '../../topologies/matching/topics.ts';
import type { ServingContext } from '../context.ts';
import { RealtimeError } from './errors.ts';
import type { Flusher } from './flusher.ts';
import type { Outlet } from './outlet.ts';
import { eventPacket } from './packet.ts';
import { readInTurn } from './storeReads.ts';
import { tailValues } from './tailValues.ts';
import type { Turns } from './turns.ts';

/** Updates that wait while the stores are read; with more, they are read once more. */
const WAITING_MAX = 10_000;
/** Readings of a book in a row, until one falls between two of its changes. */
const READS_MAX = 20;

type Levels = Map<DepthLevel['priceTicks'], DepthLevel['quantityMicros']>;

/** A symbol's levels, kept for as long as somebody watches them. */
interface WatchedBook {
  readonly symbol: string;
  sequence: number;
  checksum: number;
  readonly bids: Levels;
  readonly asks: Levels;
  readonly members: Set<Outlet>;
  /** Members that need a snapshot: new ones, and those that had no room for a delta. */
  readonly stale: Set<Outlet>;
  /** The sequence that members which are not stale have. */
  sentSequence: number;
  /** Levels that changed since. */
  readonly changedBids: Set<DepthLevel['priceTicks']>;
  readonly changedAsks: Set<DepthLevel['priceTicks']>;
  /** Updates that came while the stores are being read; null where they are not. */
  waiting: DepthUpdate[] | null;
}

/** A book as the stores have it. */
interface StoredBook {
  readonly sequence: number;
  readonly bids: readonly DepthLevel[];
  readonly asks: readonly DepthLevel[];
}

function apply(levels: Levels, changed: Set<DepthLevel['priceTicks']>, updates: readonly DepthLevel[]): void {
  for (const { priceTicks, quantityMicros } of updates) {
    if (quantityMicros === 0) levels.delete(priceTicks);
    else levels.set(priceTicks, quantityMicros);
    changed.add(priceTicks);
  }
}

function textOf(levels: Levels, prices: Iterable<DepthLevel['priceTicks']>): [string, string][] {
  const none = 0 as DepthLevel['quantityMicros'];
  return Array.from(prices, (price) => [formatPrice(price), formatQuantity(levels.get(price) ?? none)]);
}

function bestFirst(levels: Levels, side: 'BUY' | 'SELL'): DepthLevel['priceTicks'][] {
  return [...levels.keys()].sort((a, b) => (side === 'BUY' ? b - a : a - b));
}

/** The levels of our own books: a snapshot, then contiguous deltas, one for all that a commit changed. */
export class DepthChannel {
  readonly #context: ServingContext;
  readonly #flusher: Flusher;
  readonly #turns: Turns;
  readonly #tail: TailSubscription;
  readonly #books = new Map<string, WatchedBook>();
  readonly #changed = new Set<WatchedBook>();
  readonly #symbolsOf = new Map<Outlet, Set<string>>();

  /** @param turns in which the stores are read */
  constructor(context: ServingContext, flusher: Flusher, turns: Turns) {
    this.#context = context;
    this.#flusher = flusher;
    this.#turns = turns;
    this.#tail = tailValues(
      context,
      MARKET_DEPTH,
      (symbol) => this.#books.has(symbol),
      (update, symbol) => this.#apply(this.#books.get(symbol)!, update),
    );
    flusher.add(this);
  }

  /** How many symbols a client would watch with these added. */
  countWith(outlet: Outlet, symbols: readonly string[]): number {
    return new Set([...(this.#symbolsOf.get(outlet) ?? []), ...symbols]).size;
  }

  /** A snapshot of each symbol follows at once, also of those that the client watches already. */
  subscribe(outlet: Outlet, symbols: readonly string[]): void {
    let watched = this.#symbolsOf.get(outlet);
    if (watched === undefined) {
      watched = new Set();
      this.#symbolsOf.set(outlet, watched);
    }
    for (const symbol of symbols) {
      watched.add(symbol);
      const book = this.#book(symbol);
      book.members.add(outlet);
      book.stale.add(outlet);
      this.#changed.add(book);
    }
    this.#flusher.request();
  }

  /** @param symbols null for all of them */
  unsubscribe(outlet: Outlet, symbols: readonly string[] | null): void {
    const watched = this.#symbolsOf.get(outlet);
    if (watched === undefined) return;
    for (const symbol of symbols ?? [...watched]) {
      watched.delete(symbol);
      const book = this.#books.get(symbol);
      if (book === undefined) continue;
      book.members.delete(outlet);
      book.stale.delete(outlet);
      if (book.members.size > 0) continue;
      this.#books.delete(symbol);
      this.#changed.delete(book);
    }
    if (watched.size === 0) this.#symbolsOf.delete(outlet);
  }

  flush(): boolean {
    let left = false;
    for (const book of this.#changed) {
      // It comes back when it has been read.
      if (book.waiting !== null) {
        this.#changed.delete(book);
        continue;
      }
      this.#sendDelta(book);
      this.#sendSnapshots(book);
      if (book.stale.size > 0) left = true;
      else this.#changed.delete(book);
    }
    return left;
  }

  close(): void {
    this.#tail.close();
  }

  #sendDelta(book: WatchedBook): void {
    if (book.sequence === book.sentSequence) return;
    let packet: Buffer | null = null;
    for (const outlet of book.members) {
      if (book.stale.has(outlet)) continue;
      if (!outlet.hasRoom) {
        book.stale.add(outlet);
        continue;
      }
      packet ??= eventPacket('depth', {
        type: 'delta',
        symbol: book.symbol,
        sequence: book.sequence,
        previous: book.sentSequence,
        bids: textOf(book.bids, book.changedBids),
        asks: textOf(book.asks, book.changedAsks),
        checksum: book.checksum,
      });
      outlet.send(packet);
    }
    book.sentSequence = book.sequence;
    book.changedBids.clear();
    book.changedAsks.clear();
  }

  #sendSnapshots(book: WatchedBook): void {
    let packet: Buffer | null = null;
    for (const outlet of book.stale) {
      if (!outlet.hasRoom) continue;
      packet ??= eventPacket('depth', {
        type: 'snapshot',
        symbol: book.symbol,
        sequence: book.sequence,
        bids: textOf(book.bids, bestFirst(book.bids, 'BUY')),
        asks: textOf(book.asks, bestFirst(book.asks, 'SELL')),
        checksum: book.checksum,
      });
      outlet.send(packet);
      book.stale.delete(outlet);
    }
  }

  #apply(book: WatchedBook, update: DepthUpdate): void {
    if (book.waiting !== null) {
      // What is left out here is missing in the sequence, which has the book read again.
      if (book.waiting.length < WAITING_MAX) book.waiting.push(update);
      return;
    }
    // The book was read with these in it.
    if (update.sequence <= book.sequence) return;
    if (update.sequence !== book.sequence + 1) {
      this.#reread(book);
      return;
    }
    apply(book.bids, book.changedBids, update.bids);
    apply(book.asks, book.changedAsks, update.asks);
    book.sequence = update.sequence;
    book.checksum = update.checksum;
    this.#changed.add(book);
    this.#flusher.request();
  }

  #book(symbol: string): WatchedBook {
    let book = this.#books.get(symbol);
    if (book === undefined) {
      book = {
        symbol,
        sequence: 0,
        checksum: 0,
        bids: new Map(),
        asks: new Map(),
        members: new Set(),
        stale: new Set(),
        sentSequence: 0,
        changedBids: new Set(),
        changedAsks: new Set(),
        waiting: null,
      };
      this.#books.set(symbol, book);
      this.#read(book);
    }
    return book;
  }

  /** The log skipped something, as after a recovery: everybody starts again from the stores. */
  #reread(book: WatchedBook): void {
    for (const outlet of book.members) book.stale.add(outlet);
    this.#read(book);
  }

  #read(book: WatchedBook): void {
    book.waiting = [];
    const isWanted = (): boolean => this.#books.get(book.symbol) === book;
    readInTurn(this.#turns, this.#context.logger, () => this.#stored(book.symbol), isWanted)
      .then((found) => {
        if (found !== null) this.#begin(book, found.value);
      })
      .catch((cause: unknown) => this.#context.logger.error('a book could not be shown', { cause }));
  }

  /** Sequence and orders belong together where the sequence is the same before and after; on the embedded log it always is. */
  async #stored(symbol: string): Promise<StoredBook> {
    const { stores } = this.#context;
    const resting = stores.keyValue<string, RestingOrder>('matching', RESTING_ORDERS).forRecordKey(symbol);
    const states = stores.keyValue<string, BookState>('matching', BOOKS).forRecordKey(symbol);
    for (let reads = 1; ; reads += 1) {
      const [before, orders] = await Promise.all([
        states.get(symbol),
        resting.prefixScan(restingOrdersPrefix(symbol)).toArray(),
      ]);
      const after = await states.get(symbol);
      if (before?.depthSequence !== after?.depthSequence) {
        if (reads < READS_MAX) continue;
        throw new RealtimeError('INTERNAL', `the book of ${symbol} changes faster than it can be read`);
      }
      const book = bookOf(orders);
      return {
        sequence: before?.depthSequence ?? 0,
        bids: book.depth('BUY', Number.POSITIVE_INFINITY),
        asks: book.depth('SELL', Number.POSITIVE_INFINITY),
      };
    }
  }

  /** Takes the book as it was read and goes on with the updates after it. */
  #begin(book: WatchedBook, { sequence, bids, asks }: StoredBook): void {
    book.bids.clear();
    book.asks.clear();
    apply(book.bids, book.changedBids, bids);
    apply(book.asks, book.changedAsks, asks);
    book.changedBids.clear();
    book.changedAsks.clear();
    book.sequence = sequence;
    book.sentSequence = sequence;
    book.checksum = depthChecksum(bids, asks);
    const waiting = book.waiting ?? [];
    book.waiting = null;
    for (const update of waiting) this.#apply(book, update);
    this.#changed.add(book);
    this.#flusher.request();
  }
}
