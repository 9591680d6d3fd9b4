import type { SourcePosition } from '../../../schemas/generated/types.ts';
import { SOURCE_POSITIONS } from '../../../topologies/assets/topics.ts';
import type { SourceContext } from '../source.ts';

const READ_CHUNK = 500;

/** The newest position a source has written to the log; null where it has none. */
export async function storedPosition(
  { engine, serdes }: Pick<SourceContext, 'engine' | 'serdes'>,
  source: string,
): Promise<SourcePosition | null> {
  let found: SourcePosition | null = null;
  for (let offset = 0; ; ) {
    const records = await engine.reader.read(
      { topic: SOURCE_POSITIONS.name, partition: 0 },
      offset,
      READ_CHUNK,
    );
    const last = records[records.length - 1];
    if (last === undefined) return found;
    for (const { key, value } of records) {
      if (key?.toString('utf8') !== source || value === null) continue;
      found = serdes.value(SOURCE_POSITIONS).deserialize(SOURCE_POSITIONS.name, value);
    }
    offset = last.offset + 1;
  }
}
