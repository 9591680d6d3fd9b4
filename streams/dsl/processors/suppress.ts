import type { KeyValueStore, ValueAndTimestamp, Windowed } from '../../../stores/store.ts';
import { StreamsError } from '../../errors.ts';
import type { ProcessingContext, Processor, ProcessorContext } from '../../processor.ts';
import type { Record } from '../../record.ts';
import { type ChangeRecord, changeRecord } from '../internal/change.ts';
import type { AnySerde } from '../internal/handles.ts';
import { type HeldBack, heldBackRow, SuppressionBuffer } from '../internal/suppressionBuffer.ts';
import type { TableModel, ValueGetter, ValueGetterSupplier } from '../internal/tableModel.ts';
import type { SuppressedUntilTimeLimit, SuppressedUntilWindowCloses } from '../suppressed.ts';

export interface SuppressSettings {
  readonly suppressed: SuppressedUntilTimeLimit | SuppressedUntilWindowCloses;
  /** How long after the time of an update, or the end of its window, it is held back. */
  readonly delayMs: number;
  readonly keySerde: AnySerde;
  readonly valueSerde: AnySerde;
}

/**
 * Holds updates back until stream time is past theirs by the delay, the last one a key. An update keeps the place of the one it replaces.
 * Of a window that is closed, a deletion is not told: nobody heard of the value. The old value that goes along is the one last told of
 * (Kafka Streams sends the one before the last update held back, which nobody downstream has seen).
 */
export class SuppressProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #settings: SuppressSettings;
  readonly #final: boolean;
  #context!: ProcessorContext<unknown, unknown>;
  #buffer!: SuppressionBuffer;

  constructor(settings: SuppressSettings) {
    this.#settings = settings;
    this.#final = settings.suppressed.until === 'window-closes';
  }

  init(context: ProcessorContext<unknown, unknown>): void {
    const { suppressed, valueSerde } = this.#settings;
    const { name, maxBytes } = suppressed;
    const sizeOf = (value: unknown): number =>
      value === null ? 0 : valueSerde.serialize(name, value).length;
    this.#context = context;
    this.#buffer = new SuppressionBuffer(
      context.getStateStore<KeyValueStore<Buffer, HeldBack>>(name),
      Number.isFinite(maxBytes) ? (held) => sizeOf(held.priorValue) + sizeOf(held.newValue) : () => 0,
    );
  }

  process(record: Record<unknown, unknown>): void {
    const { key, value, oldValue, timestamp, headers } = record as ChangeRecord<unknown, unknown>;
    const { suppressed, delayMs, keySerde } = this.#settings;
    const buffer = this.#buffer;
    buffer.advanceStreamTime(timestamp);
    const bufferTimeMs = this.#final ? (key as Windowed<unknown>).window.endMs : timestamp;
    const keyBytes = keySerde.serialize(suppressed.name, key);
    buffer.put(keyBytes, { bufferTimeMs, priorValue: oldValue, newValue: value, timestamp, headers });
    while (buffer.minTimeMs <= buffer.streamTimeMs - delayMs) this.#emitFirst();
    while (buffer.records > suppressed.maxRecords || buffer.bytes > suppressed.maxBytes) {
      if (suppressed.whenFull === 'fail') this.#overflow();
      this.#emitFirst();
    }
  }

  #overflow(): never {
    const { name, maxRecords, maxBytes } = this.#settings.suppressed;
    throw new StreamsError(
      'STREAMS_BUFFER_FULL',
      `suppress ${name}: its buffer is full, ${this.#buffer.records} of ${maxRecords} records and ${this.#buffer.bytes} of ${maxBytes} bytes; give it more room or a shorter grace`,
    );
  }

  /** The update stays in the buffer while it is told of: who reads the table meanwhile sees it as it was, as in Kafka Streams. */
  #emitFirst(): void {
    this.#tell(this.#buffer.first());
    this.#buffer.removeFirst();
  }

  #tell({ key, held }: { readonly key: Buffer; readonly held: HeldBack }): void {
    if (held.newValue === null && this.#final) return;
    const { suppressed, keySerde } = this.#settings;
    this.#context.forward(
      changeRecord(
        keySerde.deserialize(suppressed.name, key),
        held.newValue,
        held.priorValue,
        held.timestamp,
        held.headers,
      ),
    );
  }
}

/** The table as downstream sees it: what is held back still has the value told of last. */
class SuppressedGetter implements ValueGetter {
  readonly #parent: ValueGetter;
  readonly #storeName: string;
  readonly #keySerde: AnySerde;
  #store!: KeyValueStore<Buffer, HeldBack>;

  constructor(parent: ValueGetter, storeName: string, keySerde: AnySerde) {
    this.#parent = parent;
    this.#storeName = storeName;
    this.#keySerde = keySerde;
  }

  init(context: ProcessingContext): void {
    this.#parent.init(context);
    this.#store = context.getStateStore(this.#storeName);
  }

  get(key: unknown): ValueAndTimestamp<unknown> | null {
    const held = this.#store.get(heldBackRow(this.#keySerde.serialize(this.#storeName, key)));
    if (held === null) return this.#parent.get(key);
    return held.priorValue === null ? null : { value: held.priorValue, timestamp: -1 };
  }
}

export class SuppressTableModel implements TableModel {
  readonly storeName = null;
  readonly historyRetentionMs = null;
  readonly #parent: TableModel;
  readonly #suppression: string;
  readonly #keySerde: AnySerde;

  constructor(parent: TableModel, suppression: string, keySerde: AnySerde) {
    this.#parent = parent;
    this.#suppression = suppression;
    this.#keySerde = keySerde;
    parent.enableSendingOldValues(true, `suppress ${suppression}`);
  }

  enableSendingOldValues(): boolean {
    return true;
  }

  valueGetterSupplier(neededBy: string): ValueGetterSupplier {
    const parent = this.#parent.valueGetterSupplier(neededBy);
    return {
      get: () => new SuppressedGetter(parent.get(), this.#suppression, this.#keySerde),
      storeNames: () => [...parent.storeNames(), this.#suppression],
    };
  }
}
