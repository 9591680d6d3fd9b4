import { changelogTopicName } from '../../../streams/log/kafka/state/index.ts';
import type { LogEngine, TopicDescription } from '../../../streams/log/log.ts';
import { BacklogCounter, lagOf, type PartitionLag } from '../../../streams/ops/lag.ts';
import type { Application } from '../../../topologies/applications.ts';
import { HOUSE_COMMANDS } from '../../../topologies/market-maker/topics.ts';
import { BOOKS, RESTING_ORDERS } from '../../../topologies/matching/stores.ts';
import { MARKET_DEPTH, ORDER_EVENTS } from '../../../topologies/matching/topics.ts';
import { STORES } from '../../../topologies/orders/stores.ts';
import {
  ACCOUNT_UPDATES,
  ORDER_COMMANDS,
  ORDER_UPDATES,
  ORDERS_ACCEPTED,
  TRADE_EVENTS,
} from '../../../topologies/orders/topics.ts';
import { TOPICS } from '../../../topologies/topics.ts';
import { ServingError } from '../../errors.ts';
import type { ChangelogStores, KnownStore } from '../storeBytes.ts';
import type { ApplicationLag, LogCut, VerifiedLog } from './evidence.ts';

export interface CutOptions {
  readonly engine: LogEngine;
  readonly applications: readonly Application[];
  readonly stores: ChangelogStores;
  /** How long each step waits: for what was there at the beginning to be worked off, and for a moment at which nothing moves. */
  readonly withinMs: number;
  readonly wallClock: () => number;
  readonly onStep: (step: string) => void;
}

/** The trading flow against its direction: ends taken in this order leave no outcome without its cause. */
const FLOW = [
  ...[ORDER_UPDATES, ACCOUNT_UPDATES, TRADE_EVENTS, MARKET_DEPTH],
  ...[ORDER_EVENTS, ORDERS_ACCEPTED, HOUSE_COMMANDS, ORDER_COMMANDS],
].map(({ name }) => name);
/** Applications of the flow, and the stores of theirs that are compared with the log. */
const FLOW_STORES: Readonly<Record<string, readonly string[]>> = {
  orders: [STORES.accounts, STORES.positions, STORES.orders, STORES.openLimits],
  matching: [RESTING_ORDERS, BOOKS],
};
const FLOW_IDS = Object.keys(FLOW_STORES);
/** A command is taken by orders, then by matching, and what came of it by orders again. */
const HOPS = 3;
const POLL_MS = 100;

type Ends = ReadonlyMap<string, TopicDescription>;

interface Look {
  readonly positions: ReadonlyMap<string, number>;
  readonly ends: Ends;
  readonly changelogs: readonly number[];
}

/** Takes a cut through a deployment on Kafka, without a trace in it. */
class CutTaker {
  readonly #options: CutOptions;
  readonly #counter: BacklogCounter;
  readonly #present: ReadonlySet<string>;
  readonly #stores: readonly KnownStore[];
  readonly #idle = new Set<string>();

