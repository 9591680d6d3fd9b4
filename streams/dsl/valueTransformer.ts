import type { StoreBuilder } from '../../stores/store.ts';
import type { ProcessingContext } from '../processor.ts';

/** Makes a table's values of another's, with the stores of its task: Kafka Streams' ValueTransformerWithKey. It forwards nothing. */
export interface ValueTransformer<K, V, VR> {
  /** Called once before the first value, and again after a task was rolled back. */
  init?(context: ProcessingContext): void;
  /** The key is to read. @param value null where the row is gone. @returns null to leave the key out */
  transform(key: K, value: V | null): VR | null;
  close?(): void;
}

/** Makes the transformers of a table, one for each place of a task that computes its values. `stores` are connected without a further call. */
export interface ValueTransformerSupplier<K, V, VR> {
  get(): ValueTransformer<K, V, VR>;
  stores?(): readonly StoreBuilder[];
}
