import type { LogEngine } from '../streams/log/log.ts';
import { lastRecord } from '../streams/ops/lastRecord.ts';
import { EXTERNAL_TOPICS } from '../topologies/topics.ts';

/** The newest time that the last records of the topics written from outside have; 0 on an empty log. */
export async function newestTimeOnLog(engine: LogEngine): Promise<number> {
  let newestMs = 0;
  for (const { name } of EXTERNAL_TOPICS) {
    const { offsets } = await engine.admin.describeTopic(name);
    for (const [partition, held] of offsets.entries()) {
      const record = await lastRecord(engine, { topic: name, partition }, held);
      if (record !== null) newestMs = Math.max(newestMs, record.timestamp);
    }
  }
  return newestMs;
}
