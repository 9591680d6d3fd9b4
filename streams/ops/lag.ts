import type { LogEngine, TopicDescription } from '../log/log.ts';
import type { TopicPartition } from '../record.ts';
import { type ApplicationDefinition, internalTopicName } from '../task/application.ts';

/** How far an application has come in a partition it reads. */
export interface PartitionLag {
  readonly applicationId: string;
  readonly topic: string;
  readonly partition: number;
  /** The next offset it reads; null where it has committed none yet. */
  readonly position: number | null;
  readonly end: number;
  /** Records not yet read. On Kafka, where the ends of transactions take offsets as well, exact up to a thousand; above it those count too. */
  readonly lag: number;
}

/** A backlog above it is told by its offsets. */
const COUNTED_MAX = 1_000;
/** Counts under way at a time: a reader has few consumers. */
const COUNTS_AT_ONCE = 3;

/** Counts the records before an application, where not each offset is one. Kept for the next look, it reads only where something has moved. */
export class BacklogCounter {
  readonly #engine: Pick<LogEngine, 'kind' | 'reader'>;
  #before = new Map<string, Promise<number>>();
  #now = new Map<string, Promise<number>>();

  constructor(engine: Pick<LogEngine, 'kind' | 'reader'>) {
    this.#engine = engine;
  }

  /** Begins a look: what the one before the last had counted is forgotten. */
  begin(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }

  /** Records from an offset on, to before another one. @throws LogError */
  count(partition: TopicPartition, from: number, to: number): Promise<number> {
    if (this.#engine.kind === 'embedded' || from >= to || to - from > COUNTED_MAX)
      return Promise.resolve(Math.max(0, to - from));
    const name = `${partition.topic}/${partition.partition}/${from}/${to}`;
    const count = this.#now.get(name) ?? this.#before.get(name) ?? this.#read(partition, from, to);
    this.#now.set(name, count);
    return count;
  }

  async #read(partition: TopicPartition, from: number, to: number): Promise<number> {
    const records = await this.#engine.reader.read(partition, from, COUNTED_MAX);
    return records.filter(({ offset }) => offset < to).length;
  }
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
 * How far applications are behind what is committed, running or not. A topic that is not there yet is left out; on Kafka those of global stores
 * are as well, which each process reads whole, outside of the group, so that no position tells how far.
 * @throws LogError
 */
export async function lagOf(
  engine: Pick<LogEngine, 'admin' | 'kind' | 'reader'>,
  applications: readonly ApplicationDefinition[],
  counter: BacklogCounter = new BacklogCounter(engine),
): Promise<readonly PartitionLag[]> {
  counter.begin();
  const present = new Set(await engine.admin.listTopics());
  // Positions before ends: what is appended in between counts as lag, and none is negative.
  const positions = new Map<string, number>();
  for (const { applicationId } of applications)
    for (const { topic, partition, offset } of await engine.admin.committedPositions(applicationId))
      positions.set(`${applicationId}/${topic}/${partition}`, offset);
  const described = new Map<string, TopicDescription['offsets']>();
  const open: (() => Promise<PartitionLag>)[] = [];
  for (const application of applications) {
    const { applicationId, topology } = application;
    const unknown = engine.kind === 'kafka' ? [...topology.globalStores.values()] : [];
    const global = new Set(unknown.flatMap(({ source }) => source.topics));
    for (const topic of topicsReadBy(application)) {
      if (!present.has(topic) || global.has(topic)) continue;
      const offsets = described.get(topic) ?? (await engine.admin.describeTopic(topic)).offsets;
      described.set(topic, offsets);
      for (const [partition, { earliest, latest: end }] of offsets.entries()) {
        const position = positions.get(`${applicationId}/${topic}/${partition}`) ?? null;
        const from = Math.max(position ?? earliest, earliest);
        open.push(async () => {
          const lag = await counter.count({ topic, partition }, from, end);
          return { applicationId, topic, partition, position, end, lag };
        });
      }
    }
  }
  const lags: PartitionLag[] = [];
  for (let at = 0; at < open.length; at += COUNTS_AT_ONCE)
    lags.push(...(await Promise.all(open.slice(at, at + COUNTS_AT_ONCE).map((count) => count()))));
  return lags;
}
