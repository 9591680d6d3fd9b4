import type { StoreLocation } from '../../../stores/store.ts';
import type { KafkaState } from '../../log/kafka/state/index.ts';
import type {
  PartitionPeers,
  QueryPeer,
  StoreDirectory,
  StoreEntry,
} from '../../query/distributed/directory.ts';
import type { HostedStores } from '../../query/distributed/queryHost.ts';
import type { ApplicationPlan, TaskPlan } from '../application.ts';
import { taskId, taskStateOf } from './hostedTask.ts';
import type { Instance, Instances } from './instances.ts';

/** The runtime as far as queries are concerned; StreamsRuntime is one. */
export interface QueriedRuntime {
  /** @throws StreamsError STREAMS_UNKNOWN_APPLICATION */
  plan(applicationId: string): ApplicationPlan;
  settled(): Promise<void> | null;
  readonly instances: Instances | null;
}

type QueriedState = Pick<KafkaState, 'openCommitted' | 'roleOf' | 'status' | 'positions'>;

/** How long what instances tell of themselves is used before it is looked at again; a change is seen at once. */
const FRESH_MS = 500;

/** Which process hosts what, from what the instances of a deployment tell of one another and this one knows of itself. */
export class KafkaStoreDirectory implements StoreDirectory {
  readonly #runtime: QueriedRuntime;
  readonly #state: QueriedState;
  readonly #instanceId: string;
  readonly #entries = new Map<string, { readonly entry: StoreEntry; readonly taskIds: readonly string[] }>();
  #others: readonly Instance[] = [];
  readonly #topologyOf: (applicationId: string) => string;
  #othersUntilMs = 0;
  #listening = false;

  /** @param topologyOf the application by whose topology the stores of another id are known, where this process does not know that one */
  constructor(
    runtime: QueriedRuntime,
    state: QueriedState,
    instanceId: string,
    topologyOf: (applicationId: string) => string = (applicationId) => applicationId,
  ) {
    this.#topologyOf = topologyOf;
    this.#runtime = runtime;
    this.#state = state;
    this.#instanceId = instanceId;
  }

  store(applicationId: string, storeName: string): StoreEntry {
    return this.#found(applicationId, storeName).entry;
  }

  #found(applicationId: string, storeName: string) {
    const name = `${applicationId}/${storeName}`;
    let found = this.#entries.get(name);
    if (found === undefined) {
      const plan = this.#runtime.plan(this.#topologyOf(applicationId));
      const { builder, global } = plan.storeBuilder(storeName);
      const holds = ({ subtopology: { stores } }: TaskPlan): boolean =>
        stores.some((store) => store.name === storeName);
      const taskIds = global ? [] : plan.tasks.filter(holds).map(taskId);
      found = {
        entry: { applicationId, storeName, builder, partitions: global ? 1 : taskIds.length },
        taskIds,
      };
      this.#entries.set(name, found);
    }
    return found;
  }

  peersOf({ applicationId, storeName }: StoreEntry, partition: number): PartitionPeers {
    const standbyHere = this.#state.roleOf({ applicationId, storeName, partition }) === 'standby';
    const standbys: QueryPeer[] = standbyHere ? [this.#self] : [];
    if (this.#state.roleOf({ applicationId, storeName, partition }) === 'active')
      return { active: [this.#self], standbys };
    const task = this.#found(applicationId, storeName).taskIds[partition];
    const running = this.#alive().filter(({ applications }) => applications[applicationId] !== undefined);
    const having = (role: 'active' | 'standby'): readonly Instance[] =>
      running.filter(
        ({ applications }) => task !== undefined && applications[applicationId]![role].includes(task),
      );
    const active = having('active');
    return {
      active: [
        ...(active.length > 0 ? active : running).map(peerOf),
        ...this.#restoringHere(applicationId, storeName, partition),
      ],
      standbys: [...standbys, ...having('standby').map(peerOf)],
    };
  }

  /** Others cannot say it of us. */
  #restoringHere(applicationId: string, storeName: string, partition: number): readonly QueryPeer[] {
    return this.#state.roleOf({ applicationId, storeName, partition }) === 'restoring' ? [this.#self] : [];
  }

  get #self(): QueryPeer {
    return { instanceId: this.#instanceId, address: null };
  }

  /** The other instances that can be asked. */
  #alive(): readonly Instance[] {
    const { instances } = this.#runtime;
    if (instances === null) return [];
    if (!this.#listening) {
      this.#listening = true;
      instances.onChange(() => {
        this.#othersUntilMs = 0;
      });
    }
    const nowMs = performance.now();
    if (nowMs >= this.#othersUntilMs) {
      this.#othersUntilMs = nowMs + FRESH_MS;
      this.#others = instances
        .alive()
        .filter(({ instanceId, address }) => instanceId !== this.#instanceId && address !== '');
    }
    return this.#others;
  }
}

function peerOf({ instanceId, address }: Instance): QueryPeer {
  return { instanceId, address };
}

/** The stores of this process, for queries. */
export class KafkaHostedStores implements HostedStores {
  readonly state: QueriedState;
  readonly #runtime: QueriedRuntime;

  constructor(runtime: QueriedRuntime, state: QueriedState) {
    this.#runtime = runtime;
    this.state = state;
  }

  roleOf(location: StoreLocation): 'active' | 'restoring' | 'standby' | null {
    return this.state.roleOf(location);
  }

  lagOf({ applicationId, storeName, partition }: StoreLocation): number | null {
    const found = this.state
      .status()
      .find(
        (store) =>
          store.applicationId === applicationId &&
          store.storeName === storeName &&
          store.partition === partition,
      );
    return found?.lag ?? null;
  }

  appliedPosition(applicationId: string, topic: string, partition: number): number | null {
    const plan = this.#runtime.plan(applicationId);
    const task = plan.tasks.find(
      (each) =>
        each.partition === partition &&
        each.subtopology.topics.some((name) => plan.resolveTopic(name) === topic),
    );
    if (task === undefined) return null;
    const positions = this.state.positions(taskStateOf(plan, task)) ?? [];
    return positions.find((each) => each.topic === topic && each.partition === partition)?.offset ?? null;
  }

  settled(): Promise<void> | null {
    return this.#runtime.settled();
  }
}
