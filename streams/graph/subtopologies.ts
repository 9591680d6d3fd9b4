import type { StoreBuilder } from '../../stores/store.ts';
import { StreamsError } from '../errors.ts';
import type { Node, Subtopology } from './nodes.ts';

/** Finds which nodes belong together: those linked by parentage or by a store they share. */
class Groups {
  readonly #parent = new Map<string, string>();

  find(member: string): string {
    const parent = this.#parent.get(member) ?? member;
    if (parent === member) return member;
    const root = this.find(parent);
    this.#parent.set(member, root);
    return root;
  }

  join(a: string, b: string): void {
    const [first, second] = [this.find(a), this.find(b)];
    if (first !== second) this.#parent.set(second, first);
  }
}

/**
 * @throws StreamsError STREAMS_TOPOLOGY where a store is connected to no processor
 */
export function subtopologiesOf(
  nodes: ReadonlyMap<string, Node>,
  stores: ReadonlyMap<string, StoreBuilder>,
): readonly Subtopology[] {
  const groups = new Groups();
  const used = new Set<string>();
  for (const node of nodes.values()) {
    if (node.kind !== 'source') for (const parent of node.parents) groups.join(parent, node.name);
    if (node.kind !== 'processor') continue;
    for (const store of node.stores) {
      groups.join(`store ${store}`, node.name);
      used.add(store);
    }
  }
  for (const name of stores.keys()) {
    if (!used.has(name)) {
      throw new StreamsError(
        'STREAMS_TOPOLOGY',
        `store ${name} is connected to no processor; connect it or leave it out`,
      );
    }
  }
  const members = new Map<string, Node[]>();
  for (const node of nodes.values()) {
    const root = groups.find(node.name);
    const group = members.get(root);
    if (group === undefined) members.set(root, [node]);
    else group.push(node);
  }
  return [...members].map(([root, group], id) => ({
    id,
    nodes: group,
    stores: [...stores.values()].filter((store) => groups.find(`store ${store.name}`) === root),
    topics: group.flatMap((node) => (node.kind === 'source' ? node.topics : [])),
  }));
}
