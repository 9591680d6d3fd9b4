import type { LogEngine } from '../../streams/log/log.ts';
import { ConfluentSchemaRegistry } from './confluent.ts';
import { EmbeddedSchemaRegistry } from './embedded.ts';
import type { SchemaRegistry } from './registry.ts';

/**
 * Asks the registry at a URL for its subjects, so that one that is not there is known before anything is made.
 * @param url null for the registry on the log itself, which is always there
 * @throws SchemaError SCHEMA_REGISTRY
 */
export async function probeRegistry(url: string | null): Promise<void> {
  if (url !== null) await new ConfluentSchemaRegistry(url).subjects();
}

/** The registry at a URL, or without one the registry on the log itself. */
export async function openRegistry(engine: LogEngine, url: string | null): Promise<SchemaRegistry> {
  return url === null ? EmbeddedSchemaRegistry.open(engine) : new ConfluentSchemaRegistry(url);
}
