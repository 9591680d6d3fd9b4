/** Cycles of a state over changelogs in memory, as a runner makes them. */
import assert from 'node:assert/strict';
import type { BytesStore } from '../../../../../stores/store.ts';
import type { KafkaState, KafkaTaskState } from '../../../../../streams/log/kafka/state/index.ts';
import type { CommittedPosition } from '../../../../../streams/log/state/positions.ts';
import { type MemoryChangelogs, MemoryTransaction } from './memoryChangelogs.ts';

export function openBytes(state: KafkaState, { applicationId, partition }: KafkaTaskState): BytesStore {
  return state.open({ applicationId, storeName: 'plain', partition }, 'persistent');
}

export function contentOf(bytes: BytesStore): string[] {
  return [...bytes.scan(null, null, false)].map(({ key, value }) => `${key}=${value}`);
}

/** Sends what the open stores changed as a transaction of its own. */
export function sendCommitted(state: KafkaState, changelogs: MemoryChangelogs): void {
  const transaction = new MemoryTransaction();
  state.drain((topic, partition, key, value) =>
    changelogs.append({ topic, partition }, key, value, transaction),
  );
  changelogs.finish(transaction, 'committed');
}

/** The same, and then writes it into the stores. */
export function writeCommitted(
  state: KafkaState,
  changelogs: MemoryChangelogs,
  positions: readonly CommittedPosition[] = [],
): void {
  sendCommitted(state, changelogs);
  state.committed(positions);
}

/** Restores a task and returns how many records that took. */
export async function restoredRecords(state: KafkaState, task: KafkaTaskState): Promise<number> {
  let records = -1;
  await state.restore(task, (progress) => {
    records = progress.records;
  });
  assert.ok(records >= 0);
  return records;
}
