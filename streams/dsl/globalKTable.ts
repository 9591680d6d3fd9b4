import { type GlobalTableHandle, HANDLE } from './internal/handles.ts';

/** A table of which every instance holds all partitions, so that a stream may join it by any key, as Kafka Streams' GlobalKTable. */
export class GlobalKTable<K, V> {
  readonly [HANDLE]: GlobalTableHandle<K, V>;

  /** Made by a StreamsBuilder. */
  constructor(handle: GlobalTableHandle<K, V>) {
    this[HANDLE] = handle;
  }

  /** The name to query it by. */
  get queryableStoreName(): string {
    return this[HANDLE].storeName;
  }
}
