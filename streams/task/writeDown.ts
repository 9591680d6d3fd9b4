import type { CommitWriter } from '../log/embedded/cycle.ts';
import type { InputBinding } from './channel.ts';
import type { StreamTask } from './streamTask.ts';

/**
 * Writes down for a commit the stores that are due, and all positions that moved.
 * @param last nothing is processed after it
 */
export function writeDown(
  tasks: readonly StreamTask[],
  bindings: readonly InputBinding[],
  writer: CommitWriter,
  nowMs: number,
  last: boolean,
): void {
  let crowded = false;
  for (const { checkpoint } of tasks) crowded = checkpoint.decide(nowMs, last, crowded) || crowded;
  for (const task of tasks) {
    if (task.checkpoint.due) task.flush();
    task.checkpoint.done(nowMs);
  }
  for (const binding of bindings) {
    const { applicationId, task, topic, partition, position: offset, partitionTimeMs } = binding;
    const { due } = task.checkpoint;
    const stateOffset = due ? offset : binding.stateOffset;
    const stateTimeMs = due ? partitionTimeMs : binding.stateTimeMs;
    if (offset === binding.writtenPosition && stateOffset === binding.stateOffset) continue;
    // The next commit compares with these, which need not be durable by then.
    binding.writtenPosition = offset;
    binding.stateOffset = stateOffset;
    binding.stateTimeMs = stateTimeMs;
    const lagging = stateOffset === offset ? {} : { stateOffset, stateTimeMs };
    writer.putPosition({ applicationId, topic, partition, offset, partitionTimeMs, ...lagging });
  }
}

/** Whether stores wait to be written down, though nothing else may happen. */
export function hasUnwritten(tasks: readonly StreamTask[]): boolean {
  return tasks.some(({ checkpoint }) => checkpoint.kind === 'replayed' && checkpoint.records > 0);
}