  constructor(options: CutOptions, present: ReadonlySet<string>) {
    this.#options = options;
    this.#counter = new BacklogCounter(options.engine);
    this.#present = present;
    this.#stores = options.applications.flatMap(({ applicationId, topology }) =>
      (FLOW_STORES[applicationId] ?? []).flatMap((name) => {
        const builder = topology.stores.get(name);
        return builder === undefined ? [] : [{ application: applicationId, builder, global: false }];
      }),
    );
    const missing = [
      ...FLOW.filter((name) => name !== HOUSE_COMMANDS.name),
      ...this.#stores.map(({ application, builder }) => changelogTopicName(application, builder.name)),
    ].find((name) => !present.has(name));
    if (missing !== undefined)
      throw new ServingError(
        'SERVING_NOT_FOUND',
        `there is no topic ${missing}: nothing of Opentape's trading flow has run on these brokers`,
      );
  }

  async take(): Promise<VerifiedLog> {
    const { engine, applications, withinMs, onStep } = this.#options;
    onStep('ends and positions');
    const first = await this.#describe(FLOW);
    const targets = await lagOf(engine, applications);
    onStep('waiting for what there is to be worked off');
    const lag = await this.#workedOff(targets);
    const flowing = applications.filter(({ applicationId }) => FLOW_IDS.includes(applicationId));
    let waited = lag.every(({ applicationId }) => !FLOW_IDS.includes(applicationId));
    for (let hop = 1; hop < HOPS && waited; hop += 1)
      waited = (await this.#workedOff(await lagOf(engine, flowing))).length === 0;
    onStep('stores from their changelogs');
    const others = await this.#describe(
      TOPICS.map(({ name }) => name).filter((name) => !FLOW.includes(name) && this.#present.has(name)),
    );
    const untilMs = performance.now() + withinMs;
    let settled = false;
    let look: Look;
    do {
      const before = await this.#look();
      await this.#options.stores.renew(this.#stores);
      look = await this.#look();
      settled = fingerprint(before) === fingerprint(look) && (await this.#nothingLeft(look));
    } while (!settled && waited && performance.now() < untilMs);
    const cut: LogCut = {
      settled,
      mayBeOnItsWay: ({ topic, partition, offset }) =>
        !settled && (!waited || offset >= (first.get(topic)?.offsets[partition]?.latest ?? 0)),
      keptFromMs: (topic) => this.#keptFromMs(look.ends.get(topic)),
      lag,
      beyond: targets.flatMap(({ applicationId, topic, partition, position, end }) =>
        position !== null && position > end ? [{ applicationId, topic, partition, lag: position - end }] : [],
      ),
      idle: this.#idle,
    };
    return verifiedLog(
      this.#options,
      new Map([...others, ...look.ends]),
      this.#positions(targets, look, settled),
      cut,
      this.#stores,
    );
  }

  /** Ends of topics, one after the other; what is not there is left out. */
  async #describe(names: readonly string[]): Promise<Ends> {
    const found = new Map<string, TopicDescription>();
    for (const name of names)
      if (this.#present.has(name)) found.set(name, await this.#options.engine.admin.describeTopic(name));
    return found;
  }

  async #committed(applicationId: string): Promise<ReadonlyMap<string, number>> {
    const positions = await this.#options.engine.admin.committedPositions(applicationId);
    return new Map(
      positions.map(({ topic, partition, offset }) => [`${applicationId}/${topic}/${partition}`, offset]),
    );
  }

  /** Waits until positions have come as far as the ends in `targets`; what is left after the time is the answer. */
  async #workedOff(targets: readonly PartitionLag[]): Promise<readonly ApplicationLag[]> {
    const untilMs = performance.now() + this.#options.withinMs;
    let left = targets.filter(({ lag }) => lag > 0);
    const begun = left;
    const moved = new Set<string>();
    while (left.length > 0) {
      const positions = new Map<string, number>();
      for (const id of new Set(left.map(({ applicationId }) => applicationId)))
        for (const [name, offset] of await this.#committed(id)) positions.set(name, offset);
      this.#counter.begin();
      const open: PartitionLag[] = [];
      for (const target of left) {
        const { applicationId, topic, partition, end } = target;
        const position = positions.get(`${applicationId}/${topic}/${partition}`) ?? null;
        if (position !== target.position) moved.add(applicationId);
        const lag = await this.#counter.count({ topic, partition }, position ?? end - target.lag, end);
        if (lag > 0) open.push({ ...target, position, lag });
      }
      left = open;
      if (left.length === 0 || performance.now() > untilMs) break;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    for (const { applicationId } of begun) if (!moved.has(applicationId)) this.#idle.add(applicationId);
    return left.map(({ applicationId, topic, partition, lag }) => ({ applicationId, topic, partition, lag }));
  }

  async #look(): Promise<Look> {
    const positions = new Map<string, number>();
    for (const id of FLOW_IDS)
      for (const [name, offset] of await this.#committed(id))
        if (FLOW.some((topic) => name.startsWith(`${id}/${topic}/`))) positions.set(name, offset);
    const logs = await this.#describe(
      this.#stores.map(({ application, builder }) => changelogTopicName(application, builder.name)),
    );
    const changelogs = [...logs.values()].flatMap(({ offsets }) => offsets.map(({ latest }) => latest));
    return { positions, changelogs, ends: await this.#describe(FLOW) };
  }

  /** Whether positions are at the ends; ends of transactions may lie in between. */
  async #nothingLeft({ positions, ends }: Look): Promise<boolean> {
    this.#counter.begin();
    for (const [applicationId, topics] of INPUTS)
      for (const topic of topics)
        for (const [partition, { earliest, latest }] of (ends.get(topic)?.offsets ?? []).entries()) {
          const position = positions.get(`${applicationId}/${topic}/${partition}`) ?? earliest;
          if ((await this.#counter.count({ topic, partition }, position, latest)) > 0) return false;
        }
    return true;
  }

  /** Where nothing was left, an application is at the end, whatever ends of transactions lie before it. */
  #positions(targets: readonly PartitionLag[], look: Look, settled: boolean): ReadonlyMap<string, number> {
    const positions = new Map<string, number>();
    for (const { applicationId, topic, partition, position } of targets)
      if (position !== null) positions.set(`${applicationId}/${topic}/${partition}`, position);
    for (const [name, offset] of look.positions) positions.set(name, offset);
    if (settled)
      for (const [applicationId, topics] of INPUTS)
        for (const topic of topics)
          for (const [partition, { latest }] of (look.ends.get(topic)?.offsets ?? []).entries())
            positions.set(`${applicationId}/${topic}/${partition}`, latest);
    return positions;
  }

  /** Retention removes whole stretches, once the youngest record in them is older than it. */
  #keptFromMs(topic: TopicDescription | undefined): number | null {
    return topic === undefined || topic.retentionMs === null
      ? null
      : this.#options.wallClock() - topic.retentionMs;
  }
}

