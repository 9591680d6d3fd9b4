import type { LogEngine } from '../log/log.ts';
import type { TopicPartition } from '../record.ts';
import { type ApplicationDefinition, internalTopicName } from '../task/application.ts';
import { lagOf, topicsReadBy } from './lag.ts';

/** An engine whose applications can be reset while none of them runs. */
export interface ResettableEngine extends LogEngine {
  /**
   * Drops the stores of an application, with their changelogs, and lets it begin at the positions; on the embedded log all at once or not at all.
   * @throws LogError LOG_PARTICIPANT_ATTACHED while it runs
   */
  resetApplication(
    applicationId: string,
    positions: readonly (TopicPartition & { readonly offset: number })[],
    storeNames: readonly string[],
  ): Promise<void>;
}

export interface PositionChange extends TopicPartition {
  /** null: nothing was committed yet. */
  readonly from: number | null;
  readonly to: number;
  readonly earliest: number;
  readonly latest: number;
}

/** What a reset would do. */
export interface ResetPlan {
  readonly applicationId: string;
  readonly positions: readonly PositionChange[];
  /** Names of the stores it drops. */
  readonly stores: readonly string[];
  /** Topics that get the results again, after those that were written before. */
  readonly writesAgain: readonly string[];
  /** Input that retention has removed: what came of it is lost with the stores. */
  readonly missing: readonly TopicPartition[];
}

/**
 * Plans a reset: every input begins at the place given, topics of the application's own at their end, as what is in them is written again;
 * topics of global stores at their beginning, as these stores are made of them alone.
 * @param offsetOf the offset of the place in a partition
 * @throws LogError
 */
export async function planReset(
  engine: LogEngine,
  application: ApplicationDefinition,
  offsetOf: (
    partition: TopicPartition,
    held: { readonly earliest: number; readonly latest: number },
  ) => Promise<number>,
): Promise<ResetPlan> {
  const { applicationId, topology } = application;
  const own = new Set(
    [...topology.internalTopics.keys()].map((name) => internalTopicName(applicationId, name)),
  );
  const global = new Set([...topology.globalStores.values()].flatMap(({ source }) => source.topics));
  const committed = new Map(
    (await lagOf(engine, [application])).map(({ topic, partition, position }) => [
      `${topic}/${partition}`,
      position,
    ]),
  );
  const present = new Set(await engine.admin.listTopics());
  const positions: PositionChange[] = [];
  for (const topic of topicsReadBy(application)) {
    if (!present.has(topic)) continue;
    const { offsets } = await engine.admin.describeTopic(topic);
    for (const [partition, held] of offsets.entries()) {
      const to = own.has(topic)
        ? held.latest
        : global.has(topic)
          ? held.earliest
          : await offsetOf({ topic, partition }, held);
      positions.push({ topic, partition, from: committed.get(`${topic}/${partition}`) ?? null, to, ...held });
    }
  }
  const sinks = [...topology.nodes.values()].flatMap((node) =>
    node.kind === 'sink' && typeof node.topic === 'string' && !topology.internalTopics.has(node.topic)
      ? [node.topic]
      : [],
  );
  return {
    applicationId,
    positions,
    stores: [...topology.stores.keys(), ...topology.globalStores.keys()],
    writesAgain: [...new Set(sinks)],
    missing: positions
      .filter(({ topic, to, earliest }) => !own.has(topic) && to === earliest && earliest > 0)
      .map(({ topic, partition }) => ({ topic, partition })),
  };
}
