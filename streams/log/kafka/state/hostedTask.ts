import type { StoreBuilder, StoreLocation } from '../../../../stores/store.ts';
import type { TopicPartition } from '../../../record.ts';
import type { CommittedPosition } from '../../state/positions.ts';
import { changelogTopicName } from './changelogTopics.ts';
import { HostedStore } from './hostedStore.ts';
import type { StateBatch, StateRows } from './stateRows.ts';

/** A task as far as its state is concerned. */
export interface KafkaTaskState {
  readonly applicationId: string;
  /** Below zero for the task of a global store: it has no changelog, as the topic it copies is one. */
  readonly subtopologyId: number;
  readonly partition: number;
  readonly stores: readonly StoreBuilder[];
  /** The log's names of the topics that it reads: by them its input positions are found. */
  readonly topics: readonly string[];
}

/** Restoring: not to be opened yet. Active: open, or to be opened. Standby: follows what another process writes. */
export type TaskRole = 'restoring' | 'active' | 'standby';

/** A task whose stores this process holds. */
export class HostedTask {
  readonly task: KafkaTaskState;
  readonly stores: readonly HostedStore[];
  role: TaskRole;
  /** Ends what is under way for the task, with the reason. */
  readonly ended = new AbortController();
  private positionsForgotten = false;

  constructor(rows: StateRows, task: KafkaTaskState, role: TaskRole) {
    this.task = task;
    this.role = role;
    this.stores = task.stores.map(
      (builder) =>
        new HostedStore(
          rows,
          locationOf(task, builder),
          builder.residence,
          changelogOf(task, builder),
          this.isGlobal,
          task.topics,
        ),
    );
  }

  get isGlobal(): boolean {
    return this.task.subtopologyId < 0;
  }

  /** The input positions that are written down with the stores. */
  positions(rows: StateRows): readonly CommittedPosition[] {
    return rows
      .positions(this.task.applicationId)
      .filter(
        ({ topic, partition }) =>
          this.task.topics.includes(topic) && (this.isGlobal || partition === this.task.partition),
      );
  }

  /** The stores go beyond the positions written down with them: these say nothing any more. */
  forgetPositions(rows: StateRows, batch: StateBatch): void {
    if (this.positionsForgotten) return;
    this.positionsForgotten = true;
    for (const position of this.positions(rows)) {
      rows.deletePosition(batch, this.task.applicationId, position);
    }
  }
}

export function taskNameOf({ applicationId, subtopologyId, partition }: KafkaTaskState): string {
  return `${applicationId}\0${subtopologyId}\0${partition}`;
}

function locationOf(task: KafkaTaskState, builder: StoreBuilder): StoreLocation {
  return { applicationId: task.applicationId, storeName: builder.name, partition: task.partition };
}

function changelogOf(task: KafkaTaskState, builder: StoreBuilder): TopicPartition | null {
  if (task.subtopologyId < 0 || !builder.loggingEnabled) return null;
  return { topic: changelogTopicName(task.applicationId, builder.name), partition: task.partition };
}
