import { createHash } from 'node:crypto';
import type { TailSubscription } from '../../streams/log/log.ts';
import { QUOTE_UPDATES } from '../../topologies/quotes/topics.ts';
import type { ServingContext } from '../context.ts';
import { MarketQueries } from '../queries/market.ts';
import type { Flusher } from './flusher.ts';
import type { Outlet } from './outlet.ts';
import { arrayPacket } from './packet.ts';
import { encodeQuote } from './quoteFragment.ts';
import { readInTurn } from './storeReads.ts';
import { tailValues } from './tailValues.ts';
import type { Turns } from './turns.ts';

/** Under load the store is behind what was told already; by then it holds what it held back. */
const READ_AGAIN_MS = 1_000;

/** The newest quote of a symbol, encoded, for as long as somebody wants it. */
interface Entry {
  readonly symbol: string;
  /** Overwritten in place; frames copy out of it. Null where nothing is known of the symbol. */
  bytes: Buffer | null;
  /** Nothing was told of it yet: what is known is what the store said. */
  isFromStore: boolean;
  readonly groups: Set<Group>;
}

/** Clients that watch the same symbols: what changed is put together and encoded once for all of them. */
interface Group {
  readonly key: string;
  readonly entries: ReadonlySet<Entry>;
  readonly members: Set<Member>;
  readonly changed: Set<Entry>;
}

/** One client of the channel. */
interface Member {
  readonly outlet: Outlet;
  readonly symbols: Set<string>;
  group: Group | null;
  /** What it has not been sent because it had no room, or is new to it. */
  readonly missed: Set<Entry>;
}

function packetOf(entries: ReadonlySet<Entry>): Buffer | null {
  const parts: Buffer[] = [];
  for (const { bytes } of entries) if (bytes !== null) parts.push(bytes);
  return parts.length === 0 ? null : arrayPacket('quotes', parts);
}

/** Consolidated quotes: the newest of each symbol, to each client as fast as it can take them. */
export class QuotesChannel {
  readonly #context: ServingContext;
  readonly #queries: MarketQueries;
  readonly #flusher: Flusher;
  readonly #turns: Turns;
  readonly #tail: TailSubscription;
  readonly #entries = new Map<string, Entry>();
  readonly #groups = new Map<string, Group>();
  readonly #members = new Map<Outlet, Member>();
  readonly #changedGroups = new Set<Group>();
  readonly #behind = new Set<Member>();
  #fromStore: Entry[] = [];
  #readAgain: NodeJS.Timeout | null = null;

