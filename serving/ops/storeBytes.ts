import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BytesStore, StateBackend, StoreBuilder, StoreLocation } from '../../stores/store.ts';
import { changelogTopicName, KafkaState, type KafkaTaskState } from '../../streams/log/kafka/state/index.ts';
import type { LogEngine } from '../../streams/log/log.ts';
import { ServingError } from '../errors.ts';

/** A store that is there by its topology. */
export interface KnownStore {
  readonly application: string;
  readonly builder: StoreBuilder;
  readonly global: boolean;
}

/** Where the bytes of stores are read. */
export interface StoreBytes {
  /** Whether to go through a store costs no more than its entries. */
  readonly here: boolean;
  /** Partitions that can be read here, be it not all. */
  partitions(store: KnownStore): Promise<readonly number[]>;
  /**
   * Partitions that hold something, which can be opened from then on.
   * @throws ServingError SERVING_STORE_ELSEWHERE where some of it cannot be read here; LogError
   */
  whole(store: KnownStore): Promise<readonly number[]>;
  open(place: StoreLocation): BytesStore;
}

/** A state backend that tells which stores hold something. */
type ListingState = StateBackend & { list?(): readonly StoreLocation[] };

/** Partitions of a store on Kafka, by its changelog; null where it has none yet. */
async function changelogPartitions(
  { admin }: Pick<LogEngine, 'admin'>,
  { application, builder }: KnownStore,
): Promise<number | null> {
  const topic = changelogTopicName(application, builder.name);
  return (await admin.listTopics()).includes(topic) ? (await admin.describeTopic(topic)).partitions : null;
}

/** The stores of this process: on the embedded log all there are, on Kafka those of its tasks. */
export class HeldStores implements StoreBytes {
  readonly here = true;
  readonly #engine: LogEngine;

  constructor(engine: LogEngine) {
    this.#engine = engine;
  }

  partitions({ application, builder }: KnownStore): Promise<readonly number[]> {
    const state: ListingState = this.#engine.state;
    const held = (state.list?.() ?? []).filter(
      ({ applicationId, storeName }) => applicationId === application && storeName === builder.name,
    );
    return Promise.resolve(held.map(({ partition }) => partition).sort((a, b) => a - b));
  }

  async whole(store: KnownStore): Promise<readonly number[]> {
    const held = await this.partitions(store);
    if (this.#engine.kind === 'embedded') return held;
    const all = store.global ? 1 : ((await changelogPartitions(this.#engine, store)) ?? held.length);
    if (held.length >= all) return held;
    throw new ServingError(
      'SERVING_STORE_ELSEWHERE',
      `this process holds ${held.length} of ${all} partitions of ${store.application}/${store.builder.name}; with OPENTAPE_ENGINE=kafka and KAFKA_BROKERS set, all of it is read from its changelog`,
    );
  }

  open(place: StoreLocation): BytesStore {
    return this.#engine.state.openCommitted(place);
  }
}

/** The stores of a deployment on Kafka by their changelogs, brought into a temporary directory when they are asked for. */
export class ChangelogStores implements StoreBytes {
  readonly here = false;
  readonly #engine: LogEngine & Parameters<typeof KafkaState.open>[0]['log'];
  readonly #memoryBudgetBytes: number;
  readonly #restored = new Map<string, readonly KafkaTaskState[]>();
  #directory: string | null = null;
  #state: KafkaState | null = null;

  constructor(engine: LogEngine & Parameters<typeof KafkaState.open>[0]['log'], memoryBudgetBytes: number) {
    this.#engine = engine;
    this.#memoryBudgetBytes = memoryBudgetBytes;
  }

  async partitions(store: KnownStore): Promise<readonly number[]> {
    const count = isLogged(store) ? await changelogPartitions(this.#engine, store) : null;
    return Array.from({ length: count ?? 0 }, (_, partition) => partition);
  }

  async whole(store: KnownStore): Promise<readonly number[]> {
    const { application, builder } = store;
    if (!isLogged(store))
      throw new ServingError(
        'SERVING_STORE_ELSEWHERE',
        `${application}/${builder.name} is kept by running processes only, without a changelog; ask with --data-dir where a process runs that holds it`,
      );
    const name = `${application}/${builder.name}`;
    const known = this.#restored.get(name);
    if (known !== undefined) return known.map(({ partition }) => partition);
    const state = await this.#open();
    const partitions = await this.partitions(store);
    // A number of its own keeps the tasks of two stores apart.
    const subtopologyId = this.#restored.size;
    const tasks = partitions.map((partition) => ({
      applicationId: application,
      subtopologyId,
      partition,
      stores: [builder],
      topics: [],
    }));
    await Promise.all(tasks.map((task) => state.restore(task)));
    this.#restored.set(name, tasks);
    return partitions;
  }

  /** Brings what was read of these stores up to what is committed now; the rest of it is here already. @throws LogError */
  async renew(stores: readonly KnownStore[]): Promise<void> {
    const state = await this.#open();
    for (const store of stores) await this.whole(store);
    const tasks = stores.flatMap(
      ({ application, builder }) => this.#restored.get(`${application}/${builder.name}`) ?? [],
    );
    for (const task of tasks) state.close(task);
    await Promise.all(tasks.map((task) => state.restore(task)));
  }

  /** Partitions of a store that were read. */
  restored(application: string, store: string): readonly number[] {
    return (this.#restored.get(`${application}/${store}`) ?? []).map(({ partition }) => partition);
  }

  open(place: StoreLocation): BytesStore {
    if (this.#state === null) throw new ServingError('SERVING_NOT_FOUND', 'no store has been read yet');
    return this.#state.openCommitted(place);
  }

  async #open(): Promise<KafkaState> {
    this.#directory ??= await mkdtemp(join(tmpdir(), 'opentape-stores-'));
    this.#state ??= await KafkaState.open({
      directory: join(this.#directory, 'state'),
      memoryBudgetBytes: this.#memoryBudgetBytes,
      log: this.#engine,
    });
    return this.#state;
  }

  /** Removes what was brought here. */
  async close(): Promise<void> {
    await this.#state?.shutdown();
    if (this.#directory !== null) await rm(this.#directory, { recursive: true, force: true });
  }
}

function isLogged({ global, builder }: KnownStore): boolean {
  return !global && builder.loggingEnabled;
}
