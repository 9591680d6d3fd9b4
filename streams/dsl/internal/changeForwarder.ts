import { isCachedStateStore } from '../../../stores/cached.ts';
import type { StateStore, ValueAndTimestamp } from '../../../stores/store.ts';
import type { ProcessorContext } from '../../processor.ts';
import type { Headers } from '../../record.ts';
import { changeRecord } from './change.ts';
import { refuse } from './graph.ts';

interface Origin {
  readonly timestamp: number;
  readonly headers: Headers;
}

/** Tells downstream of updates: at once, or where the store has a record cache, of the last one a key when it is flushed. */
export class ChangeForwarder {
  readonly #context: ProcessorContext<unknown, unknown>;
  readonly #sendOldValues: boolean;
  readonly #cached: boolean;
  readonly #timeOf: ((key: unknown) => number) | null;
  /** The record that the next write to the store comes from. */
  origin: Origin | null = null;

  /** @param timeOf the time of an update by its key, where the store keeps values without a time of their own */
  constructor(
    context: ProcessorContext<unknown, unknown>,
    store: StateStore,
    cachingEnabled: boolean,
    sendOldValues: boolean,
    timeOf: ((key: unknown) => number) | null = null,
  ) {
    this.#context = context;
    this.#timeOf = timeOf;
    this.#sendOldValues = sendOldValues;
    this.#cached = cachingEnabled;
    if (!cachingEnabled) return;
    if (!isCachedStateStore(store))
      refuse(`store ${store.name} has no record cache; leave cachingEnabled out`);
    store.setFlushListener(
      (key, newValue, oldValue, origin) => this.#flushed(key, newValue, oldValue, origin as Origin),
      () => this.origin,
    );
  }

  #flushed(key: unknown, newValue: unknown, oldValue: unknown, origin: Origin): void {
    const sent = this.#sendOldValues ? oldValue : null;
    const { headers } = origin;
    if (this.#timeOf !== null) {
      this.#context.forward(changeRecord(key, newValue, sent, this.#timeOf(key), headers));
      return;
    }
    const now = newValue as ValueAndTimestamp<unknown> | null;
    const old = sent as ValueAndTimestamp<unknown> | null;
    const timestamp = now === null ? origin.timestamp : now.timestamp;
    this.#context.forward(
      changeRecord(key, now === null ? null : now.value, old === null ? null : old.value, timestamp, headers),
    );
  }

  forward(key: unknown, value: unknown, oldValue: unknown, timestamp: number, headers: Headers): void {
    if (this.#cached) return;
    this.#context.forward({
      key,
      value,
      timestamp,
      headers,
      oldValue: this.#sendOldValues ? oldValue : null,
    } as ReturnType<typeof changeRecord>);
  }
}
