import type { StoreSnapshot, TopologySnapshot } from './topologySnapshot.ts';

/**
 * What becomes of something by a deployment. orphan: it stays where it is and nobody reads it any more. add: it begins empty.
 * repartition: what is stored lies by other partitions than the new version looks in. incompatible: the new version cannot read what is stored.
 * change: nothing stored is touched.
 */
export type ChangeKind = 'orphan' | 'add' | 'repartition' | 'incompatible' | 'change';

export interface TopologyChange {
  readonly applicationId: string;
  readonly kind: ChangeKind;
  /** What changes: `store positions`, `topic order.events`. */
  readonly what: string;
  /** What that means, in one line. */
  readonly consequence: string;
}

type Tell = (kind: ChangeKind, what: string, consequence: string) => void;

function missing(of: readonly string[], from: readonly string[]): readonly string[] {
  return of.filter((name) => !from.includes(name));
}

function diffTopics(before: TopologySnapshot, after: TopologySnapshot, tell: Tell): void {
  const all = ({ reads, readsGlobally }: TopologySnapshot): readonly string[] => [...reads, ...readsGlobally];
  const own = [...before.internalTopics, ...after.internalTopics];
  for (const name of missing(before.internalTopics, after.internalTopics))
    tell('orphan', `topic ${name}`, 'the topic of its own stays, with what was not yet read of it');
  for (const name of missing(after.internalTopics, before.internalTopics))
    tell('add', `topic ${name}`, 'is made at the start, empty');
  for (const name of missing(all(before), [...all(after), ...own]))
    tell('orphan', `position in ${name}`, 'is read no more; read again later it would go on from there');
  for (const name of missing(all(after), [...all(before), ...own]))
    tell('add', `input ${name}`, 'is read from its beginning, beside what the other inputs have come to');
  for (const name of missing(before.writes, [...after.writes, ...own]))
    tell('change', `output ${name}`, 'gets no more records of it');
  for (const name of missing(after.writes, [...before.writes, ...own]))
    tell('change', `output ${name}`, 'gets records of it from now on, none of what was processed before');
  for (const [name, count] of Object.entries(after.partitions)) {
    const was = before.partitions[name];
    if (was === undefined || was === count) continue;
    tell(
      'repartition',
      `topic ${name}`,
      `${was} partitions become ${count}: keys move, and what stores hold of them does not; copy the topic and reprocess`,
    );
  }
}

function diffStore(before: StoreSnapshot, after: StoreSnapshot, tell: Tell): void {
  const what = `store ${after.name}`;
  if (before.kind !== after.kind || before.layout !== after.layout) {
    const named = ({ kind, layout }: StoreSnapshot): string =>
      before.kind === after.kind ? `${kind} (${layout} rows)` : kind;
    tell(
      'incompatible',
      what,
      `${named(before)} becomes ${named(after)}, which cannot read what is stored; give it another name, reset or reprocess`,
    );
  }
  if (before.global !== after.global)
    tell(
      'incompatible',
      what,
      `${after.global ? 'becomes' : 'is no longer'} a global store; reset or reprocess`,
    );
  else if (before.topics.join() !== after.topics.join())
    tell(
      after.global ? 'incompatible' : 'repartition',
      what,
      `is filled by ${after.topics.join(', ')} instead of ${before.topics.join(', ')}; what it holds came of the latter`,
    );
  if (before.residence !== after.residence)
    tell('change', what, `is held as ${after.residence} instead of ${before.residence}`);
}

function diffStores(before: TopologySnapshot, after: TopologySnapshot, tell: Tell): void {
  const names = (snapshot: TopologySnapshot): readonly string[] => snapshot.stores.map(({ name }) => name);
  for (const name of missing(names(before), names(after)))
    tell('orphan', `store ${name}`, 'its entries stay, and nobody reads them; reset removes them');
  for (const name of missing(names(after), names(before)))
    tell(
      'add',
      `store ${name}`,
      'begins empty: it holds nothing of what was processed before, unless reprocessed',
    );
  for (const store of after.stores) {
    const was = before.stores.find(({ name }) => name === store.name);
    if (was !== undefined) diffStore(was, store, tell);
  }
}

function diffApplication(before: TopologySnapshot, after: TopologySnapshot): readonly TopologyChange[] {
  const { applicationId } = after;
  const changes: TopologyChange[] = [];
  const tell: Tell = (kind, what, consequence) =>
    void changes.push({ applicationId, kind, what, consequence });
  diffTopics(before, after, tell);
  diffStores(before, after, tell);
  if (changes.length === 0 && JSON.stringify(before.subtopologies) !== JSON.stringify(after.subtopologies))
    tell(
      'change',
      'nodes',
      'are other ones, or in another order; stores, topics and positions stay as they are',
    );
  return changes;
}

/** What deploying `after` over `before` would do, application by application in the order of `after`. Empty: nothing. */
export function diffTopologies(
  before: readonly TopologySnapshot[],
  after: readonly TopologySnapshot[],
): readonly TopologyChange[] {
  const find = (all: readonly TopologySnapshot[], id: string): TopologySnapshot | undefined =>
    all.find(({ applicationId }) => applicationId === id);
  return [
    ...after.flatMap((snapshot): readonly TopologyChange[] => {
      const was = find(before, snapshot.applicationId);
      if (was !== undefined) return diffApplication(was, snapshot);
      return [
        {
          applicationId: snapshot.applicationId,
          kind: 'add',
          what: 'application',
          consequence: `reads ${[...snapshot.reads, ...snapshot.readsGlobally].join(', ')} from the beginning`,
        },
      ];
    }),
    ...before
      .filter(({ applicationId }) => find(after, applicationId) === undefined)
      .map(
        ({ applicationId, stores }): TopologyChange => ({
          applicationId,
          kind: 'orphan',
          what: 'application',
          consequence: `runs no more; its positions stay, and its stores: ${stores.map(({ name }) => name).join(', ') || 'none'}`,
        }),
      ),
  ];
}