/** What the applications of the flow read of it. */
const INPUTS: readonly (readonly [applicationId: string, topics: readonly string[]])[] = [
  ['orders', [ORDER_COMMANDS.name, HOUSE_COMMANDS.name, ORDER_EVENTS.name]],
  ['matching', [ORDERS_ACCEPTED.name]],
];

function fingerprint({ positions, ends, changelogs }: Look): string {
  return JSON.stringify([
    [...positions].sort(([a], [b]) => (a < b ? -1 : 1)),
    [...ends.values()].map(({ offsets }) => offsets.map(({ latest }) => latest)),
    changelogs,
  ]);
}

function verifiedLog(
  { engine, stores }: CutOptions,
  topics: Ends,
  positions: ReadonlyMap<string, number>,
  cut: LogCut,
  held: readonly KnownStore[],
): VerifiedLog {
  const describe = (name: string): TopicDescription => {
    const found = topics.get(name);
    if (found !== undefined) return found;
    throw new ServingError('SERVING_NOT_FOUND', `topic ${name} is not in the cut`);
  };
  const offsets = (topic: string, partition: number) => describe(topic).offsets[partition];
  return {
    kind: 'kafka',
    cut,
    reader: engine.reader,
    admin: {
      listTopics: () => Promise.resolve([...topics.keys()]),
      describeTopic: (name) => Promise.resolve(describe(name)),
    },
    state: {
      list: () =>
        held.flatMap(({ application, builder }) =>
          stores.restored(application, builder.name).map((partition) => ({
            applicationId: application,
            storeName: builder.name,
            partition,
          })),
        ),
      openCommitted: (place) => stores.open(place),
    },
    earliest: (topic, partition) => offsets(topic, partition)?.earliest ?? 0,
    committedEnd: (topic, partition) => offsets(topic, partition)?.latest ?? 0,
    positions: (applicationId) =>
      [...positions].flatMap(([name, offset]) => {
        const [id, topic, partition] = name.split('/') as [string, string, string];
        return id === applicationId
          ? [{ applicationId: id, topic, partition: Number(partition), offset }]
          : [];
      }),
  };
}

/**
 * Takes a cut through a deployment on Kafka: waits, for a bounded time, until what was there at the beginning is worked off, then for a
 * moment at which nothing of the trading flow moves, and reads the stores from their changelogs. Where no such moment comes the cut says so.
 * @throws ServingError SERVING_NOT_FOUND where nothing has run there; LogError
 */
export async function takeKafkaCut(options: CutOptions): Promise<VerifiedLog> {
  return new CutTaker(options, new Set(await options.engine.admin.listTopics())).take();
}
