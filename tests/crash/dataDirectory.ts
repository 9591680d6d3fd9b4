/** Reads a data directory that no process has open: its topics decoded, its stores as they were committed. */
import { createSerdes } from '../../schemas/avroSerdes.ts';
import type { SchemaName, SchemaTypes } from '../../schemas/generated/types.ts';
import { EmbeddedSchemaRegistry } from '../../schemas/registry/embedded.ts';
import type { Serdes } from '../../schemas/serdes.ts';
import type { TopicDefinition } from '../../schemas/topic.ts';
import { EmbeddedLog } from '../../streams/log/embedded/index.ts';
import { records } from '../../streams/ops/digest.ts';
import { TOPICS } from '../../topologies/topics.ts';
import { type Evidence, type Placed, plain } from './evidence.ts';

export class DataDirectory implements Evidence {
  readonly log: EmbeddedLog;
  readonly serdes: Serdes;

  private constructor(log: EmbeddedLog, serdes: Serdes) {
    this.log = log;
    this.serdes = serdes;
  }

  static async open(directory: string): Promise<DataDirectory> {
    const log = await EmbeddedLog.open({ directory, maintenanceIntervalMs: null });
    return new DataDirectory(log, await createSerdes(await EmbeddedSchemaRegistry.open(log), TOPICS));
  }

  close(): Promise<void> {
    return this.log.close();
  }

  /** Every record of a topic that has a value (clock records have none), in the order of appending over all partitions. */
  async read<S extends SchemaName>(topic: TopicDefinition<S>): Promise<readonly Placed<SchemaTypes[S]>[]> {
    const serde = this.serdes.value(topic);
    const found: (Placed<SchemaTypes[S]> & { readonly sequence: number })[] = [];
    const { partitions } = await this.log.admin.describeTopic(topic.name);
    for (let partition = 0; partition < partitions; partition += 1) {
      for await (const { offset, sequence, key, value } of records(this.log, topic.name, partition)) {
        if (value === null) continue;
        const decoded = plain(serde.deserialize(topic.name, value));
        found.push({ partition, offset, sequence, key: key?.toString() ?? null, value: decoded });
      }
    }
    return found.sort((a, b) => a.sequence - b.sequence);
  }

  /** All entries of a store, partition by partition in the order of keys. */
  store<S extends SchemaName>(
    applicationId: string,
    storeName: string,
    schema: S,
  ): ReadonlyMap<string, SchemaTypes[S]> {
    const serde = this.serdes.store(schema);
    const found = new Map<string, SchemaTypes[S]>();
    for (const location of this.log.state.list()) {
      if (location.applicationId !== applicationId || location.storeName !== storeName) continue;
      for (const { key, value } of this.log.state.openCommitted(location).scan(null, null, false))
        found.set(key.toString(), plain(serde.deserialize(storeName, value)));
    }
    return found;
  }
}
