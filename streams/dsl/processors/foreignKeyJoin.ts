import type { KeyValueStore } from '../../../stores/store.ts';
import type { Processor, ProcessorContext } from '../../processor.ts';
import type { Record } from '../../record.ts';
import type { KeyValueMapper, ValueJoiner } from '../functions.ts';
import { type ChangeRecord, isOutOfOrder } from '../internal/change.ts';
import {
  type Instruction,
  type Subscription,
  type SubscriptionAnswer,
  sameHash,
  subscriptionPrefix,
  valueHash,
} from '../internal/foreignKeyMessages.ts';
import type { AnySerde } from '../internal/handles.ts';
import type { ValueGetter, ValueGetterSupplier } from '../internal/tableModel.ts';

export interface ForeignKeyJoinSettings {
  readonly name: string;
  readonly left: boolean;
  readonly foreignKeyOf: KeyValueMapper<unknown, unknown, unknown>;
  readonly joiner: ValueJoiner<unknown, unknown, unknown, unknown>;
  readonly storeName: string;
  readonly primaryKeySerde: AnySerde;
  readonly primaryValueSerde: AnySerde;
  readonly foreignKeySerde: AnySerde;
  readonly primary: ValueGetterSupplier;
  readonly foreign: ValueGetterSupplier;
}

type AnyContext = ProcessorContext<unknown, unknown>;

/** Tells the other table of each change of a row: which foreign key it has now, and which it no longer has. */
export class SubscriptionSendProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #settings: ForeignKeyJoinSettings;
  #context!: AnyContext;

  constructor(settings: ForeignKeyJoinSettings) {
    this.#settings = settings;
  }

  init(context: AnyContext): void {
    this.#context = context;
  }

  process(record: Record<unknown, unknown>): void {
    const change = record as ChangeRecord<unknown, unknown>;
    const { value, oldValue } = change;
    if (isOutOfOrder(record)) {
      this.#context.recordDropped();
      return;
    }
    if (value === null && oldValue === null) return;
    const before = this.#foreignKeyOf(change.key, oldValue);
    const after = this.#foreignKeyOf(change.key, value);
    if (this.#settings.left) {
      if (before !== null && !this.#same(before, after)) this.#send(change, before, 'delete');
      // Without a foreign key as well: the answer is that there is nothing.
      this.#send(change, after, 'answer');
    } else this.#sendInner(change, before, after);
  }

  #sendInner(change: ChangeRecord<unknown, unknown>, before: unknown, after: unknown): void {
    if (before === null && after === null) this.#context.recordDropped();
    else if (before === null) this.#send(change, after, 'answer-if-found');
    else if (after === null) this.#send(change, before, 'delete-and-answer');
    else if (this.#same(before, after)) this.#send(change, after, 'answer-if-found');
    else {
      this.#send(change, before, 'delete');
      // What was joined before must go, even where nothing takes its place.
      this.#send(change, after, 'answer');
    }
  }

  #foreignKeyOf(key: unknown, value: unknown): unknown {
    return value === null ? null : (this.#settings.foreignKeyOf(key, value) ?? null);
  }

  #same(a: unknown, b: unknown): boolean {
    const { name, foreignKeySerde } = this.#settings;
    if (a === b) return true;
    if (a === null || b === null) return false;
    return foreignKeySerde.serialize(name, a).equals(foreignKeySerde.serialize(name, b));
  }

  #send(change: ChangeRecord<unknown, unknown>, foreignKey: unknown, instruction: Instruction): void {
    const { name, primaryValueSerde } = this.#settings;
    const { key, value, timestamp, headers } = change;
    const subscription: Subscription = {
      instruction,
      primaryKey: key,
      primaryPartition: this.#context.partition,
      hash: value === null ? null : valueHash(name, primaryValueSerde, value),
    };
    this.#context.forward({ key: foreignKey, value: subscription, timestamp, headers });
  }
}

