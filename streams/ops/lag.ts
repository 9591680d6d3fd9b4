import type { LogEngine } from '../log/log.ts';
import { type ApplicationDefinition, internalTopicName } from '../task/application.ts';

/** How far an application has come in a partition it reads. */
export interface PartitionLag {
  readonly applicationId: string;
  readonly topic: string;
  readonly partition: number;
  /** The next offset it reads; null where it has committed none yet. */
  readonly position: number | null;
  readonly end: number;
  readonly lag: number;
}

/** Topics read by an application, by the names the log knows, those of its global stores included. */
export function topicsReadBy({ applicationId, topology }: ApplicationDefinition): readonly string[] {
  const names: string[] = [];
  for (const node of topology.nodes.values()) if (node.kind === 'source') names.push(...node.topics);
  for (const { source } of topology.globalStores.values()) names.push(...source.topics);
  return [...new Set(names)].map((name) =>
    topology.internalTopics.has(name) ? internalTopicName(applicationId, name) : name,
  );
}

/**
 * How far applications are behind what is committed, running or not. A topic that is not there yet is left out.
 * @throws LogError
 */
export async function lagOf(
  engine: Pick<LogEngine, 'admin'>,
  applications: readonly ApplicationDefinition[],
): Promise<readonly PartitionLag[]> {
  const present = new Set(await engine.admin.listTopics());
  const lags: PartitionLag[] = [];
  for (const application of applications) {
    const { applicationId } = application;
    // Positions before ends: what is appended in between counts as lag, and none is negative.
    const positions = new Map(
      (await engine.admin.committedPositions(applicationId)).map(({ topic, partition, offset }) => [
        `${topic}/${partition}`,
        offset,
      ]),
    );
    for (const topic of topicsReadBy(application)) {
      if (!present.has(topic)) continue;
      const { offsets } = await engine.admin.describeTopic(topic);
      for (const [partition, { earliest, latest }] of offsets.entries()) {
        const position = positions.get(`${topic}/${partition}`) ?? null;
        const lag = Math.max(0, latest - Math.max(position ?? earliest, earliest));
        lags.push({ applicationId, topic, partition, position, end: latest, lag });
      }
    }
  }
  return lags;
}
