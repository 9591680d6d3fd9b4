import { EXTERNAL_TOPICS } from '../../../topologies/topics.ts';
import type { Edge, Graph } from '../../app/ops/model.ts';
import { snapshotsOf } from '../deployments.ts';
import type { OperatorSubject } from '../subject.ts';

/** The map of the applications and their topics, as in topologies/MAP.md. */
export function graphOf(
  { applications, engine }: OperatorSubject,
  { version, startedAtMs }: { readonly version: string; readonly startedAtMs: number },
): Graph {
  const edges: Edge[] = [];
  const topics = new Set(EXTERNAL_TOPICS.map(({ name }) => name));
  const internal = new Set<string>();
  for (const { applicationId, reads, readsGlobally, writes, internalTopics } of snapshotsOf(applications, {
    kind: 'embedded',
  })) {
    const application = `application/${applicationId}`;
    for (const name of [...reads, ...readsGlobally, ...writes]) topics.add(name);
    for (const name of internalTopics) internal.add(name);
    for (const name of reads) edges.push({ from: `topic/${name}`, to: application, global: false });
    for (const name of readsGlobally) edges.push({ from: `topic/${name}`, to: application, global: true });
    for (const name of writes) edges.push({ from: application, to: `topic/${name}`, global: false });
  }
  return {
    version,
    startedAtMs,
    engine: engine.kind,
    applications: applications.map(({ applicationId }) => applicationId),
    topics: [...topics].map((name) => ({
      name,
      external: EXTERNAL_TOPICS.some((topic) => topic.name === name),
      internal: internal.has(name),
    })),
    edges,
  };
}
