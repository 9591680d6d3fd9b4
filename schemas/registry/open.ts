import type { LogEngine } from '../../streams/log/log.ts';
import { ConfluentSchemaRegistry } from './confluent.ts';
import { EmbeddedSchemaRegistry } from './embedded.ts';
import type { SchemaRegistry } from './registry.ts';

/** The registry at a URL, or without one the registry on the log itself. */
export async function openRegistry(engine: LogEngine, url: string | null): Promise<SchemaRegistry> {
  return url === null ? EmbeddedSchemaRegistry.open(engine) : new ConfluentSchemaRegistry(url);
}
