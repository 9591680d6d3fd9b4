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
  /** The record that the next write to the store comes from. */
  origin: Origin | null = null;

  constructor(
    context: ProcessorContext<unknown, unknown>,
    store: StateStore,
    cachingEnabled: boolean,
    sendOldValues: boolean,
  ) {
    this.#context = context;
    this.#sendOldValues = sendOldValues;
    this.#cached = cachingEnabled;
    if (!cachingEnabled) return;
    if (!isCachedStateStore(store))
      refuse(`store ${store.name} has no record cache; leave cachingEnabled out`);
    store.setFlushListener(
      (key, newValue, oldValue, origin) =>
        this.#flushed(
          key,
          newValue as ValueAndTimestamp<unknown> | null,
          oldValue as ValueAndTimestamp<unknown> | null,
          origin as Origin,
        ),
      () => this.origin,
    );
  }

  #flushed(
    key: unknown,
    newValue: ValueAndTimestamp<unknown> | null,
    oldValue: ValueAndTimestamp<unknown> | null,
    origin: Origin,
  ): void {
    const old = this.#sendOldValues && oldValue !== null ? oldValue.value : null;
    const timestamp = newValue === null ? origin.timestamp : newValue.timestamp;
    this.#context.forward(
      changeRecord(key, newValue === null ? null : newValue.value, old, timestamp, origin.headers),
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
