import type { OutcomeRecord } from '../outcome.ts';
import { SimulatedGroup } from './group.ts';

/** A record on the simulated broker. */
export interface BrokerRecord extends OutcomeRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly transaction: BrokerTransaction | null;
  /** The task that wrote it; known to the simulation only. */
  readonly writer: string | null;
}

export type NewRecord = Omit<BrokerRecord, 'offset' | 'transaction'>;

/** A position that an application commits, with the time of its partition. */
export interface GroupPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly partitionTimeMs: number;
}

/** The producer or the member has been replaced: nothing that it does counts any more. */
export class Fenced extends Error {}

export class BrokerTransaction {
  readonly producerId: string;
  readonly epoch: number;
  state: 'open' | 'committed' | 'aborted' = 'open';
  readonly partitions = new Set<BrokerPartition>();
  readonly offsets: { readonly group: SimulatedGroup; readonly positions: readonly GroupPosition[] }[] = [];
  /** Called in the moment in which it commits. */
  onCommit: () => void = () => undefined;

  constructor(producerId: string, epoch: number) {
    this.producerId = producerId;
    this.epoch = epoch;
  }
}

/** Null stands for a marker: the end of a transaction has an offset as well. */
export class BrokerPartition {
  readonly slots: (BrokerRecord | null)[] = [];
  /** Transactions under way here, with their first offset. */
  readonly open = new Map<BrokerTransaction, number>();

  get end(): number {
    return this.slots.length;
  }

  /** Readers of what is committed come so far: to the first record of a transaction that is open. */
  get stableEnd(): number {
    return Math.min(this.end, ...this.open.values());
  }

  get committed(): readonly BrokerRecord[] {
    return this.slots.filter(
      (slot): slot is BrokerRecord =>
        slot !== null && (slot.transaction === null || slot.transaction.state === 'committed'),
    );
  }
}

export interface Fetched {
  readonly records: readonly BrokerRecord[];
  /** Where to go on: behind markers and what was aborted, too. */
  readonly nextOffset: number;
}

/** What Kafka's brokers do with transactions, groups and logs, in one thread and at once. */
export class SimulatedBroker {
  readonly groups = new Map<string, SimulatedGroup>();
  readonly #topics = new Map<string, BrokerPartition[]>();
  readonly #partitionsOf: (topic: string) => number;
  readonly #epochs = new Map<string, number>();
  readonly #open = new Map<string, BrokerTransaction>();

  constructor(partitionsOf: (topic: string) => number) {
    this.#partitionsOf = partitionsOf;
  }

  partitionsOf(topic: string): readonly BrokerPartition[] {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) {
      partitions = Array.from({ length: this.#partitionsOf(topic) }, () => new BrokerPartition());
      this.#topics.set(topic, partitions);
    }
    return partitions;
  }

  partition(topic: string, partition: number): BrokerPartition {
    return this.partitionsOf(topic)[partition]!;
  }

  topics(): readonly string[] {
    return [...this.#topics.keys()];
  }

  group(applicationId: string): SimulatedGroup {
    let group = this.groups.get(applicationId);
    if (group === undefined) {
      group = new SimulatedGroup();
      this.groups.set(applicationId, group);
    }
    return group;
  }

  /** A producer begins: the one that had its id before is fenced, and what it had under way is aborted. */
  initProducer(producerId: string): number {
    const epoch = (this.#epochs.get(producerId) ?? -1) + 1;
    this.#epochs.set(producerId, epoch);
    const before = this.#open.get(producerId);
    if (before !== undefined) this.#end(before, 'aborted');
    return epoch;
  }

  begin(producerId: string, epoch: number): BrokerTransaction {
    if (this.#epochs.get(producerId) !== epoch) throw new Fenced(`producer ${producerId}`);
    const transaction = new BrokerTransaction(producerId, epoch);
    this.#open.set(producerId, transaction);
    return transaction;
  }

  #check(transaction: BrokerTransaction): void {
    if (transaction.state !== 'open' || this.#epochs.get(transaction.producerId) !== transaction.epoch)
      throw new Fenced(`the transaction of ${transaction.producerId}`);
  }

  /** Appends and returns the offset. @throws Fenced */
  append(record: NewRecord, transaction: BrokerTransaction | null): number {
    const partition = this.partition(record.topic, record.partition);
    const offset = partition.end;
    if (transaction !== null) {
      this.#check(transaction);
      if (!partition.open.has(transaction)) partition.open.set(transaction, offset);
      transaction.partitions.add(partition);
    }
    partition.slots.push({ ...record, offset, transaction });
    return offset;
  }

  /** @throws Fenced where the producer was replaced, or the member is not of the group any more */
  sendOffsets(
    transaction: BrokerTransaction,
    applicationId: string,
    memberId: number,
    positions: readonly GroupPosition[],
  ): void {
    this.#check(transaction);
    const group = this.group(applicationId);
    if (!group.isMember(memberId)) throw new Fenced(`member ${memberId} of ${applicationId}`);
    transaction.offsets.push({ group, positions });
    group.pending.add(transaction);
  }

  /** @throws Fenced */
  commit(transaction: BrokerTransaction): void {
    this.#check(transaction);
    this.#end(transaction, 'committed');
  }

  abort(transaction: BrokerTransaction): void {
    if (transaction.state === 'open') this.#end(transaction, 'aborted');
  }

  /** A transaction took too long: it is aborted and its producer fenced. */
  expire(producerId: string): boolean {
    const transaction = this.#open.get(producerId);
    if (transaction === undefined) return false;
    this.#epochs.set(producerId, this.#epochs.get(producerId)! + 1);
    this.#end(transaction, 'aborted');
    return true;
  }

  #end(transaction: BrokerTransaction, state: 'committed' | 'aborted'): void {
    transaction.state = state;
    this.#open.delete(transaction.producerId);
    for (const partition of transaction.partitions) {
      partition.open.delete(transaction);
      partition.slots.push(null);
    }
    for (const { group, positions } of transaction.offsets) {
      group.pending.delete(transaction);
      if (state === 'committed') group.commit(positions);
    }
    if (state === 'committed') transaction.onCommit();
  }

  /** Committed records from the offset on. */
  fetch(topic: string, partition: number, offset: number, maxRecords: number): Fetched {
    const { slots, stableEnd } = this.partition(topic, partition);
    const records: BrokerRecord[] = [];
    let nextOffset = offset;
    for (; nextOffset < stableEnd && records.length < maxRecords; nextOffset += 1) {
      const slot = slots[nextOffset]!;
      if (slot !== null && slot.transaction?.state !== 'aborted') records.push(slot);
    }
    return { records, nextOffset };
  }
}
