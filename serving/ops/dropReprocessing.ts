import { EmbeddedLog } from '../../streams/log/embedded/index.ts';
import { noteRecord } from '../../streams/ops/keyedNotes.ts';
import { lagOf } from '../../streams/ops/lag.ts';
import { ServingError } from '../errors.ts';
import type { OperatorAccess } from './access.ts';
import { DirectAccess } from './direct.ts';
import { findApplication } from './find.ts';
import { REPROCESSING_TOPIC, reprocessingOf } from './reprocessing.ts';

/** What became of the two. */
export interface Dropped {
  readonly application: string;
  /** The one that is gone. */
  readonly dropped: 'present' | 'next';
  readonly topics: readonly string[];
}

/**
 * Ends a reprocessing: drops the one whose stores are not read. Where that is the one there was before, the new one takes its id, stores and
 * positions, and goes on writing its topics at the next start.
 * @throws ServingError SERVING_REPROCESS while the instance runs, or where the two are not at the same place; LogError
 */
export async function dropReprocessing(access: OperatorAccess, application: string): Promise<Dropped> {
  if (!(access instanceof DirectAccess))
    throw new ServingError('SERVING_REPROCESS', 'the instance runs, and so do both; stop it first');
  const { engine } = access.subject;
  if (!(engine instanceof EmbeddedLog))
    throw new ServingError('SERVING_REPROCESS', 'this version drops on the embedded engine only');
  const known = await reprocessingOf(access, application);
  const next = known.applicationId;
  // Without positions it was adopted already, and the end of it was cut off.
  if (known.switched && engine.positions(next).length > 0) {
    const { topology } = findApplication(access.subject, application);
    const both = [application, next].map((applicationId) => ({ applicationId, topology }));
    const left = (await lagOf(engine, both)).reduce((sum, { lag }) => sum + lag, 0);
    if (left > 0)
      throw new ServingError(
        'SERVING_REPROCESS',
        `${left} records are left to process, so that the two are not at the same place and outputs would be lost or written twice; start the instance, let it catch up and stop it`,
      );
    await engine.changeApplication({ kind: 'adopt', applicationId: application, from: next });
  } else if (!known.switched) await engine.changeApplication({ kind: 'remove', applicationId: next });
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
