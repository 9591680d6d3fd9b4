import type { AppendedRecord, EmbeddedCycles } from '../log/embedded/cycle.ts';
import type { InputBinding } from './channel.ts';

function before(a: AppendedRecord, b: AppendedRecord): boolean {
  return a.timestamp === b.timestamp ? a.sequence < b.sequence : a.timestamp < b.timestamp;
}

/**
 * Processes the oldest record that readers have before them: by timestamp, as Kafka Streams chooses among the partitions of a task, and
 * by the order of appending where timestamps are equal. Every reader that stands at this very record takes it, as when it was new.
 * @returns whether there was one
 */
export function backlogStep(readers: readonly InputBinding[], log: EmbeddedCycles): boolean {
  let first: AppendedRecord | null = null;
  for (let index = 0; index < readers.length; index += 1) {
    const head = readers[index]!.head(log);
    if (head !== null && (first === null || before(head, first))) first = head;
  }
  if (first === null) return false;
  for (let index = 0; index < readers.length; index += 1) {
    const reader = readers[index]!;
    const head = reader.head(log);
    if (head === null || head.sequence !== first.sequence) continue;
    reader.advance();
    reader.process(head, null);
  }
  return true;
}
