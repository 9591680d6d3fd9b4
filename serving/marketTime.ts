import type { LogEngine } from '../streams/log/log.ts';
import { EXTERNAL_TOPICS } from '../topologies/topics.ts';

/** The newest time that the last records of the topics written from outside have; 0 on an empty log. */
export async function newestTimeOnLog(engine: LogEngine): Promise<number> {
  let newestMs = 0;
  for (const { name } of EXTERNAL_TOPICS) {
    const { offsets } = await engine.admin.describeTopic(name);
    for (const [partition, { latest }] of offsets.entries()) {
      const [record] =
        latest === 0 ? [] : await engine.reader.read({ topic: name, partition }, latest - 1, 1);
      if (record !== undefined) newestMs = Math.max(newestMs, record.timestamp);
    }
  }
  return newestMs;
}
