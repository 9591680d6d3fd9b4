import { OverlayBytesStore } from '../../stores/overlay.ts';
import type { BytesStore, StateBackend, StoreLocation } from '../../stores/store.ts';
import { StreamsError } from '../errors.ts';
import type { EmbeddedLog } from '../log/embedded/index.ts';
import {
  type ApplicationDefinition,
  ApplicationPlan,
  externalTopics,
  internalTopicName,
} from '../task/application.ts';
import { CycleRunner } from '../task/cycleRunner.ts';

/** What is read of the stores of a log. */
export interface StoreReader {
  openCommitted(location: StoreLocation): BytesStore;
  /** Names and partitions of all stores that hold something, copies of topics left out. */
  list(): readonly StoreLocation[];
}

const nameOf = ({ applicationId, storeName, partition }: StoreLocation): string =>
  `${applicationId}/${storeName}/${partition}`;

/** Changes above what is on the disk, which stay when a task is closed. */
class KeptBytesStore extends OverlayBytesStore {
  override close(): void {}
}

/** Stores as their tasks see them; nothing of what they change comes to the disk. */
class UnwrittenState implements StateBackend {
  readonly stores = new Map<string, { readonly location: StoreLocation; readonly bytes: BytesStore }>();
  readonly #state: StoreReader;

  constructor(state: StoreReader) {
    this.#state = state;
  }

  open(location: StoreLocation): BytesStore {
    const bytes = new KeptBytesStore(this.#state.openCommitted(location));
    this.stores.set(nameOf(location), { location, bytes });
    return bytes;
  }

  openCommitted(location: StoreLocation): BytesStore {
    return this.stores.get(nameOf(location))?.bytes ?? this.#state.openCommitted(location);
  }
}

/**
 * The stores of a log as of the committed positions: those of residence `replayed`, which are written down now and then only, with what was
 * processed since, as the next start has them. Reads alone; the log may be in use.
 * @throws LogError LOG_UNKNOWN_TOPIC; StreamsError STREAMS_STATE where what came since cannot be processed again
 */
export async function stateAsOfPositions(
  log: EmbeddedLog,
  definitions: readonly ApplicationDefinition[],
): Promise<StoreReader> {
  const plans: ApplicationPlan[] = [];
  const partitions = new Map<string, number>();
  const partitionsOf = (topic: string): number => partitions.get(topic) ?? 0;
  for (const definition of definitions) {
    const { applicationId, topology } = definition;
    const replays = [...topology.stores.values()].some(({ residence }) => residence === 'replayed');
    if (!replays || log.positions(applicationId).length === 0) continue;
    const own = [...topology.internalTopics.keys()].map((name) => internalTopicName(applicationId, name));
    for (const topic of [...externalTopics(definition), ...own])
      partitions.set(topic, (await log.admin.describeTopic(topic)).partitions);
    plans.push(new ApplicationPlan(definition, partitionsOf));
  }
  const state = new UnwrittenState(log.state);
  const runner = new CycleRunner(plans, {
    log,
    state,
    wallClock: () => 0,
    partitionsOf,
    onFailure: (applicationId, cause) => {
      throw new StreamsError(
        'STREAMS_STATE',
        `the stores of ${applicationId} cannot be brought to its positions`,
        {
          cause,
        },
      );
    },
  });
  runner.open();
  for (const { tasks } of runner.applications()) for (const task of tasks) task.flush();
  runner.close();
  return { openCommitted: (location) => state.openCommitted(location), list: () => list(log, state) };
}

function list(log: EmbeddedLog, state: UnwrittenState): readonly StoreLocation[] {
  const onDisk = log.state.list();
  const names = new Set(onDisk.map(nameOf));
  const more = [...state.stores.values()].filter(({ location, bytes }) => {
    if (names.has(nameOf(location))) return false;
    const entries = bytes.scan(null, null, false);
    try {
      return entries.next().done !== true;
    } finally {
      entries.close();
    }
  });
  return [...onDisk, ...more.map(({ location }) => location)];
}
