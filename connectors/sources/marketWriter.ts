import type { Asset, MarketQuote, MarketTrade } from '../../schemas/generated/types.ts';
import { CLOCK_HEADER } from '../../schemas/topic.ts';
import { topicRecord } from '../../schemas/topicRecord.ts';
import { LogError } from '../../streams/log/errors.ts';
import type { ProducerRecord } from '../../streams/log/log.ts';
import type { Header } from '../../streams/record.ts';
import { REFERENCE_ASSETS } from '../../topologies/assets/topics.ts';
import { ORDER_COMMANDS } from '../../topologies/orders/topics.ts';
import { MARKET_QUOTES, MARKET_TRADES } from '../../topologies/quotes/topics.ts';
import type { SourceContext } from './source.ts';

/** Every so much of its own time a source tells all partitions what time it is. */
export const CLOCK_INTERVAL_MS = 100;
const CLOCK_TOPICS = [MARKET_QUOTES.name, MARKET_TRADES.name, ORDER_COMMANDS.name];
const BATCH_RECORDS = 1_000;
/** Sends under way at once: enough to keep the log busy, few enough to stay close to what is committed. */
const SENDS_MAX = 4;
const READ_CHUNK = 500;

/** Whether the log may take records again later, as after a full disk. */
export function isTransient(cause: unknown): boolean {
  return cause instanceof LogError && (cause.code === 'LOG_IO' || cause.code === 'LOG_BACKPRESSURE');
}

/** Turns what a source has to say into records, in batches and no faster than the log takes them. */
export class MarketWriter {
  readonly #context: SourceContext;
  readonly #sourceHeader: Header;
  readonly #clockPartitions: readonly { readonly topic: string; readonly partition: number }[];
  #batch: ProducerRecord[] = [];
  #sends: Promise<unknown>[] = [];
  #failure: unknown = null;
  #clockMs = -1;
  /** Quotes and trades written. */
  records = 0;

  private constructor(
    context: SourceContext,
    sourceId: string,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ) {
    this.#context = context;
    this.#sourceHeader = { key: CLOCK_HEADER, value: Buffer.from(sourceId) };
    this.#clockPartitions = partitions;
  }

  static async open(context: SourceContext, sourceId: string): Promise<MarketWriter> {
    const partitions: { topic: string; partition: number }[] = [];
    for (const topic of CLOCK_TOPICS) {
      const description = await context.engine.admin.describeTopic(topic);
      for (let partition = 0; partition < description.partitions; partition += 1)
        partitions.push({ topic, partition });
    }
    return new MarketWriter(context, sourceId, partitions);
  }

  quote(quote: MarketQuote, timestamp: number): void {
    this.add(topicRecord(this.#context.serdes, MARKET_QUOTES, quote.symbol, quote, timestamp));
    this.records += 1;
  }

  trade(trade: MarketTrade, timestamp: number): void {
    this.add(topicRecord(this.#context.serdes, MARKET_TRADES, trade.symbol, trade, timestamp));
    this.records += 1;
  }

  /** Puts a record into the batch: all of a batch is on the log, or nothing. */
  add(record: ProducerRecord): void {
    this.#batch.push(record);
  }

  /** Tells the time to every partition where the last telling is long enough ago. */
  tick(timestampMs: number): void {
    const due = Math.floor(timestampMs / CLOCK_INTERVAL_MS) * CLOCK_INTERVAL_MS;
    if (due <= this.#clockMs) return;
    this.#clockMs = due;
    const headers = [this.#sourceHeader];
    for (const { topic, partition } of this.#clockPartitions) {
      this.#batch.push({ topic, partition, key: null, value: null, timestamp: timestampMs, headers });
    }
  }

  get isEmpty(): boolean {
    return this.#batch.length === 0;
  }

  get isFull(): boolean {
    return this.#batch.length >= BATCH_RECORDS;
  }

  /**
   * Sends what was gathered, and waits where too much is under way. The market's clock comes to the time of the last record with it.
   * @throws what an earlier send failed with
   */
  async flush(): Promise<void> {
    const { producer, clock } = this.#context;
    if (this.#batch.length > 0) {
      await producer.ready();
      const batch = this.#batch;
      this.#batch = [];
      if (this.#failure !== null) throw this.#failure;
      // Nothing waits between the clock and the send: a command stamped with the new time must not come to stand before these records.
      clock.advance(batch[batch.length - 1]!.timestamp);
      const send = producer.send(batch).catch((cause: unknown) => {
        this.#failure ??= cause;
      });
      this.#sends.push(send);
    }
    if (this.#sends.length >= SENDS_MAX) await this.#sends.shift();
    if (this.#failure !== null) throw this.#failure;
  }

  /** Forgets what is gathered and what failed, once nothing is under way. */
  async giveUp(): Promise<void> {
    this.#batch = [];
    await Promise.all(this.#sends);
    this.#sends = [];
    this.#failure = null;
    this.#clockMs = -1;
  }

  /** Sends the rest and waits until all of it is committed. */
  async settle(): Promise<void> {
    await this.flush();
    await Promise.all(this.#sends);
    this.#sends = [];
    if (this.#failure !== null) throw this.#failure;
  }

  /** Writes the assets that are new or differ from what is on the log. */
  async assets(assets: readonly Asset[]): Promise<void> {
    const { serdes, clock } = this.#context;
    const present = await this.#presentAssets();
    for (const asset of assets) {
      const record = topicRecord(serdes, REFERENCE_ASSETS, asset.symbol, asset, clock.nowMs());
      if (record.value !== null && present.get(asset.symbol)?.equals(record.value)) continue;
      this.add(record);
      if (this.isFull) await this.flush();
    }
    await this.settle();
  }

  async #presentAssets(): Promise<Map<string, Buffer>> {
    const present = new Map<string, Buffer>();
    for (let offset = 0; ; ) {
      const records = await this.#context.engine.reader.read(
        { topic: REFERENCE_ASSETS.name, partition: 0 },
        offset,
        READ_CHUNK,
      );
      const last = records[records.length - 1];
      if (last === undefined) return present;
      for (const { key, value } of records)
        if (key !== null && value !== null) present.set(key.toString('utf8'), value);
      offset = last.offset + 1;
    }
  }
}
