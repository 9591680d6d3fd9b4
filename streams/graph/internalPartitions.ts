import { StreamsError } from '../errors.ts';
import type { Topology } from './topology.ts';

function countsOf(
  topics: readonly string[],
  known: ReadonlyMap<string, number>,
  topology: Topology,
  partitionsOf: (topic: string) => number,
): readonly number[] {
  return topics.flatMap((topic) => {
    if (!topology.internalTopics.has(topic)) return [partitionsOf(topic)];
    const count = known.get(topic);
    return count === undefined ? [] : [count];
  });
}

/**
 * How many partitions each internal topic gets: as many as declared; else as many as what it is joined with; else as many as the widest
 * topic read by the sub-topologies that write it, as in Kafka Streams.
 * @param partitionsOf partitions of a topic that is not the application's own
 * @throws StreamsError STREAMS_TOPOLOGY where the internal topics depend on nothing but one another
 */
export function internalPartitions(
  topology: Topology,
  partitionsOf: (topic: string) => number,
): ReadonlyMap<string, number> {
  const known = new Map<string, number>();
  for (const { name, partitions } of topology.internalTopics.values()) {
    if (partitions !== null) known.set(name, partitions);
  }
  const writtenFrom = (internal: string): readonly string[] =>
    topology
      .subtopologies()
      .filter(({ nodes }) => nodes.some((node) => node.kind === 'sink' && node.topic === internal))
      .flatMap(({ topics }) => topics);
  const open = [...topology.internalTopics.keys()].filter((name) => !known.has(name));
  while (open.length > 0) {
    // What is joined decides first; only then what writes.
    const settle = (topicsFor: (name: string) => readonly string[], complete: boolean): boolean => {
      for (const [index, name] of open.entries()) {
        const topics = topicsFor(name).filter((topic) => topic !== name);
        const counts = countsOf(topics, known, topology, partitionsOf);
        if (counts.length === 0 || (complete && counts.length < topics.length)) continue;
        known.set(name, Math.max(...counts));
        open.splice(index, 1);
        return true;
      }
      return false;
    };
    const joined = (name: string): readonly string[] =>
      topology.copartitionGroups
        .filter((group) => group.includes(name))
        .flat()
        .filter((topic) => !topology.internalTopics.has(topic) || known.has(topic));
    if (settle(joined, false) || settle(writtenFrom, true) || settle(writtenFrom, false)) continue;
    throw new StreamsError(
      'STREAMS_TOPOLOGY',
      `the internal topics ${open.join(', ')} are written from nothing but one another; declare their partitions`,
    );
  }
  return known;
}

/** Which topics must have one number of partitions: those of groups that share a topic, together. */
function joinedTogether(groups: readonly (readonly string[])[]): readonly ReadonlySet<string>[] {
  let together: ReadonlySet<string>[] = [];
  for (const group of groups) {
    const touched = together.filter((each) => group.some((topic) => each.has(topic)));
    const joined = new Set([...touched.flatMap((each) => [...each]), ...group]);
    together = [...together.filter((each) => !touched.includes(each)), joined];
  }
  return together;
}

/**
 * Finds before anything is known of the log what can never run: topics of the application's own that are joined and declared with different
 * numbers of partitions. What depends on topics of others is found when the application starts.
 * @throws StreamsError STREAMS_COPARTITION naming them
 */
export function checkDeclaredPartitions(topology: Topology): void {
  for (const topics of joinedTogether(topology.copartitionGroups)) {
    const declared = [...topics].flatMap((topic) => {
      const partitions = topology.internalTopics.get(topic)?.partitions ?? null;
      return partitions === null ? [] : [{ topic, partitions }];
    });
    if (new Set(declared.map(({ partitions }) => partitions)).size < 2) continue;
    throw new StreamsError(
      'STREAMS_COPARTITION',
      `topics that are joined need the same number of partitions, but ${declared.map(({ topic, partitions }) => `${topic} is declared with ${partitions}`).join(', ')}; declare one number for all of them`,
    );
  }
}
