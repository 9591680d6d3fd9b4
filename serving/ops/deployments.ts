import { z } from 'zod';
import type { Serdes } from '../../schemas/serdes.ts';
import type { LogEngine, LogProducer } from '../../streams/log/log.ts';
import { makeNotes, noteRecord, readNotes } from '../../streams/ops/keyedNotes.ts';
import { snapshotOf, type TopologySnapshot } from '../../streams/ops/topologySnapshot.ts';
import type { ApplicationDefinition } from '../../streams/task/application.ts';
import { type ApplicationOptions, applications } from '../../topologies/applications.ts';
import { TOPICS } from '../../topologies/topics.ts';
import { ServingError } from '../errors.ts';
import type { Operation } from './operation.ts';
import { storeTraits } from './storeTraits.ts';

/** The topic on which each start notes what it deployed: the newest description of each application. */
export const DEPLOYMENTS_TOPIC = '_opentape.deployments';

const names = z.array(z.string());
export const topologySnapshot: z.ZodType<TopologySnapshot> = z.object({
  applicationId: z.string(),
  reads: names,
  readsGlobally: names,
  writes: names,
  internalTopics: names,
  partitions: z.record(z.string(), z.number().int().positive()),
  stores: z.array(
    z.object({
      name: z.string(),
      ...storeTraits,
      topics: names,
    }),
  ),
  subtopologies: z.array(names),
});

const deployment = z.object({
  version: z.string(),
  deployedAt: z.string(),
  topology: topologySnapshot,
});

/** What was deployed of an application, by which version and when. */
export type Deployment = z.infer<typeof deployment>;

/** The engine as far as it decides how many partitions topics are made with. */
export type DeployedEngine =
  | { readonly kind: 'embedded' }
  | { readonly kind: 'kafka'; readonly partitionsMax: number };

/** What a start would deploy on an engine, without a log. */
export function snapshotsOf(
  applications: readonly ApplicationDefinition[],
  engine: DeployedEngine,
): readonly TopologySnapshot[] {
  const most = engine.kind === 'kafka' ? engine.partitionsMax : Number.POSITIVE_INFINITY;
  const counts = new Map(
    TOPICS.map(({ name, partitions }) => [name, Math.min(partitions[engine.kind], most)]),
  );
  return applications.map(({ applicationId, topology }) =>
    snapshotOf(applicationId, topology, (topic) => counts.get(topic) ?? null),
  );
}

/** Applications that write a topic. */
export function describedWriters(
  topic: string,
  serdes: Serdes,
  settings: ApplicationOptions,
): readonly string[] {
  return snapshotsOf(applications(serdes, settings), { kind: 'embedded' })
    .filter(({ writes }) => writes.includes(topic))
    .map(({ applicationId }) => applicationId);
}

/** What was deployed last; empty where no start has noted anything. @throws ServingError SERVING_CONFIG where a note cannot be read */
export async function readDeployments(engine: LogEngine): Promise<readonly Deployment[]> {
  const found: Deployment[] = [];
  for (const [key, text] of await readNotes(engine, DEPLOYMENTS_TOPIC)) {
    try {
      found.push(deployment.parse(JSON.parse(text)));
    } catch (cause) {
      throw new ServingError(
        'SERVING_CONFIG',
        `${DEPLOYMENTS_TOPIC} holds no description of ${key} that this version can read`,
        { cause },
      );
    }
  }
  return found;
}

/** Who deploys, when and where. */
export interface DeployedBy {
  readonly version: string;
  readonly nowMs: number;
  readonly deployed: DeployedEngine;
}

/**
 * Notes what runs from now on, where it differs from what ran before. An application that is gone is left noted: what it left behind is still
 * there, and says so in a comparison.
 */
export async function recordDeployments(
  engine: LogEngine,
  producer: LogProducer,
  applications: readonly ApplicationDefinition[],
  { version, nowMs, deployed }: DeployedBy,
): Promise<void> {
  await makeNotes(engine, DEPLOYMENTS_TOPIC);
  const before = await readDeployments(engine);
  const changed = snapshotsOf(applications, deployed).filter((snapshot) => {
    const known = before.find(({ topology }) => topology.applicationId === snapshot.applicationId);
    return JSON.stringify(known?.topology) !== JSON.stringify(topologySnapshot.parse(snapshot));
  });
  if (changed.length === 0) return;
  const deployedAt = new Date(nowMs).toISOString();
  await producer.send(
    changed.map((topology) =>
      noteRecord(DEPLOYMENTS_TOPIC, topology.applicationId, { version, deployedAt, topology }, nowMs),
    ),
  );
}

/** What was deployed last. */
export const deploymentsOperation: Operation<object, Deployment> = {
  name: 'deployments',
  params: z.strictObject({}),
  line: deployment,
  async *run({ subject }) {
    yield* await readDeployments(subject.engine);
  },
};
