import { longNumberSerde } from './serdes.ts';
import type { BytesStore } from './store.ts';
import { NOTES_KEY } from './windowKey.ts';

const NOTE_BYTES = 8;

/** What a store of windows keeps beside them, in a row of its own: integers of eight bytes, the last ones left out while they are -1. */
export class WindowNotes {
  readonly #bytes: BytesStore;
  readonly #name: string;
  /** The newest time written, from which retention is counted. */
  observedMs = -1;
  /** The highest record time a writer told of. */
  streamTimeMs = -1;
  /** Up to which stream time closed windows were told of. */
  emittedMs = -1;
  /** The number given out last, where rows of one key and time are numbered. */
  sequence = -1;
  /** While rows of old segments are being removed: writes since some were removed last. */
  expiryWrites = -1;
  changed = false;

  constructor(bytes: BytesStore, name: string) {
    this.#bytes = bytes;
    this.#name = name;
    this.read();
  }

  read(): void {
    const notes = this.#bytes.get(NOTES_KEY);
    const at = (index: number): number =>
      notes === null || notes.length < (index + 1) * NOTE_BYTES
        ? -1
        : longNumberSerde.deserialize(
            this.#name,
            notes.subarray(index * NOTE_BYTES, (index + 1) * NOTE_BYTES),
          );
    this.observedMs = at(0);
    this.streamTimeMs = at(1);
    this.emittedMs = at(2);
    this.sequence = at(3);
    this.expiryWrites = at(4);
    this.changed = false;
  }

  write(): void {
    const values = [this.observedMs, this.streamTimeMs, this.emittedMs, this.sequence, this.expiryWrites];
    while (values.length > 1 && values.at(-1) === -1) values.pop();
    this.#bytes.put(
      NOTES_KEY,
      Buffer.concat(values.map((value) => longNumberSerde.serialize(this.#name, value))),
    );
    this.changed = false;
  }

  advanceStreamTime(timestampMs: number): void {
    if (timestampMs <= this.streamTimeMs) return;
    this.streamTimeMs = timestampMs;
    this.changed = true;
  }

  advanceEmitted(timestampMs: number): void {
    if (timestampMs <= this.emittedMs) return;
    this.emittedMs = timestampMs;
    this.changed = true;
  }
}
