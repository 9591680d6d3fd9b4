import { createHash } from 'node:crypto';
import type { Serde } from '../../../stores/serde.ts';
import type { AnySerde } from './handles.ts';

/** What a subscription asks of the table it refers to. */
export type Instruction = 'delete' | 'delete-and-answer' | 'answer-if-found' | 'answer';

const INSTRUCTIONS = ['delete', 'delete-and-answer', 'answer-if-found', 'answer'] as const;

/** A row of the referring table as the other table hears of it, under the foreign key. */
export interface Subscription {
  readonly instruction: Instruction;
  readonly primaryKey: unknown;
  /** Where the row lies, and the answer goes. */
  readonly primaryPartition: number;
  /** Of the row's value, so that an answer to an older one is known; null where the row is gone. */
  readonly hash: Buffer | null;
}

/** The other table's answer, under the primary key. */
export interface SubscriptionAnswer {
  readonly foreignValue: unknown;
  readonly primaryPartition: number;
  readonly hash: Buffer | null;
}

const HASH_BYTES = 16;
const INT_BYTES = 4;

/** 128 bits of the value as it is encoded, as in Kafka Streams (which takes Murmur3). */
export function valueHash(name: string, serde: AnySerde, value: unknown): Buffer {
  return createHash('sha256').update(serde.serialize(name, value)).digest().subarray(0, HASH_BYTES);
}

export function sameHash(a: Buffer | null, b: Buffer | null): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}

function hashBytes(hash: Buffer | null): readonly Buffer[] {
  return hash === null ? [Buffer.of(0)] : [Buffer.of(1), hash];
}

/** Reads the hash at a place. @returns it and the place behind */
function hashAt(bytes: Buffer, at: number): readonly [Buffer | null, number] {
  if (bytes[at] === 0) return [null, at + 1];
  return [bytes.subarray(at + 1, at + 1 + HASH_BYTES), at + 1 + HASH_BYTES];
}

function intBytes(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(INT_BYTES);
  bytes.writeInt32BE(value);
  return bytes;
}

/** Instruction, partition, hash, then the primary key to the end. */
export function subscriptionSerde(primaryKeySerde: AnySerde): Serde<Subscription> {
  return {
    serialize: (topic, { instruction, primaryKey, primaryPartition, hash }) =>
      Buffer.concat([
        Buffer.of(INSTRUCTIONS.indexOf(instruction)),
        intBytes(primaryPartition),
        ...hashBytes(hash),
        primaryKeySerde.serialize(topic, primaryKey),
      ]),
    deserialize: (topic, bytes) => {
      const [hash, at] = hashAt(bytes, 1 + INT_BYTES);
      return {
        instruction: INSTRUCTIONS[bytes[0]!]!,
        primaryPartition: bytes.readInt32BE(1),
        hash,
        primaryKey: primaryKeySerde.deserialize(topic, bytes.subarray(at)),
      };
    },
  };
}

/** Whether there is a value, partition, hash, then the value to the end. */
export function subscriptionAnswerSerde(foreignValueSerde: AnySerde): Serde<SubscriptionAnswer> {
  return {
    serialize: (topic, { foreignValue, primaryPartition, hash }) =>
      Buffer.concat([
        Buffer.of(foreignValue === null ? 0 : 1),
        intBytes(primaryPartition),
        ...hashBytes(hash),
        ...(foreignValue === null ? [] : [foreignValueSerde.serialize(topic, foreignValue)]),
      ]),
    deserialize: (topic, bytes) => {
      const [hash, at] = hashAt(bytes, 1 + INT_BYTES);
      return {
        foreignValue: bytes[0] === 0 ? null : foreignValueSerde.deserialize(topic, bytes.subarray(at)),
        primaryPartition: bytes.readInt32BE(1),
        hash,
      };
    },
  };
}

/** Keys of the store of subscriptions: the length of the foreign key, the foreign key, the primary key. */
export function subscriptionPrefix(foreignKey: Buffer): Buffer {
  return Buffer.concat([intBytes(foreignKey.length), foreignKey]);
}
