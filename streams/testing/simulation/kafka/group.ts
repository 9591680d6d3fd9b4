import type { BrokerTransaction, GroupPosition } from './broker.ts';

interface Member {
  readonly instanceId: string;
  readonly owned: Set<string>;
  target: ReadonlySet<string>;
}

/**
 * A consumer group: tasks go to its members in ranges, and from one to another only once the one has let go of it or is counted as gone. A
 * transaction that holds positions keeps whoever comes next from reading them until it has ended.
 */
export class SimulatedGroup {
  readonly pending = new Set<BrokerTransaction>();
  readonly #positions = new Map<string, GroupPosition>();
  readonly #members = new Map<number, Member>();
  /** By sub-topology, the tasks in the order of their partitions. */
  #tasks: readonly (readonly string[])[] = [];
  #made = 0;

  setTasks(tasks: readonly (readonly string[])[]): void {
    this.#tasks = tasks;
  }

  /** @returns the member's id, or null where one of this name is not counted as gone yet */
  join(instanceId: string): number | null {
    for (const member of this.#members.values()) if (member.instanceId === instanceId) return null;
    this.#made += 1;
    this.#members.set(this.#made, { instanceId, owned: new Set(), target: new Set() });
    this.#assign();
    return this.#made;
  }

  isMember(memberId: number): boolean {
    return this.#members.has(memberId);
  }

  /** The member leaves, or was not heard of for too long. */
  remove(memberId: number): void {
    if (this.#members.delete(memberId)) this.#assign();
  }

  removeInstance(instanceId: string): void {
    for (const [memberId, member] of this.#members)
      if (member.instanceId === instanceId) this.remove(memberId);
  }

  #assign(): void {
    const members = [...this.#members.values()].sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
    const targets = members.map(() => new Set<string>());
    for (const tasks of this.#tasks)
      for (const [index, task] of tasks.entries())
        targets[Math.floor((index * members.length) / tasks.length)]?.add(task);
    for (const [index, member] of members.entries()) member.target = targets[index]!;
  }

  /** What the member has to let go, and what it may take: what it is to have and nobody else still has. */
  changes(memberId: number): { readonly revoked: readonly string[]; readonly free: readonly string[] } {
    const { owned, target } = this.#members.get(memberId)!;
    const taken = new Set([...this.#members.values()].flatMap((member) => [...member.owned]));
    return {
      revoked: [...owned].filter((task) => !target.has(task)),
      free: [...target].filter((task) => !taken.has(task)),
    };
  }

  take(memberId: number, task: string): void {
    this.#members.get(memberId)!.owned.add(task);
  }

  release(memberId: number, task: string): void {
    this.#members.get(memberId)?.owned.delete(task);
  }

  commit(positions: readonly GroupPosition[]): void {
    for (const position of positions)
      this.#positions.set(`${position.topic}/${position.partition}`, position);
  }

  /** The committed position, null where there is none, undefined while a transaction may still change it. */
  position(topic: string, partition: number): GroupPosition | null | undefined {
    for (const { offsets } of this.pending)
      for (const { group, positions } of offsets)
        if (group === this && positions.some((each) => each.topic === topic && each.partition === partition))
          return undefined;
    return this.#positions.get(`${topic}/${partition}`) ?? null;
  }
}