  /** @param turns in which the stores are read */
  constructor(context: ServingContext, flusher: Flusher, turns: Turns) {
    this.#context = context;
    this.#queries = new MarketQueries(context.stores);
    this.#flusher = flusher;
    this.#turns = turns;
    this.#tail = tailValues(
      context,
      QUOTE_UPDATES,
      (symbol) => this.#entries.has(symbol),
      (quote, symbol) => {
        const entry = this.#entries.get(symbol)!;
        entry.isFromStore = false;
        this.#changed(entry, encodeQuote(quote));
      },
    );
    flusher.add(this);
  }

  /** How many symbols a client would watch with these added. */
  countWith(outlet: Outlet, symbols: readonly string[]): number {
    return new Set([...(this.#members.get(outlet)?.symbols ?? []), ...symbols]).size;
  }

  /** Adds symbols to what a client watches; their newest quotes follow at once, also of those it watches already. */
  subscribe(outlet: Outlet, symbols: readonly string[]): void {
    const known = this.#members.get(outlet);
    const member = known ?? { outlet, symbols: new Set<string>(), group: null, missed: new Set<Entry>() };
    this.#members.set(outlet, member);
    for (const symbol of symbols) member.symbols.add(symbol);
    this.#regroup(member);
    for (const symbol of symbols) member.missed.add(this.#entries.get(symbol)!);
    this.#behind.add(member);
    this.#flusher.request();
  }

  /** @param symbols null for all of them */
  unsubscribe(outlet: Outlet, symbols: readonly string[] | null): void {
    const member = this.#members.get(outlet);
    if (member === undefined) return;
    for (const symbol of symbols ?? [...member.symbols]) {
      member.symbols.delete(symbol);
      const entry = this.#entries.get(symbol);
      if (entry !== undefined) member.missed.delete(entry);
    }
    this.#regroup(member);
    if (member.symbols.size > 0) return;
    this.#behind.delete(member);
    this.#members.delete(outlet);
  }

  flush(): boolean {
    for (const group of this.#changedGroups) this.#flushGroup(group);
    this.#changedGroups.clear();
    for (const member of this.#behind) {
      if (!member.outlet.hasRoom) continue;
      const packet = packetOf(member.missed);
      if (packet !== null) member.outlet.send(packet);
      member.missed.clear();
      this.#behind.delete(member);
    }
    return this.#behind.size > 0;
  }

  close(): void {
    if (this.#readAgain !== null) clearTimeout(this.#readAgain);
    this.#tail.close();
  }

  #flushGroup(group: Group): void {
    let packet: Buffer | null = null;
    for (const member of group.members) {
      if (member.missed.size > 0 || !member.outlet.hasRoom) {
        for (const entry of group.changed) member.missed.add(entry);
        this.#behind.add(member);
        continue;
      }
      packet ??= packetOf(group.changed);
      if (packet !== null) member.outlet.send(packet);
    }
    group.changed.clear();
  }

  #changed(entry: Entry, bytes: Buffer): void {
    if (entry.bytes !== null && entry.bytes.length === bytes.length) entry.bytes.set(bytes, 0);
    else entry.bytes = Buffer.from(bytes);
    for (const group of entry.groups) {
      group.changed.add(entry);
      this.#changedGroups.add(group);
    }
    this.#flusher.request();
  }

  #entry(symbol: string): Entry {
    let entry = this.#entries.get(symbol);
    if (entry === undefined) {
      entry = { symbol, bytes: null, isFromStore: true, groups: new Set() };
      this.#entries.set(symbol, entry);
      this.#read(entry, () => entry!.bytes === null);
      this.#fromStore.push(entry);
      this.#readAgain ??= setTimeout(() => this.#readFromStore(), READ_AGAIN_MS);
    }
    return entry;
  }

  #read(entry: Entry, isUnknown: () => boolean): void {
    const { logger } = this.#context;
    const isWanted = (): boolean => this.#entries.get(entry.symbol) === entry && isUnknown();
    readInTurn(this.#turns, logger, () => this.#queries.quote(entry.symbol), isWanted)
      .then((found) => {
        if (found === null || found.value === null) return;
        const bytes = encodeQuote(found.value);
        // An update that came meanwhile is followed by whatever it is older than.
        if (entry.bytes === null || !entry.bytes.equals(bytes)) this.#changed(entry, bytes);
      })
      .catch((cause: unknown) => logger.error('a quote could not be shown', { cause }));
  }

  /** An update that was told just before a symbol was asked for may not have been in the store by then. */
  #readFromStore(): void {
    this.#readAgain = null;
    for (const entry of this.#fromStore.splice(0))
      if (entry.isFromStore && entry.groups.size > 0) this.#read(entry, () => entry.isFromStore);
  }

  /** Moves a client to the group of those that watch what it watches now. */
  #regroup(member: Member): void {
    const before = member.group;
    member.group = null;
    if (member.symbols.size > 0) {
      const group = this.#groupOf(member.symbols);
      group.members.add(member);
      member.group = group;
    }
    if (before === null || before === member.group) return;
    before.members.delete(member);
    // What changed before the move and was not sent yet must not be lost with the group.
    for (const entry of before.changed) if (member.symbols.has(entry.symbol)) member.missed.add(entry);
    if (member.missed.size > 0) this.#behind.add(member);
    if (before.members.size === 0) this.#drop(before);
  }

  #groupOf(symbols: ReadonlySet<string>): Group {
    const key = createHash('sha256')
      .update([...symbols].sort().join('\n'))
      .digest('base64');
    let group = this.#groups.get(key);
    if (group === undefined) {
      const entries = new Set([...symbols].map((symbol) => this.#entry(symbol)));
      group = { key, entries, members: new Set(), changed: new Set() };
      for (const entry of entries) entry.groups.add(group);
      this.#groups.set(key, group);
    }
    return group;
  }

  #drop(group: Group): void {
    this.#groups.delete(group.key);
    this.#changedGroups.delete(group);
    for (const entry of group.entries) {
      entry.groups.delete(group);
      if (entry.groups.size === 0) this.#entries.delete(entry.symbol);
    }
  }
}
