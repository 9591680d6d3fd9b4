import type { Asset, SourcePosition } from '../../../schemas/generated/types.ts';
import type { Ticker } from '../../../schemas/ids.ts';
import { topicRecord } from '../../../schemas/topicRecord.ts';
import { deriveUuid } from '../../../schemas/uuid.ts';
import type { ProducerRecord } from '../../../streams/log/log.ts';
import { SOURCE_POSITIONS } from '../../../topologies/assets/topics.ts';
import { epochDay, newYorkInstant } from '../../../topologies/domain/newYorkTime.ts';
import { ConnectorError } from '../../errors.ts';
import { CLOCK_INTERVAL_MS, isTransient, MarketWriter } from '../marketWriter.ts';
import type { MarketSource, SourceContext, SourceProgress } from '../source.ts';
import { DayReader } from './day.ts';
import { bytesOf, type FolderOptions, listDays, type SymbolDay } from './folder.ts';
import type { LeanEvent } from './parse.ts';
import { storedPosition } from './position.ts';
import { QuotedVenues } from './quotedVenues.ts';

export interface LeanOptions extends FolderOptions {
  /** How many times faster than the market was; `max` for as fast as it goes. */
  readonly speed: number | 'max';
}

/** At a speed the replay keeps to the time within this. */
const PACE_MS = 20;
const RETRY_MS = 1_000;
const HOUR_MS = 3_600_000;
/** Trading before and after hours included, a day runs from four to twenty o'clock. */
const DAY_FROM_MS = 4 * HOUR_MS;
const DAY_LENGTH_MS = 16 * HOUR_MS;