/** Keeps who refers to a row of this table, and answers with the row as it stands. The answer has the later time of both. */
export class SubscriptionReceiveProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #settings: ForeignKeyJoinSettings;
  readonly #foreign: ValueGetter;
  #context!: AnyContext;
  #store!: KeyValueStore<Buffer, Subscription>;

  constructor(settings: ForeignKeyJoinSettings) {
    this.#settings = settings;
    this.#foreign = settings.foreign.get();
  }

  init(context: AnyContext): void {
    this.#context = context;
    this.#store = context.getStateStore(this.#settings.storeName);
    this.#foreign.init(context);
  }

  process(record: Record<unknown, unknown>): void {
    const { key, headers } = record;
    const subscription = record.value as Subscription;
    const { instruction, primaryKey, primaryPartition, hash } = subscription;
    if (key === null && instruction !== 'answer') {
      this.#context.recordDropped();
      return;
    }
    if (key !== null) this.#keep(key, subscription);
    if (instruction === 'delete') return;
    const found = key === null ? null : this.#foreign.get(key);
    if (found === null && instruction === 'answer-if-found') return;
    const foreignValue = found === null || instruction === 'delete-and-answer' ? null : found.value;
    const answer: SubscriptionAnswer = { foreignValue, primaryPartition, hash };
    const timestamp = found === null ? record.timestamp : Math.max(record.timestamp, found.timestamp);
    this.#context.forward({ key: primaryKey, value: answer, timestamp, headers });
  }

  #keep(foreignKey: unknown, subscription: Subscription): void {
    const { name, foreignKeySerde, primaryKeySerde } = this.#settings;
    const prefix = subscriptionPrefix(foreignKeySerde.serialize(name, foreignKey));
    const row = Buffer.concat([prefix, primaryKeySerde.serialize(name, subscription.primaryKey)]);
    const gone = subscription.instruction === 'delete' || subscription.instruction === 'delete-and-answer';
    this.#store.put(row, gone ? null : subscription);
  }
}

/** Tells everyone who refers to a row of this table of its change, in the order of the bytes of their keys. */
export class ForeignTableJoinProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #settings: ForeignKeyJoinSettings;
  #context!: AnyContext;
  #store!: KeyValueStore<Buffer, Subscription>;

  constructor(settings: ForeignKeyJoinSettings) {
    this.#settings = settings;
  }

  init(context: AnyContext): void {
    this.#context = context;
    this.#store = context.getStateStore(this.#settings.storeName);
  }

  process(record: Record<unknown, unknown>): void {
    const { key, value, timestamp, headers } = record;
    if (key === null || isOutOfOrder(record)) {
      this.#context.recordDropped();
      return;
    }
    const { name, foreignKeySerde } = this.#settings;
    const prefix = subscriptionPrefix(foreignKeySerde.serialize(name, key));
    for (const { value: subscription } of this.#store.prefixScan(prefix)) {
      const { primaryKey, primaryPartition, hash } = subscription;
      const answer: SubscriptionAnswer = { foreignValue: value, primaryPartition, hash };
      this.#context.forward({ key: primaryKey, value: answer, timestamp, headers });
    }
  }
}

/** Joins an answer with the row it is for, unless the row has changed since it asked: then another answer is on its way. */
export class SubscriptionResolveProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #settings: ForeignKeyJoinSettings;
  readonly #primary: ValueGetter;
  #context!: AnyContext;

  constructor(settings: ForeignKeyJoinSettings) {
    this.#settings = settings;
    this.#primary = settings.primary.get();
  }

  init(context: AnyContext): void {
    this.#context = context;
    this.#primary.init(context);
  }

  process(record: Record<unknown, unknown>): void {
    const { name, left, joiner, primaryValueSerde } = this.#settings;
    const { key, timestamp, headers } = record;
    const { foreignValue, hash } = record.value as SubscriptionAnswer;
    const row = this.#primary.get(key);
    const present = row === null ? null : valueHash(name, primaryValueSerde, row.value);
    if (!sameHash(hash, present)) {
      this.#context.recordDropped();
      return;
    }
    const joined = row !== null && (foreignValue !== null || left);
    const value = joined ? joiner(row.value, foreignValue, key) : null;
    this.#context.forward({ key, value, timestamp, headers });
  }
}
