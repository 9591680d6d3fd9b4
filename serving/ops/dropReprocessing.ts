import { EmbeddedLog } from '../../streams/log/embedded/index.ts';
import { KafkaLog } from '../../streams/log/kafka/index.ts';
import { changelogTopicName } from '../../streams/log/kafka/state/index.ts';
import type { LogEngine } from '../../streams/log/log.ts';
import { alignChangelog } from '../../streams/ops/alignChangelog.ts';
import { noteRecord } from '../../streams/ops/keyedNotes.ts';
import { lagOf } from '../../streams/ops/lag.ts';
import type { Application } from '../../topologies/applications.ts';
import { ServingError } from '../errors.ts';
import type { OperatorAccess } from './access.ts';
import { DirectAccess } from './direct.ts';
import { findApplication } from './find.ts';
import { REPROCESSING_TOPIC, type Reprocessing, reprocessingOf } from './reprocessing.ts';

/** What became of the two. */
export interface Dropped {
  readonly application: string;
  /** The one that is gone. */
  readonly dropped: 'present' | 'next';
  readonly topics: readonly string[];
}

/** @throws ServingError SERVING_REPROCESS where the two are not at the same place */
async function checkSamePlace(
  engine: LogEngine,
  { applicationId, topology }: Application,
  next: string,
): Promise<void> {
  const both = [applicationId, next].map((id) => ({ applicationId: id, topology }));
  const left = (await lagOf(engine, both)).reduce((sum, { lag }) => sum + lag, 0);
  if (left > 0)
    throw new ServingError(
      'SERVING_REPROCESS',
      `${left} records are left to process, so that the two are not at the same place and outputs would be lost or written twice; start the instance, let it catch up and stop it`,
    );
}

async function endOnEmbeddedLog(
  engine: EmbeddedLog,
  application: Application,
  { applicationId: next, switched }: Reprocessing,
): Promise<void> {
  const { applicationId } = application;
  // Without positions it was adopted already, and the end of it was cut off.
  if (switched && engine.positions(next).length > 0) {
    await checkSamePlace(engine, application, next);
    await engine.changeApplication({ kind: 'adopt', applicationId, from: next });
  } else if (!switched) await engine.changeApplication({ kind: 'remove', applicationId: next });
}

/**
 * On Kafka ids are part of the names of topics, so that the present one cannot take over those of the new one: its changelogs are made to tell
 * what those of the new one tell. Cut off in between it is to be done again; nothing may run the application until then.
 */
async function endOnKafka(
  engine: KafkaLog,
  application: Application,
  { applicationId: next, switched }: Reprocessing,
): Promise<void> {
  const { applicationId, topology } = application;
  const positions = await engine.admin.committedPositions(next);
  if (switched && positions.length > 0) {
    // Commits what is committed already, which the brokers take only while no process is alive.
    for (const id of [applicationId, next])
      await engine.resetApplication(id, await engine.admin.committedPositions(id), []);
    await checkSamePlace(engine, application, next);
    for (const { name, loggingEnabled } of topology.stores.values())
      if (loggingEnabled)
        await alignChangelog(engine, changelogTopicName(next, name), changelogTopicName(applicationId, name));
  }
  await engine.forgetApplication(next);
}

/**
 * Ends a reprocessing: drops the one whose stores are not read. Where that is the one there was before, the new one takes its id, stores and
 * positions, and goes on writing its topics at the next start.
 * @throws ServingError SERVING_REPROCESS while the instance runs, or where the two are not at the same place; LogError, of which
 *   LOG_PARTICIPANT_ATTACHED on Kafka while a process of either is alive
 */
export async function dropReprocessing(access: OperatorAccess, application: string): Promise<Dropped> {
  if (!(access instanceof DirectAccess))
    throw new ServingError('SERVING_REPROCESS', 'the instance runs, and so do both; stop it first');
  const { engine } = access.subject;
  const known = await reprocessingOf(access, application);
  const next = known.applicationId;
  const present = findApplication(access.subject, application);
  if (engine instanceof EmbeddedLog) await endOnEmbeddedLog(engine, present, known);
  else if (engine instanceof KafkaLog) await endOnKafka(engine, present, known);
  else throw new ServingError('SERVING_REPROCESS', `this version cannot drop on ${engine.kind}`);
  const topics = (await engine.admin.listTopics()).filter(
    (name) => name.startsWith(`${next}-`) || name === `${next}.dead-letter`,
  );
  for (const name of topics) await engine.admin.deleteTopic(name);
  // Last: where it does not come to this, dropping is asked for again and finds less to do.
  const producer = engine.createProducer();
  await producer.send([noteRecord(REPROCESSING_TOPIC, application, null, known.startedAtMs)]);
  await producer.close();
  return { application, dropped: known.switched ? 'present' : 'next', topics };
}
