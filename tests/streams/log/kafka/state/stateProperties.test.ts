import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { Stores, stringSerde } from '../../../../../stores/index.ts';
import type { BytesStore, StoreBuilder, StoreLocation } from '../../../../../stores/store.ts';
import {
  changelogTopicName,
  KafkaState,
  type KafkaTaskState,
} from '../../../../../streams/log/kafka/state/index.ts';
import type { CommittedPosition } from '../../../../../streams/log/state/positions.ts';
import { withTemporaryDirectory } from '../../../../support/temporary.ts';
import { until } from '../../../../support/until.ts';
import { MemoryChangelogs, MemoryTransaction } from './memoryChangelogs.ts';

const SEED = 20_261_126;
const RUNS = 30;
const NAMES = ['kept', 'held', 'loose'] as const;
type StoreName = (typeof NAMES)[number];

const serdes = { keySerde: stringSerde, valueSerde: stringSerde };
const STORES: readonly StoreBuilder[] = [
  Stores.keyValueStore({ name: 'kept', ...serdes }),
  Stores.keyValueStore({ name: 'held', residence: 'memory', ...serdes }),
  Stores.keyValueStore({ name: 'loose', loggingEnabled: false, ...serdes }),
];
const TASK: KafkaTaskState = {
  applicationId: 'app',
  subtopologyId: 0,
  partition: 1,
  stores: STORES,
  topics: ['in'],
};

type Crash = 'drained' | 'committed' | 'applied' | null;
type Step =
  | { readonly kind: 'put'; readonly store: StoreName; readonly key: string; readonly value: string | null }
  | { readonly kind: 'commit'; readonly crash: Crash }
  | {
      readonly kind:
        | 'abort'
        | 'giveUp'
        | 'crash'
        | 'move'
        | 'freeze'
        | 'standby'
        | 'compact'
        | 'pause'
        | 'lose';
    };

const key = fc.constantFrom('a', 'b', 'c', 'd', 'ab', '');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      store: fc.constantFrom(...NAMES),
      key,
      value: fc.option(fc.constantFrom('1', '2', '3', ''), { freq: 3 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      crash: fc.option(fc.constantFrom<Exclude<Crash, null>[]>('drained', 'committed', 'applied'), {
        freq: 3,
      }),
    }),
  },
  ...(['abort', 'giveUp', 'crash', 'move', 'freeze', 'standby', 'compact', 'pause', 'lose'] as const).map(
    (kind) => ({
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant(kind) }),
    }),
  ),
);

/** A process with a state directory of its own. */
class Instance {
  readonly directory: string;
  readonly changelogs: MemoryChangelogs;
  state: KafkaState | null = null;
  stores: Record<StoreName, BytesStore> | null = null;
  changed = false;

  constructor(directory: string, changelogs: MemoryChangelogs) {
    this.directory = directory;
    this.changelogs = changelogs;
  }

  async open(): Promise<KafkaState> {
    this.state ??= await KafkaState.over({
      directory: this.directory,
      memoryBudgetBytes: 8 * 2 ** 20,
      clusterId: 'cluster',
      reader: this.changelogs.reader(),
      checkpointIntervalMs: 0,
    });
    return this.state;
  }

  async crash(): Promise<void> {
    // What a killed process had written is in the hands of the operating system; closing adds nothing to it.
    await this.state?.shutdown();
    this.state = null;
    this.stores = null;
  }

  drop(): void {
    this.state!.discard();
    this.state!.close(TASK);
    this.stores = null;
  }
}

/** Two instances, one task, and what was committed according to a naive model. */
class World {
  readonly changelogs = new MemoryChangelogs();
  readonly instances: readonly [Instance, Instance];
  readonly committed: Record<StoreName, Map<string, string>> = {
    kept: new Map(),
    held: new Map(),
    loose: new Map(),
  };
  open: Record<StoreName, Map<string, string>>;
  offset = 0;
  owner = 0;
  /** An instance that has lost the task and does not know it. */
  zombie: Instance | null = null;
  /** The instance whose local state the last commit reached. */
  appliedBy: Instance | null = null;

  constructor(directory: string) {
    for (const { name } of STORES.slice(0, 2)) this.changelogs.create(changelogTopicName('app', name), 2);
    this.instances = [
      new Instance(join(directory, '0'), this.changelogs),
      new Instance(join(directory, '1'), this.changelogs),
    ];
    this.open = copyOf(this.committed);
  }

  get here(): Instance {
    return this.instances[this.owner]!;
  }

  get other(): Instance {
    return this.instances[1 - this.owner]!;
  }

  get positions(): readonly CommittedPosition[] {
    return [
      { applicationId: 'app', topic: 'in', partition: 1, offset: this.offset, partitionTimeMs: this.offset },
    ];
  }

  async start(): Promise<void> {
    const { here } = this;
    const state = await here.open();
    state.endStandby(TASK);
    await state.restore(TASK, undefined, this.positions);
    here.stores = Object.fromEntries(
      STORES.map(({ name, residence }) => [name, state.open(locationOf(name), residence)]),
    ) as Record<StoreName, BytesStore>;
    if (this.appliedBy !== here || this.offset === 0) this.committed.loose.clear();
    this.appliedBy = here;
    this.open = copyOf(this.committed);
    this.check();
  }

  check(): void {
    const { stores, state } = this.here;
    for (const name of NAMES) {
      assert.deepEqual(contentOf(stores![name]), sorted(this.open[name]), `open ${name}`);
      assert.deepEqual(
        contentOf(state!.openCommitted(locationOf(name))),
        sorted(this.committed[name]),
        `committed ${name}`,
      );
    }
  }

