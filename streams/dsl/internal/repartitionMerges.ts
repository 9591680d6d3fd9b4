import type { AnySerde } from './handles.ts';

/** A repartition topic that an operator needs, as it was declared. */
export interface RepartitionRequest {
  /** The node whose records go through it. */
  readonly from: string;
  readonly source: string;
  readonly topic: string;
  readonly keySerde: AnySerde;
  readonly valueSerde: AnySerde;
}

/** Requests that one topic serves: that of the first, right behind the node where their ways part. */
export interface RepartitionMerge {
  readonly root: string;
  readonly leader: RepartitionRequest;
  readonly sources: readonly string[];
}

/** What is wired differently where repartition topics are merged. */
export interface MergePlan {
  readonly merges: readonly RepartitionMerge[];
  /** The source of each topic that takes part, by what stands in its place. */
  readonly inPlaceOf: ReadonlyMap<string, string>;
  /** Filters that move behind a merged topic, with the source they take from there. */
  readonly moved: ReadonlyMap<string, string>;
  /** Topics that went into another. */
  readonly topics: ReadonlyMap<string, string>;
}

interface Way {
  readonly request: RepartitionRequest;
  readonly root: string;
  /** From the root to the topic. */
  readonly filters: readonly string[];
}

/** @param filters each with the node it takes from @param readers how many take from a node */
function wayOf(
  request: RepartitionRequest,
  filters: ReadonlyMap<string, string>,
  readers: ReadonlyMap<string, number>,
): Way {
  const passed: string[] = [];
  let root = request.from;
  // What others read as well stays where it is: they get every record, in its own task.
  for (
    let above = filters.get(root);
    above !== undefined && readers.get(root) === 1;
    above = filters.get(root)
  ) {
    passed.unshift(root);
    root = above;
  }
  return { request, root, filters: passed };
}

function together(a: Way, b: Way): boolean {
  return (
    a.root === b.root &&
    a.request.keySerde === b.request.keySerde &&
    a.request.valueSerde === b.request.valueSerde
  );
}

/**
 * Finds the repartition topics of which only filters of one stream are different, in the same encoding: one topic before the filters serves them
 * all, as Kafka Streams' optimizer has it. It keeps the name of the first.
 */
export function planMerges(
  requests: readonly RepartitionRequest[],
  filters: ReadonlyMap<string, string>,
  readers: ReadonlyMap<string, number>,
): MergePlan {
  const ways = requests.map((request) => wayOf(request, filters, readers));
  const plan = {
    merges: [] as RepartitionMerge[],
    inPlaceOf: new Map<string, string>(),
    moved: new Map<string, string>(),
    topics: new Map<string, string>(),
  };
  ways.forEach((first, at) => {
    const { request: leader, root } = first;
    if (plan.inPlaceOf.has(leader.source)) return;
    const group = ways.slice(at).filter((way) => together(first, way));
    if (group.length < 2) return;
    plan.merges.push({ root, leader, sources: group.map(({ request }) => request.source) });
    for (const { request, filters: passed } of group) {
      plan.inPlaceOf.set(request.source, passed.at(-1) ?? leader.source);
      plan.topics.set(request.topic, leader.topic);
      if (passed[0] !== undefined) plan.moved.set(passed[0], leader.source);
    }
  });
  return plan;
}
