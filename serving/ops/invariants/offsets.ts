import { messageOf } from '../../../streams/log/errors.ts';
import type { VerifiedLog } from './evidence.ts';
import type { Findings } from './report.ts';
import type { Pacer } from './walk.ts';

const READ_RECORDS = 5_000;

/**
 * Invariant 4 on Kafka: every committed record up to the cut can be read, offsets rise, and positions are within bounds. What else the
 * embedded log promises is the brokers' business: checksums, and which offsets are taken by the ends of transactions.
 */
export async function verifyOffsets(
  engine: VerifiedLog,
  findings: Findings,
  pacer: Pacer,
  tell: (step: string) => void,
): Promise<void> {
  for (const topic of await engine.admin.listTopics()) {
    const { offsets } = await engine.admin.describeTopic(topic);
    for (const [partition, { latest }] of offsets.entries()) {
      tell(`${topic}[${partition}]`);
      findings.checked('partitions');
      try {
        let next = engine.earliest(topic, partition);
        while (next < latest) {
          const records = await engine.reader.read({ topic, partition }, next, READ_RECORDS);
          const held = records.filter(({ offset }) => offset < latest);
          for (const { offset } of held) {
            if (offset < next)
              findings.violation(`${topic}[${partition}]@${offset}`, `the offset follows ${next - 1}`);
            next = offset + 1;
          }
          findings.checked('records', held.length);
          if (held.length === 0) break;
          if (pacer.due) await pacer.turn();
        }
      } catch (cause) {
        findings.violation(`${topic}[${partition}]`, messageOf(cause));
      }
    }
  }
  for (const { applicationId, topic, partition, lag } of engine.cut?.beyond ?? [])
    findings.violation(`${topic}[${partition}]`, `${applicationId} is ${lag} offsets beyond the end`);
  findings.notChecked('gaps of offsets: on Kafka the ends of transactions take offsets too');
}
