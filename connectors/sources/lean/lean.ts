import type { Asset, SourcePosition } from '../../../schemas/generated/types.ts';
import type { Ticker } from '../../../schemas/ids.ts';
import { deriveUuid } from '../../../schemas/uuid.ts';
import type { ProducerRecord } from '../../../streams/log/log.ts';
import { SOURCE_POSITIONS } from '../../../topologies/assets/topics.ts';
import { epochDay, newYorkInstant } from '../../../topologies/domain/newYorkTime.ts';
import { MarketWriter } from '../marketWriter.ts';
import type { MarketSource, SourceContext, SourceProgress } from '../source.ts';
import { type FolderOptions, listDays, type SymbolDay } from './folder.ts';
import { type LeanEvent, readDay } from './parse.ts';

export interface LeanOptions extends FolderOptions {
  /** How many times faster than the market was; `max` for as fast as it goes. */
  readonly speed: number | 'max';
}

/** At a speed the replay keeps to the time within this. */
const PACE_MS = 20;
const READ_CHUNK = 500;

function midnightOf(day: string): number {
  return newYorkInstant(
    epochDay(Number(day.slice(0, 4)), Number(day.slice(4, 6)), Number(day.slice(6, 8))),
    0,
  );
}

/** Replays a folder in QuantConnect Lean's format, and goes on where it was after a stop, however it ended. */
export class LeanReplay implements MarketSource {
  readonly name: string;
  readonly finished: Promise<void>;
  readonly #options: LeanOptions;
  readonly #days: ReadonlyMap<string, readonly SymbolDay[]>;
  #settle: { readonly resolve: () => void; readonly reject: (cause: unknown) => void };
  #position: SourcePosition;
  #daysDone = 0;
  #shareOfDay = 0;
  #stopping = false;
  #ended = false;
  #loop: Promise<void> = Promise.resolve();

  /** @throws ConnectorError SOURCE_FOLDER */
  constructor(options: LeanOptions) {
    this.#options = options;
    this.#days = listDays(options);
    const symbols = this.#symbols();
    this.name = `lean-${deriveUuid(`lean:${symbols.join(',')}:${[...this.#days.keys()].join(',')}`).slice(0, 8)}`;
    this.#position = { source: this.name, day: '', index: 0, records: 0, marketTimeMs: 0 };
    let settle: { resolve: () => void; reject: (cause: unknown) => void } | null = null;
    this.finished = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.#settle = settle!;
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

  async start(context: SourceContext): Promise<void> {
    this.#position = (await this.#storedPosition(context)) ?? this.#position;
    const first = [...this.#days.keys()][0]!;
    context.clock.drive();
    context.clock.advance(Math.max(midnightOf(first), this.#position.marketTimeMs));
    const writer = await MarketWriter.open(context, this.name);
    await writer.assets(this.assets());
    this.#loop = this.#run(context, writer).then(this.#settle.resolve, this.#settle.reject);
    this.finished.catch(() => {});
  }

  async #storedPosition({ engine, serdes }: SourceContext): Promise<SourcePosition | null> {
    let found: SourcePosition | null = null;
    for (let offset = 0; ; ) {
      const records = await engine.reader.read(
        { topic: SOURCE_POSITIONS.name, partition: 0 },
        offset,
        READ_CHUNK,
      );
      const last = records[records.length - 1];
      if (last === undefined) return found;
      for (const { key, value } of records) {
        if (key?.toString('utf8') !== this.name || value === null) continue;
        found = serdes.value(SOURCE_POSITIONS).deserialize(SOURCE_POSITIONS.name, value);
      }
      offset = last.offset + 1;
    }
  }

  /** The replay's position as a record: sent in one piece with what it covers. */
  #positionRecord({ serdes }: SourceContext): ProducerRecord {
    return {
      topic: SOURCE_POSITIONS.name,
      key: serdes.key.serialize(SOURCE_POSITIONS.name, this.name),
      value: serdes.value(SOURCE_POSITIONS).serialize(SOURCE_POSITIONS.name, this.#position),
      timestamp: this.#position.marketTimeMs,
    };
  }

  async #run(context: SourceContext, writer: MarketWriter): Promise<void> {
    for (const [day, files] of this.#days) {
      if (this.#stopping) break;
      if (day >= this.#position.day) await this.#replayDay(context, writer, day, files);
      this.#daysDone += 1;
      this.#shareOfDay = 0;
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
    const events = readDay(files);
    const from = day === this.#position.day ? this.#position.index : 0;
    const startedAt = performance.now();
    const startedMs = midnight + (events[from]?.atMs ?? 0);
    for (let index = from; index < events.length && !this.#stopping; index += 1) {
      const event = events[index]!;
      const timestamp = midnight + event.atMs;
      await this.#pace(timestamp, startedMs, startedAt, context, writer);
      // Nothing waits between the clock and the record: a command stamped meanwhile must not come to stand before it.
      writer.tick(timestamp);
      write(writer, event, timestamp);
      this.#position = {
        ...this.#position,
        day,
        index: index + 1,
        records: this.#position.records + 1,
        marketTimeMs: timestamp,
      };
      if (writer.isFull) await this.#flush(context, writer);
      this.#shareOfDay = (index + 1) / events.length;
    }
    await this.#flush(context, writer);
  }

  async #flush(context: SourceContext, writer: MarketWriter): Promise<void> {
    writer.add(this.#positionRecord(context));
    context.clock.advance(this.#position.marketTimeMs);
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
    if (!writer.isEmpty) await this.#flush(context, writer);
    while (!this.#stopping) {
      const nowAt = performance.now();
      if (nowAt >= dueAt) return;
      // The market's clock goes on between events, so that candles close and orders expire when nothing trades.
      const marketMs = Math.floor(startedMs + (nowAt - startedAt) * speed);
      writer.tick(Math.min(marketMs, timestamp));
      context.clock.advance(Math.min(marketMs, timestamp));
      await writer.flush();
      await new Promise((resolve) => setTimeout(resolve, Math.min(PACE_MS, dueAt - nowAt)));
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#loop;
  }

  progress(): SourceProgress {
    const { records, marketTimeMs } = this.#position;
    const done = Math.min(1, (this.#daysDone + this.#shareOfDay) / this.#days.size);
    return { records, marketTimeMs: records === 0 ? null : marketTimeMs, done, finished: this.#ended };
  }
}

function write(writer: MarketWriter, event: LeanEvent, timestamp: number): void {
  if (event.quote !== null) writer.quote(event.quote, timestamp);
  else writer.trade(event.trade, timestamp);
}
