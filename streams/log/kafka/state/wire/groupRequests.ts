/** What a member of a consumer group of KIP-848 asks of its coordinator that neither client offers; first versions, of Kafka 4.0. */
import { ByteReader, ByteWriter } from './bytes.ts';
import type { WireRequest } from './requests.ts';

/** The epoch by which a static member says that it goes and will be back. */
const LEAVES_FOR_NOW = -2;
const NULL = 0;

export interface GroupMember {
  readonly memberId: string;
  /** Empty: not a static one. */
  readonly instanceId: string;
}

export interface DescribedGroup {
  /** Kafka's error code, 0 where there is none. */
  readonly error: number;
  readonly members: readonly GroupMember[];
}

/** ConsumerGroupDescribe: who is in the group. */
export function describeGroupRequest(groupId: string): WireRequest<DescribedGroup> {
  const INCLUDE_OPERATIONS = 0;
  const body = new ByteWriter().unsignedVarint(0).unsignedVarint(2).compactString(groupId);
  body.int8(INCLUDE_OPERATIONS).unsignedVarint(0);
  return {
    apiKey: 69,
    apiVersion: 0,
    apiName: 'ConsumerGroupDescribe',
    body: body.written,
    decode: (payload) => {
      const reader = new ByteReader(payload);
      reader.skipTags();
      reader.int32();
      return reader.compactArray(() => describedGroup(reader))[0] ?? { error: 0, members: [] };
    },
  };
}

function describedGroup(reader: ByteReader): DescribedGroup {
  const error = reader.int16();
  for (const _ of ['error message', 'group', 'state']) reader.compactString();
  for (const _ of ['group epoch', 'assignment epoch']) reader.int32();
  reader.compactString();
  const members = reader.compactArray(() => groupMember(reader));
  reader.int32();
  reader.skipTags();
  return { error, members };
}

function groupMember(reader: ByteReader): GroupMember {
  const memberId = reader.compactString();
  const instanceId = reader.compactString();
  reader.compactString();
  reader.int32();
  for (const _ of ['client', 'host']) reader.compactString();
  reader.compactArray(() => reader.compactString());
  reader.compactString();
  for (const _ of ['assignment', 'target']) skipAssignment(reader);
  reader.skipTags();
  return { memberId, instanceId };
}

function skipAssignment(reader: ByteReader): void {
  reader.compactArray(() => {
    reader.take(16);
    reader.compactString();
    reader.compactArray(() => reader.int32());
    reader.skipTags();
  });
  reader.skipTags();
}

/**
 * ConsumerGroupHeartbeat by which a static member leaves for now: its partitions stay its own until its session is over, and whoever comes by its
 * name takes them on. Answered with Kafka's error code, 0 where it was done.
 */
export function leaveForNowRequest(
  groupId: string,
  { memberId, instanceId }: GroupMember,
): WireRequest<number> {
  const body = new ByteWriter().unsignedVarint(0).compactString(groupId).compactString(memberId);
  body.int32(LEAVES_FOR_NOW).compactString(instanceId);
  // No rack, no new time to rebalance in, no topics, no assignor, no partitions.
  body.unsignedVarint(NULL).int32(-1).unsignedVarint(NULL).unsignedVarint(NULL).unsignedVarint(NULL);
  body.unsignedVarint(0);
  return {
    apiKey: 68,
    apiVersion: 0,
    apiName: 'ConsumerGroupHeartbeat',
    body: body.written,
    decode: (payload) => {
      const reader = new ByteReader(payload);
      reader.skipTags();
      reader.int32();
      return reader.int16();
    },
  };
}