/** The instant at which a day, as YYYYMMDD, begins in New York. */
function midnightOf(day: string): number {
  return newYorkInstant(
    epochDay(Number(day.slice(0, 4)), Number(day.slice(4, 6)), Number(day.slice(6, 8))),
    0,
  );
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Replays a folder in QuantConnect Lean's format, and goes on where it was after a stop, however it ended. */
export class LeanReplay implements MarketSource {
  readonly name: string;
  readonly finished: Promise<void>;
  readonly #options: LeanOptions;
  readonly #days: ReadonlyMap<string, readonly SymbolDay[]>;
  #settle: { readonly resolve: () => void; readonly reject: (cause: unknown) => void };
  #position: SourcePosition;
  #daysDone = 0;
  #bytesDone = 0;
  readonly #bytesTotal: number;
  #day: string | null = null;
  #shareOfDay = 0;
  #stopping = false;
  #ended = false;
  #loop: Promise<void> = Promise.resolve();

  /** @throws ConnectorError SOURCE_FOLDER */
  constructor(options: LeanOptions) {
    this.#options = options;
    this.#days = listDays(options);
    this.#bytesTotal = Math.max(
      1,
      [...this.#days.values()].reduce((sum, files) => sum + bytesOf(files), 0),
    );
    const symbols = this.#symbols();
    this.name = `lean-${deriveUuid(`lean:${symbols.join(',')}:${[...this.#days.keys()].join(',')}`).slice(0, 8)}`;
    this.#position = this.#beginning();
    let settle: { resolve: () => void; reject: (cause: unknown) => void } | null = null;
    this.finished = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.#settle = settle!;
  }

  #beginning(): SourcePosition {
    return { source: this.name, day: '', index: 0, records: 0, marketTimeMs: 0 };
  }

  #symbols(): readonly string[] {
    return [
      ...new Set([...this.#days.values()].flatMap((files) => files.map(({ symbol }) => symbol))),
    ].sort();
  }

  assets(): readonly Asset[] {
    return this.#symbols().map((symbol) => ({
      symbol: symbol as Ticker,
      assetId: deriveUuid(`asset:${symbol}`),
      name: symbol,
      exchange: 'NYSE',
      tradable: true,
      fractionable: true,
      previousCloseTicks: null,
    }));
  }

  /** @throws ConnectorError SOURCE_TIME where the log has seen a later time; SOURCE_FILE where the first day to replay cannot be read */
  async prepare(context: SourceContext): Promise<void> {
    const { clock } = context;
    this.#position = (await storedPosition(context, this.name)) ?? this.#position;
    const nextMs = this.#nextMs();
    if (clock.lastMs > nextMs) {
      throw new ConnectorError(
        'SOURCE_TIME',
        `the data directory has seen the market at ${new Date(clock.lastMs).toISOString()}; a replay from ` +
          `${new Date(nextMs).toISOString()} would turn time back: give it a data directory of its own`,
      );
    }
    clock.drive();
    clock.advance(Math.max(midnightOf([...this.#days.keys()][0]!), this.#position.marketTimeMs));
  }

  /** The time of the first event that is left, or of the end of the last day. */
  #nextMs(): number {
    for (const [day, files] of this.#days) {
      if (day < this.#position.day) continue;
      const event = this.#openDay(day, files, new QuotedVenues()).peek();
      if (event !== null) return midnightOf(day) + event.atMs;
    }
    return midnightOf([...this.#days.keys()].at(-1)!) + 24 * HOUR_MS;
  }

  /** A day's events that are not on the log yet; of those that are, who quoted. */
  #openDay(day: string, files: readonly SymbolDay[], venues: QuotedVenues): DayReader {
    const reader = new DayReader(files);
    if (day !== this.#position.day) return reader;
    for (let index = 0; index < this.#position.index; index += 1) {
      const event = reader.next();
      if (event !== null) venues.note(event);
    }
    return reader;
  }

  async start(context: SourceContext): Promise<void> {
    const writer = await MarketWriter.open(context, this.name);
    await writer.assets(this.assets());
    this.#loop = this.#run(context, writer).then(this.#settle.resolve, this.#settle.reject);
    // Whoever is interested waits on `finished`; a failure is not left without anybody to hear it.
    this.finished.catch(() => {});
  }

  /** The replay's position as a record: sent in one piece with what it covers. */
  #positionRecord({ serdes }: SourceContext): ProducerRecord {
    const position = this.#position;
    return topicRecord(serdes, SOURCE_POSITIONS, this.name, position, position.marketTimeMs);
  }

  /** Replays, and where the disk failed goes on from what is on the log once it takes records again. */
  async #run(context: SourceContext, writer: MarketWriter): Promise<void> {
    for (;;) {
      try {
        await this.#replay(context, writer);
        return;
      } catch (cause) {
        if (!isTransient(cause) || this.#stopping) throw cause;
        await writer.giveUp();
        await pause(RETRY_MS);
        this.#position = (await storedPosition(context, this.name)) ?? this.#beginning();
      }
    }
  }

  async #replay(context: SourceContext, writer: MarketWriter): Promise<void> {
    this.#daysDone = 0;
    this.#bytesDone = 0;
    for (const [day, files] of this.#days) {
      if (this.#stopping) break;
      this.#day = day;
      this.#shareOfDay = 0;
      if (day >= this.#position.day) await this.#replayDay(context, writer, day, files);
      if (this.#stopping) break;
      this.#daysDone += 1;
      this.#bytesDone += bytesOf(files);
    }
    await writer.settle();
    this.#ended = !this.#stopping;
  }

  async #replayDay(
    context: SourceContext,
    writer: MarketWriter,
    day: string,
    files: readonly SymbolDay[],
  ): Promise<void> {
    const midnight = midnightOf(day);
    const venues = new QuotedVenues();
    const reader = this.#openDay(day, files, venues);
    const startedAt = performance.now();
    const startedMs = midnight + (reader.peek()?.atMs ?? 0);
    let index = day === this.#position.day ? this.#position.index : 0;
    for (let event = reader.peek(); event !== null && !this.#stopping; event = reader.peek()) {
      const timestamp = midnight + event.atMs;
      await this.#pace(timestamp, startedMs, startedAt, context, writer);
      if (this.#stopping) break;
      reader.next();
      writer.tick(timestamp);
      write(writer, event, timestamp);
      venues.note(event);
      // In one piece with the last event, so that it is neither forgotten nor done twice.
      if (reader.peek() === null) withdraw(writer, venues, timestamp + CLOCK_INTERVAL_MS);
      index += 1;
      const records = this.#position.records + 1;
      this.#position = { source: this.name, day, index, records, marketTimeMs: timestamp };
      if (writer.isFull) await this.#flush(context, writer);
      this.#shareOfDay = Math.min(1, Math.max(0, (event.atMs - DAY_FROM_MS) / DAY_LENGTH_MS));
    }
    await this.#flush(context, writer);
  }

  async #flush(context: SourceContext, writer: MarketWriter): Promise<void> {
    if (writer.isEmpty) return;
    writer.add(this.#positionRecord(context));
    await writer.flush();
  }

  /** Waits until the event is due at the speed asked for, sending what is gathered first. */
  async #pace(
    timestamp: number,
    startedMs: number,
    startedAt: number,
    context: SourceContext,
    writer: MarketWriter,
  ): Promise<void> {
    const { speed } = this.#options;
    if (speed === 'max') return;
    const dueAt = startedAt + (timestamp - startedMs) / speed;
    if (dueAt - performance.now() < PACE_MS) return;
    await this.#flush(context, writer);
    while (!this.#stopping) {
      const nowAt = performance.now();
      if (nowAt >= dueAt) return;
      // The market's clock goes on between events, so that candles close and orders expire when nothing trades.
      const marketMs = Math.min(timestamp, Math.floor(startedMs + (nowAt - startedAt) * speed));
      writer.tick(marketMs);
      await writer.flush();
      context.clock.advance(marketMs);
      await pause(Math.min(PACE_MS, dueAt - nowAt));
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#loop;
  }

  /** By the bytes of the files: days of ticks weigh more than days of bars, as they do in the work. Within a day by its time. */
  #reached(): Pick<SourceProgress, 'done' | 'stage'> {
    const files = this.#day === null ? undefined : this.#days.get(this.#day);
    if (this.#ended || files === undefined) return { done: this.#ended ? 1 : 0, stage: null };
    const bytes = this.#daysDone === this.#days.size ? 0 : this.#shareOfDay * bytesOf(files);
    const date = `${this.#day!.slice(0, 4)}-${this.#day!.slice(4, 6)}-${this.#day!.slice(6)}`;
    return {
      done: Math.min(1, (this.#bytesDone + bytes) / this.#bytesTotal),
      stage: `${date}, day ${Math.min(this.#days.size, this.#daysDone + 1)} of ${this.#days.size}`,
    };
  }

  progress(): SourceProgress {
    const { records, marketTimeMs } = this.#position;
    const { done, stage } = this.#reached();
    return { records, marketTimeMs: records === 0 ? null : marketTimeMs, done, stage, finished: this.#ended };
  }
}

/** Nobody's quotes outlast their day: else orders would go on filling at them when the replay is over. */
function withdraw(writer: MarketWriter, venues: QuotedVenues, timestamp: number): void {
  const withdrawals = venues.withdrawals();
  if (withdrawals.length === 0) return;
  for (const quote of withdrawals) writer.quote(quote, timestamp);
  // By then the quotes' throttle lets them through.
  writer.tick(timestamp + CLOCK_INTERVAL_MS);
}

function write(writer: MarketWriter, event: LeanEvent, timestamp: number): void {
  if (event.quote !== null) writer.quote(event.quote, timestamp);
  else writer.trade(event.trade, timestamp);
}
