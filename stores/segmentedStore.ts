import type { CachedStateStore, FlushListener, StoreStatistics } from './cached.ts';
import { SegmentedRows, type SegmentedRowsSettings } from './segmentedRows.ts';
import type { BytesStore, Windowed } from './store.ts';

export interface SegmentedStoreSettings<K, V> extends Omit<SegmentedRowsSettings<K, V>, 'windowedOf'> {
  readonly persistent: boolean;
}

/** What stores of windows over segmented rows have in common. */
export abstract class SegmentedStore<K, V> implements CachedStateStore<Windowed<K>, V> {
  readonly name: string;
  readonly persistent: boolean;
  readonly retentionMs: number;
  protected readonly rows: SegmentedRows<K, V>;

  constructor(
    bytes: BytesStore,
    settings: SegmentedStoreSettings<K, V>,
    windowedOf: SegmentedRowsSettings<K, V>['windowedOf'],
  ) {
    this.name = settings.name;
    this.persistent = settings.persistent;
    this.retentionMs = settings.retentionMs;
    this.rows = new SegmentedRows(bytes, { ...settings, windowedOf });
  }

  get segmentIntervalMs(): number {
    return this.rows.segmentIntervalMs;
  }

  get statistics(): StoreStatistics {
    return this.rows.statistics;
  }

  get streamTimeMs(): number {
    return this.rows.notes.streamTimeMs;
  }

  advanceStreamTime(timestampMs: number): void {
    this.rows.notes.advanceStreamTime(timestampMs);
  }

  get emittedMs(): number {
    return this.rows.notes.emittedMs;
  }

  advanceEmitted(timestampMs: number): void {
    this.rows.notes.advanceEmitted(timestampMs);
  }

  isOpen(): boolean {
    return this.rows.isOpen;
  }

  setFlushListener(listener: FlushListener<Windowed<K>, V>, originOf: () => unknown = () => null): void {
    this.rows.setFlushListener(listener, originOf);
  }

  checkWrites(on: boolean): void {
    this.rows.checkWrites(on);
  }

  get isRecordCache(): boolean {
    return this.rows.isRecordCache;
  }

  get hasChanges(): boolean {
    return this.rows.hasChanges;
  }

  flush(): void {
    this.rows.flush();
  }

  rollback(): void {
    this.rows.rollback();
  }

  close(): void {
    this.rows.close();
  }
}
