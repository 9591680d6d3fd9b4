import kafkajs from 'kafkajs';
import type { TopicPartition } from '../../record.ts';
import { LogError } from '../errors.ts';
import type { LogAdmin } from '../log.ts';
import type { KafkaConnection } from './connection.ts';
import { connectConsumer, disconnected } from './consumers.ts';
import { fromRdKafka } from './errors.ts';
import { changelogTopicName } from './state/index.ts';

/** The broker's answer to a commit that comes of no member while the group has some. */
const UNKNOWN_MEMBER = 25;

/**
 * Lets an application begin at other positions, without its state: commits them to its group, which the broker takes only while no member is
 * alive, then deletes the changelogs. Whoever runs it next finds them gone and drops what it holds of them. Cut off in between it is to be done
 * again; nothing may run the application until then.
 * @throws LogError LOG_PARTICIPANT_ATTACHED while a member of the group is alive; nothing is changed then
 */
export async function resetOnKafka(
  connection: KafkaConnection,
  admin: LogAdmin,
  applicationId: string,
  positions: readonly (TopicPartition & { readonly offset: number })[],
  storeNames: readonly string[],
): Promise<void> {
  const consumer = await connectConsumer(connection, 'reset', { 'group.id': applicationId });
  try {
    consumer.commitSync(positions);
  } catch (cause) {
    if ((cause as { readonly code?: number }).code === UNKNOWN_MEMBER) throw attached(applicationId, cause);
    throw fromRdKafka(cause, `committing positions of ${applicationId}`);
  } finally {
    await disconnected(consumer);
  }
  const present = await admin.listTopics();
  for (const name of storeNames.map((store) => changelogTopicName(applicationId, store)))
    if (present.includes(name)) await admin.deleteTopic(name);
}

/**
 * Forgets the positions of an application that will not run again. One that has none is forgotten already.
 * @throws LogError LOG_PARTICIPANT_ATTACHED while a member of its group is alive; nothing is changed then
 */
export async function forgetOnKafka(connection: KafkaConnection, applicationId: string): Promise<void> {
  const alive = await connection.call(`forgetting the positions of '${applicationId}'`, async (admin) => {
    try {
      await admin.deleteGroups([applicationId]);
      return null;
    } catch (cause) {
      const types = cause instanceof kafkajs.KafkaJSDeleteGroupsError ? cause.groups.map(errorTypeOf) : [];
      if (types.includes('GROUP_ID_NOT_FOUND')) return null;
      if (types.includes('NON_EMPTY_GROUP')) return cause;
      throw cause;
    }
  });
  if (alive !== null) throw attached(applicationId, alive);
}

function errorTypeOf({ error }: { readonly error?: unknown }): string {
  return String((error as { readonly type?: unknown } | undefined)?.type ?? '');
}

function attached(applicationId: string, cause: unknown): LogError {
  return new LogError(
    'LOG_PARTICIPANT_ATTACHED',
    `processes of ${applicationId} are alive, or were until just now; stop all of them and wait until the group's session time-out has passed`,
    cause,
  );
}
