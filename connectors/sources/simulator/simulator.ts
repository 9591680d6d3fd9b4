import type { Asset } from '../../../schemas/generated/types.ts';
import type { Ticker } from '../../../schemas/ids.ts';
import { type PriceTicks, TICKS_PER_DOLLAR } from '../../../schemas/units.ts';
import { deriveUuid } from '../../../schemas/uuid.ts';
import { ConnectorError } from '../../errors.ts';
import { isTransient, MarketWriter } from '../marketWriter.ts';
import type { MarketSource, SourceContext, SourceProgress } from '../source.ts';
import { SimulatedMarket } from './market.ts';
import { type Listing, universe } from './universe.ts';

export interface SimulatorOptions {
  readonly seed: number;
  /** How many securities, or which. */
  readonly symbols: number | readonly string[];
  /** Quotes and trades of all securities together; null for about five a security, 4,000 at most. */
  readonly quotesPerSecond: number | null;
  /** Prices in ticks to go on from, by symbol: those of the run before. */
  readonly lastPrices?: ReadonlyMap<string, number>;
}

/** How often the simulator catches up with the time of day. */
const STEP_MS = 20;
/** Time that may be caught up at once: after a standstill the market goes on rather than make up for it. */
const STEP_MAX_MS = 1_000;
const RETRY_MS = 1_000;
const EVENTS_PER_SECURITY = 5;
/** More only where it is asked for: the house answers every quote with orders of its own, which one processor must keep up with. */
const EVENTS_PER_SECOND_MAX = 4_000;

function assetOf({ symbol, name, exchange, price }: Listing): Asset {
  return {
    symbol: symbol as Ticker,
    assetId: deriveUuid(`asset:${symbol}`),
    name,
    exchange,
    tradable: true,
    fractionable: true,
    previousCloseTicks: Math.round(price * TICKS_PER_DOLLAR) as PriceTicks,
  };
}

/** A market made up from a seed, in step with the time of day. */
export class Simulator implements MarketSource {
  readonly name: string;
  readonly finished: Promise<void>;
  readonly #options: SimulatorOptions;
  readonly #listings: readonly Listing[];
  #settle: { readonly resolve: () => void; readonly reject: (cause: unknown) => void };
  #writer: MarketWriter | null = null;
  #marketTimeMs: number | null = null;
  #stopping = false;
  #loop: Promise<void> = Promise.resolve();
  #wake: (() => void) | null = null;

  constructor(options: SimulatorOptions) {
    if (typeof options.symbols === 'number' && options.symbols < 1) {
      throw new ConnectorError('SOURCE_OPTIONS', `a market of ${options.symbols} symbols; give at least 1`);
    }
    this.#options = options;
    this.name = `simulator-${options.seed}`;
    this.#listings = universe(options.symbols, options.seed);
    let settle: { resolve: () => void; reject: (cause: unknown) => void } | null = null;
    this.finished = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.#settle = settle!;
  }

  assets(): readonly Asset[] {
    return this.#listings.map(assetOf);
  }

  /** A simulated market follows the wall clock, from where the log ends. */
  prepare(): Promise<void> {
    return Promise.resolve();
  }

  async start(context: SourceContext): Promise<void> {
    this.#writer = await MarketWriter.open(context, this.name);
    await this.#writer.assets(this.assets());
    const startMs = context.clock.nowMs();
    const { seed, lastPrices, quotesPerSecond } = this.#options;
    // A run that goes on from an earlier one must not repeat its moves.
    const goesOn = lastPrices !== undefined && lastPrices.size > 0;
    const market = new SimulatedMarket(
      this.#listings,
      goesOn ? seed ^ startMs : seed,
      quotesPerSecond ?? Math.min(EVENTS_PER_SECOND_MAX, this.#listings.length * EVENTS_PER_SECURITY),
      startMs,
      lastPrices,
    );
    for (const _ of market.open(startMs, this.#writer)) {
      if (this.#writer.isFull) await this.#writer.flush();
    }
    await this.#writer.settle();
    this.#loop = this.#run(context, market, this.#writer).then(this.#settle.resolve, this.#settle.reject);
    // Whoever is interested waits on `finished`; a failure is not left without anybody to hear it.
    this.finished.catch(() => {});
  }

  async #run(context: SourceContext, market: SimulatedMarket, writer: MarketWriter): Promise<void> {
    let doneMs = context.clock.nowMs();
    while (!this.#stopping) {
      const nowMs = context.clock.nowMs();
      if (nowMs - doneMs > STEP_MAX_MS) {
        doneMs = nowMs - STEP_MAX_MS;
        market.skipTo(doneMs);
      }
      try {
        while (doneMs < nowMs && !this.#stopping) {
          doneMs = Math.min(nowMs, doneMs + STEP_MS);
          market.advance(doneMs, writer);
          writer.tick(doneMs);
          await writer.flush();
        }
      } catch (cause) {
        // The market goes on without what the log could not take.
        if (!isTransient(cause)) throw cause;
        await writer.giveUp();
        await this.#pause(RETRY_MS);
      }
      this.#marketTimeMs = nowMs;
      await this.#pause(STEP_MS);
    }
    await writer.settle();
  }

  async #pause(milliseconds: number): Promise<void> {
    if (this.#stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    await this.#loop;
  }

  progress(): SourceProgress {
    return {
      records: this.#writer?.records ?? 0,
      marketTimeMs: this.#marketTimeMs,
      done: null,
      stage: null,
      finished: this.#stopping,
    };
  }
}
