/** What of a store's local bytes may be used again, and from where its changelog must be read. */
import type { CommittedPosition } from '../../state/positions.ts';
import type { ChangelogBounds, ChangelogReader } from './changelogReader.ts';
import { isReachable } from './followers.ts';
import type { HostedStore } from './hostedStore.ts';
import type { HostedTask } from './hostedTask.ts';
import type { StateRows } from './stateRows.ts';

/**
 * How old a checkpoint may be. Kafka keeps deletions in a compacted topic for a day (delete.retention.ms): what was deleted since an older
 * checkpoint might have left no trace.
 */
const CHECKPOINT_AGE_MAX_MS = 12 * 60 * 60 * 1000;

export interface Preparation {
  readonly rows: StateRows;
  readonly reader: ChangelogReader;
  readonly nowMs: number;
  readonly onNotice: (line: string) => void;
}

/** Finds where to read the changelog from, and empties the store where that is the start. */
export async function prepareLogged(
  store: HostedStore,
  bounds: ChangelogBounds,
  { rows, nowMs, onNotice }: Preparation,
): Promise<void> {
  store.topicId = bounds.topicId;
  store.position = bounds.earliest;
  if (store.isPersistent) {
    const { location } = store;
    const checkpoint = rows.checkpoint(location);
    const reason = checkpoint === null ? null : staleness(checkpoint, bounds, nowMs);
    if (checkpoint !== null && reason === null) store.position = checkpoint.offset;
    else {
      if (reason !== null) {
        onNotice(
          `store ${location.storeName} of ${location.applicationId}, partition ${location.partition}, is restored from the start: ${reason}`,
        );
      }
      await rows.wipe(location, {
        topicId: bounds.topicId,
        offset: bounds.earliest,
        coveredMs: nowMs,
      });
    }
  }
  store.start = store.position;
  store.target = bounds.end;
}

function staleness(
  checkpoint: { readonly topicId: string; readonly offset: number; readonly coveredMs: number },
  bounds: ChangelogBounds,
  nowMs: number,
): string | null {
  if (checkpoint.topicId !== bounds.topicId) return 'its changelog was deleted and made anew';
  if (!isReachable(bounds, checkpoint.topicId, checkpoint.offset)) {
    return `its changelog holds ${bounds.earliest} to ${bounds.end}, but the local state ends at ${checkpoint.offset}`;
  }
  if (nowMs - checkpoint.coveredMs > CHECKPOINT_AGE_MAX_MS) {
    return 'the local state is older than the changelog keeps deletions';
  }
  return null;
}

/** A store without a changelog is used again where nothing was committed since by anybody, and empty otherwise. */
export async function prepareUnlogged(
  store: HostedStore,
  hosted: HostedTask,
  committed: readonly CommittedPosition[] | null,
  { rows }: Preparation,
): Promise<void> {
  if (!store.isPersistent) return;
  const local = hosted.positions(rows);
  const isCurrent =
    committed !== null &&
    local.length > 0 &&
    committed.every(({ topic, partition, offset }) =>
      local.some((each) => each.topic === topic && each.partition === partition && each.offset === offset),
    );
  if (!isCurrent) await rows.wipe(store.location, null);
}

/** A global store holds what its topics say up to its own positions, unless they are not the topics that it has read. */
export async function prepareGlobal(hosted: HostedTask, preparation: Preparation): Promise<void> {
  const { rows, reader, nowMs, onNotice } = preparation;
  const positions = hosted.positions(rows);
  const heads = hosted.task.topics.map((topic) => ({ topic, partition: 0 }));
  const bounds = await reader.bounds([...heads, ...positions]);
  const topicId = bounds
    .slice(0, heads.length)
    .map((each) => each?.topicId ?? '')
    .join(' ');
  const unreached = positions.find(({ offset }, index) => {
    const each = bounds[heads.length + index];
    return each === null || each === undefined || offset < each.earliest || offset > each.end;
  });
  for (const store of hosted.stores) {
    const checkpoint = store.isPersistent ? rows.checkpoint(store.location) : null;
    store.topicId = topicId;
    if (checkpoint !== null) {
      const isOld = nowMs - checkpoint.coveredMs > CHECKPOINT_AGE_MAX_MS;
      const reason =
        checkpoint.topicId !== topicId
          ? 'its topic was deleted and made anew'
          : unreached !== undefined
            ? `it has read ${unreached.topic}, partition ${unreached.partition}, to ${unreached.offset}, which is not there`
            : isOld
              ? 'the local state is older than its topic keeps deletions'
              : null;
      if (reason === null) continue;
      onNotice(
        `global store ${store.location.storeName} of ${store.location.applicationId} is read from the start: ${reason}`,
      );
    }
    const batch = rows.database.batch();
    hosted.forgetPositions(rows, batch);
    rows.write(batch);
    await rows.wipe(store.location, store.isPersistent ? { topicId, offset: 0, coveredMs: nowMs } : null);
  }
}
