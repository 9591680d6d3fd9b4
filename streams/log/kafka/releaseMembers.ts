import type { Kafka } from 'kafkajs';
import { LogError } from '../errors.ts';
import { WireBrokers } from './state/wire/brokers.ts';
import { describeGroupRequest, leaveForNowRequest } from './state/wire/groupRequests.ts';

/** Kafka's error codes for a group or a member that is not there. */
const NOT_THERE: ReadonlySet<number> = new Set([25, 69]);

/**
 * Gives up, in a static member's name, what it had when it died: its groups then take its successor at once, with the same partitions, instead of
 * turning it away until the old session has timed out. Nothing moves by it.
 * @param instanceId the name of the member; whoever calls sees to it that no process of that name is alive
 * @throws LogError where a coordinator cannot be asked, or refuses
 */
export async function releaseMembers(
  kafkajs: Kafka,
  groupIds: readonly string[],
  instanceId: string,
): Promise<void> {
  const brokers = new WireBrokers(kafkajs);
  try {
    for (const groupId of groupIds) await releaseMember(brokers, groupId, instanceId);
  } finally {
    await brokers.close();
  }
}

async function releaseMember(brokers: WireBrokers, groupId: string, instanceId: string): Promise<void> {
  const { error, members } = await brokers.send(
    { groupId },
    `asking who is in the group ${groupId}`,
    describeGroupRequest(groupId),
  );
  check(error, `asking who is in the group ${groupId}`);
  const member = members.find((each) => each.instanceId === instanceId);
  if (member === undefined) return;
  const doing = `giving up the member ${instanceId} of the group ${groupId}`;
  check(await brokers.send({ groupId }, doing, leaveForNowRequest(groupId, member)), doing);
}

function check(error: number, doing: string): void {
  if (error !== 0 && !NOT_THERE.has(error))
    throw new LogError('LOG_IO', `${doing}: the coordinator refuses (Kafka's error ${error})`);
}
