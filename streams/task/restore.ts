import type { AppendedRecord, EmbeddedCycles } from '../log/embedded/cycle.ts';
import type { InputBinding } from './channel.ts';
import type { StreamTask } from './streamTask.ts';

const READ_RECORDS = 2_000;

/** What was processed of an input after the stores of its task were written down. */
function* unwritten(
  { topic, partition, stateOffset, position }: InputBinding,
  log: EmbeddedCycles,
): Generator<AppendedRecord, undefined> {
  for (let next = stateOffset; next < position; ) {
    const records = log.readSync(topic, partition, next, READ_RECORDS);
    for (const record of records) if (record.offset < position) yield record;
    const last = records[records.length - 1];
    if (last === undefined) return undefined;
    next = last.offset + 1;
  }
  return undefined;
}

/** Reads again what a copy had taken in but not written down: before anything else is processed, so that nobody meets the gap. */
export function restoreCopy(input: InputBinding, log: EmbeddedCycles): void {
  for (const record of unwritten(input, log)) input.task.restore(record);
}

/**
 * Processes again what came after the stores of residence `replayed` were written down, in the order of the log, as it was processed then. The
 * caller lets nothing out of what it leads to.
 */
export function replay(task: StreamTask, log: EmbeddedCycles): void {
  const { inputs } = task.checkpoint;
  const records = inputs.flatMap((input) =>
    Array.from(unwritten(input, log), (record) => ({ input, record })),
  );
  records.sort((a, b) => a.record.sequence - b.record.sequence);
  const times = new Map(inputs.map((input) => [input, input.stateTimeMs]));
  for (const { input, record } of records) {
    const timeMs = times.get(input)!;
    times.set(input, Math.max(timeMs, task.process(record, null, timeMs)));
  }
}
