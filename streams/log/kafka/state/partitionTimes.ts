import { Stores } from '../../../../stores/index.ts';
import { longNumberSerde, stringSerde } from '../../../../stores/serdes.ts';
import type { KeyValueStore, StoreBuilder } from '../../../../stores/store.ts';
import type { Subtopology } from '../../../graph/nodes.ts';

/**
 * The highest record time of each topic that a task reads, kept beside its stores: a task that moves to another process goes on in the stream
 * time that it had. Kafka Streams keeps it as metadata of the committed offsets, which node-rdkafka cannot send with a transaction. Null for
 * a sub-topology without stores, which has nothing that would show it, and for a global one.
 */
export function partitionTimesOf({
  id,
  stores,
}: Pick<Subtopology, 'id' | 'stores'>): StoreBuilder<KeyValueStore<string, number>> | null {
  if (id < 0 || stores.length === 0) return null;
  return Stores.keyValueStore({
    name: `partition-times-${id}`,
    keySerde: stringSerde,
    valueSerde: longNumberSerde,
  });
}