  async run(next: Step): Promise<void> {
    switch (next.kind) {
      case 'put':
        this.here.stores![next.store].put(
          Buffer.from(next.key),
          next.value === null ? null : Buffer.from(next.value),
        );
        if (next.value === null) this.open[next.store].delete(next.key);
        else this.open[next.store].set(next.key, next.value);
        this.here.changed = true;
        return;
      case 'commit':
        return this.commit(next.crash);
      case 'abort':
        this.drain(new MemoryTransaction(), 'aborted');
        this.here.drop();
        return this.start();
      case 'giveUp':
        // Before anything was sent; the stores are open still.
        this.here.state!.discard();
        this.open = copyOf(this.committed);
        this.check();
        this.here.drop();
        return this.start();
      case 'crash':
        await this.here.crash();
        return this.start();
      case 'move':
        this.here.state!.close(TASK);
        this.here.stores = null;
        return this.changeOwner();
      case 'freeze':
        await this.wakeZombie();
        this.zombie = this.here;
        return this.changeOwner();
      case 'standby': {
        await this.wakeZombie();
        (await this.other.open()).standby(TASK);
        return;
      }
      case 'compact':
        return this.changelogs.compact();
      case 'pause':
        // Lets answers arrive and standbys read.
        await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setImmediate(resolve));
        return;
      case 'lose':
        return this.wakeZombie();
    }
  }

  private async changeOwner(): Promise<void> {
    if (this.zombie === this.other) await this.wakeZombie();
    this.owner = 1 - this.owner;
    await this.start();
  }

  /** The frozen instance goes on: it drains and sends, is refused, and gives up. */
  private async wakeZombie(): Promise<void> {
    const { zombie } = this;
    this.zombie = null;
    if (zombie === null) return;
    const transaction = new MemoryTransaction();
    zombie.stores!.kept.put(Buffer.from('zombie'), Buffer.from('1'));
    zombie.state!.drain((topic, partition, recordKey, value) =>
      this.changelogs.append({ topic, partition }, recordKey, value, transaction),
    );
    this.changelogs.finish(transaction, 'aborted');
    zombie.drop();
    await Promise.resolve();
  }

  private drain(transaction: MemoryTransaction, outcome: 'committed' | 'aborted' | null): void {
    this.here.state!.drain((topic, partition, recordKey, value) =>
      this.changelogs.append({ topic, partition }, recordKey, value, transaction),
    );
    if (outcome !== null) this.changelogs.finish(transaction, outcome);
  }

  private async commit(crash: Crash): Promise<void> {
    const transaction = new MemoryTransaction();
    this.drain(transaction, null);
    this.check();
    if (crash === 'drained') {
      await this.here.crash();
      // The coordinator aborts what the dead process has left open; the restore waits for it.
      setTimeout(() => this.changelogs.finish(transaction, 'aborted'), 2);
      return this.start();
    }
    this.offset += 1;
    this.changelogs.finish(transaction, 'committed');
    for (const name of NAMES) this.committed[name] = new Map(this.open[name]);
    if (crash === 'committed') {
      this.appliedBy = null;
      await this.here.crash();
      return this.start();
    }
    this.here.state!.committed(this.positions);
    this.appliedBy = this.here;
    if (crash === 'applied') {
      await this.here.crash();
      return this.start();
    }
    this.check();
  }

  async end(): Promise<void> {
    for (const instance of this.instances) await instance.crash();
  }
}

function locationOf(storeName: string): StoreLocation {
  return { applicationId: 'app', storeName, partition: TASK.partition };
}

function copyOf(
  maps: Readonly<Record<StoreName, ReadonlyMap<string, string>>>,
): Record<StoreName, Map<string, string>> {
  return { kept: new Map(maps.kept), held: new Map(maps.held), loose: new Map(maps.loose) };
}

function contentOf(store: BytesStore): [string, string][] {
  return [...store.scan(null, null, false)].map((entry) => [entry.key.toString(), entry.value.toString()]);
}

function sorted(map: ReadonlyMap<string, string>): [string, string][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

test(`after every restore the stores are what was committed (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) =>
      withTemporaryDirectory(async (directory) => {
        const world = new World(directory);
        try {
          await world.start();
          for (const each of steps) await world.run(each);
          world.check();
          await world.run({ kind: 'move' });
        } finally {
          await world.end();
        }
      }),
    ),
    { seed: SEED, numRuns: RUNS },
  );
});

test(`a standby comes to hold what is committed while it is written (seed ${SEED})`, async () => {
  const puts = fc.array(fc.tuple(key, fc.option(fc.constantFrom('1', '2'), { freq: 4 })), {
    minLength: 1,
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(puts, (changes) =>
      withTemporaryDirectory(async (directory) => {
        const world = new World(directory);
        try {
          await world.start();
          await world.run({ kind: 'standby' });
          for (const [each, value] of changes) {
            await world.run({ kind: 'put', store: 'held', key: each, value });
            await world.run({ kind: 'put', store: 'kept', key: each, value });
            await world.run({ kind: 'commit', crash: null });
          }
          const standby = world.other.state!;
          await until('the standby has caught up', () => standby.lag().every(({ lag }) => lag === 0));
          for (const name of ['kept', 'held'] as const) {
            assert.deepEqual(
              contentOf(standby.openCommitted(locationOf(name))),
              sorted(world.committed[name]),
            );
          }
        } finally {
          await world.end();
        }
      }),
    ),
    { seed: SEED, numRuns: 15 },
  );
});
