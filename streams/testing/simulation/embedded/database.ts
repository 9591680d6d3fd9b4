import { MemoryBytesStore } from '../../../../stores/memory/memoryBytesStore.ts';
import { PackedBatch, unpack } from '../../../../stores/rocksdb/packedBatch.ts';
import type {
  BackgroundBatch,
  LogColumn,
  LogDatabase,
  LogWrite,
  LogWriteBatch,
  RowRange,
} from '../../../log/embedded/logDatabase.ts';
import type { Chance } from '../chance.ts';

const COLUMNS: readonly LogColumn[] = ['log', 'state', 'meta'];

/** A batch as the real one lays it out; used again and again, like it. */
class Batch implements BackgroundBatch {
  readonly packed = new PackedBatch();

  get length(): number {
    return this.packed.length;
  }

  get place(): number {
    return this.packed.place;
  }

  put(column: LogColumn, key: Buffer, value: Buffer): void {
    this.packed.put(COLUMNS.indexOf(column), key, value);
  }

  delete(column: LogColumn, key: Buffer): void {
    this.packed.delete(COLUMNS.indexOf(column), key);
  }

  keyAt(place: number): Buffer {
    return this.packed.keyAt(place);
  }

  valueAt(place: number): Buffer | null {
    return this.packed.valueAt(place);
  }
}

/** A write in the background; `shown` tells whether readers find it before its end, so that a crash cannot lose it any more. */
export interface SimulatedWrite extends LogWrite {
  readonly shown: boolean;
}

/** A database in memory that outlives simulated crashes. A write in the background may show early, late, or be lost with a crash. */
export class SimulatedDatabase implements LogDatabase {
  readonly #chance: Chance;
  readonly #columns: Readonly<Record<LogColumn, MemoryBytesStore>> = {
    log: new MemoryBytesStore(),
    state: new MemoryBytesStore(),
    meta: new MemoryBytesStore(),
  };
  readonly #foreground = new Batch();
  readonly #background = new Batch();

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  get(column: LogColumn, key: Buffer): Buffer | null {
    return this.#columns[column].get(key);
  }

  rows(column: LogColumn, { gte, lt, reverse, limit, bytesMax }: RowRange): readonly Buffer[] {
    const found: Buffer[] = [];
    let bytes = 0;
    for (const { key, value } of this.#columns[column].scan(gte, lt, reverse === true)) {
      found.push(key, value);
      bytes += key.length + value.length;
      if (found.length / 2 >= (limit ?? Number.POSITIVE_INFINITY)) break;
      if (bytes > (bytesMax ?? Number.POSITIVE_INFINITY)) break;
    }
    return found;
  }

  batch(): LogWriteBatch {
    this.#foreground.packed.clear();
    return this.#foreground;
  }

  backgroundBatch(): BackgroundBatch {
    this.#background.packed.clear();
    return this.#background;
  }

  write(batch: LogWriteBatch): void {
    this.#apply((batch as Batch).packed);
  }

  writeInBackground(batch: BackgroundBatch): SimulatedWrite {
    const { packed } = batch as Batch;
    const shown = this.#chance.happens(0.5);
    if (shown) this.#apply(packed);
    return { shown, finish: () => (shown ? undefined : this.#apply(packed)) };
  }

  #apply(packed: PackedBatch): void {
    unpack(packed.bytes, (column, key, value) => {
      this.#columns[COLUMNS[column]!].put(Buffer.from(key), value === null ? null : Buffer.from(value));
    });
  }
}
