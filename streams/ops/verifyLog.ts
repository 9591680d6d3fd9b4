import type { EmbeddedLog } from '../log/embedded/index.ts';
import { messageOf } from '../log/errors.ts';
import { records } from './digest.ts';

/** Something in a log that must not be. */
export interface LogViolation {
  readonly topic: string;
  readonly partition: number;
  /** One line: what is wrong, and at which offset. */
  readonly what: string;
}

export interface LogVerification {
  readonly partitions: number;
  readonly records: number;
  readonly violations: readonly LogViolation[];
}

/**
 * Reads every committed record of a log and checks what the log promises: checksums, offsets without a gap (rising where compaction
 * may leave gaps) up to the end, sequences that rise within each partition, and committed positions within bounds.
 * It may run beside everything else; what is appended meanwhile is left out.
 * @param applicationIds whose positions are checked
 */
export async function verifyLog(
  log: EmbeddedLog,
  applicationIds: readonly string[] = [],
): Promise<LogVerification> {
  const violations: LogViolation[] = [];
  let partitions = 0;
  let count = 0;
  for (const topic of await log.admin.listTopics()) {
    const { cleanupPolicy, offsets } = await log.admin.describeTopic(topic);
    for (const [partition, { latest }] of offsets.entries()) {
      partitions++;
      const report = (what: string): void => void violations.push({ topic, partition, what });
      const compacted = cleanupPolicy === 'compact';
      count += await verifyPartition(log, { topic, partition, latest, compacted }, report);
    }
  }
  for (const applicationId of applicationIds) {
    for (const { topic, partition, offset } of log.positions(applicationId)) {
      const end = log.committedEnd(topic, partition);
      if (offset >= 0 && offset <= end) continue;
      violations.push({
        topic,
        partition,
        what: `${applicationId} is at offset ${offset}, beyond the end at ${end}`,
      });
    }
  }
  return { partitions, records: count, violations };
}

async function verifyPartition(
  log: EmbeddedLog,
  place: {
    readonly topic: string;
    readonly partition: number;
    readonly latest: number;
    readonly compacted: boolean;
  },
  report: (what: string) => void,
): Promise<number> {
  const { topic, partition, latest, compacted } = place;
  let expected = log.earliest(topic, partition);
  let sequence = -1;
  let count = 0;
  try {
    for await (const record of records(log, topic, partition)) {
      if (record.offset >= latest) break;
      const retained = expected < log.earliest(topic, partition);
      if (record.offset < expected) report(`offset ${record.offset} follows ${expected - 1}`);
      else if (record.offset > expected && !compacted && !retained) {
        report(`offsets ${expected} to ${record.offset - 1} are missing`);
      }
      if (record.sequence <= sequence) report(`the sequence does not rise at offset ${record.offset}`);
      expected = record.offset + 1;
      sequence = record.sequence;
      count++;
    }
    if (expected < latest && log.earliest(topic, partition) < latest) {
      report(`offsets ${expected} to ${latest - 1} are missing at the end`);
    }
  } catch (cause) {
    report(messageOf(cause));
  }
  return count;
}
