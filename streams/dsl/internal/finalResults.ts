import SortedBTree from 'sorted-btree';
import { longNumberSerde } from '../../../stores/serdes.ts';
import type { Windowed } from '../../../stores/store.ts';
import { textOf } from '../../../stores/transactional.ts';
import type { ProcessorContext } from '../../processor.ts';
import type { Headers } from '../../record.ts';
import { changeRecord } from './change.ts';
import type { AnySerde } from './handles.ts';

const BTree = SortedBTree.default;

interface Result {
  readonly key: Windowed<unknown>;
  readonly value: unknown;
  readonly timestamp: number;
}

/** What the store of a windowed aggregation keeps of it for this. */
interface EmissionNotes {
  readonly emittedMs: number;
  advanceEmitted(timestampMs: number): void;
}

/**
 * Results of windows that are open yet, in the order in which they are told of when they close: by the window's time, then by the bytes of
 * the key. The store has them as well; here they are in order.
 */
export class FinalResults {
  readonly #context: ProcessorContext<unknown, unknown>;
  readonly #notes: EmissionNotes;
  readonly #keySerde: AnySerde;
  readonly #sessions: boolean;
  readonly #open = new BTree<string, Result>();

  /** @param sessions whether windows go by their end and then their start; else by their start */
  constructor(
    context: ProcessorContext<unknown, unknown>,
    notes: EmissionNotes,
    keySerde: AnySerde,
    sessions: boolean,
  ) {
    this.#context = context;
    this.#notes = notes;
    this.#keySerde = keySerde;
    this.#sessions = sessions;
  }

  /** Up to which time of closing results were told of, or -1. */
  get emittedMs(): number {
    return this.#notes.emittedMs;
  }

  #orderOf({ key, window: { startMs, endMs } }: Windowed<unknown>): string {
    const times = this.#sessions ? [endMs, startMs] : [startMs];
    const bytes = times.map((ms) => longNumberSerde.serialize('window', ms));
    return textOf(Buffer.concat([...bytes, this.#keySerde.serialize('window', key)]));
  }

  set(key: Windowed<unknown>, value: unknown, timestamp: number): void {
    const order = this.#orderOf(key);
    if (value === null) this.#open.delete(order);
    else this.#open.set(order, { key, value, timestamp });
  }

  /**
   * Tells of the windows whose time is not after the limit.
   * @param closeMs the time of closing that the limit comes from: what ended before it is closed
   */
  emit(limitMs: number, closeMs: number, headers: Headers): void {
    let emitted = false;
    for (let order = this.#open.minKey(); order !== undefined; order = this.#open.minKey()) {
      const { key, value, timestamp } = this.#open.get(order)!;
      if ((this.#sessions ? key.window.endMs : key.window.startMs) > limitMs) break;
      this.#open.delete(order);
      emitted = true;
      this.#context.forward(changeRecord(key, value, null, timestamp, headers));
    }
    if (emitted) this.#notes.advanceEmitted(closeMs);
  }
}
