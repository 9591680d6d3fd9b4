import type { LogEngine } from '../../streams/log/log.ts';
import { planReset, type ResetPlan, type ResettableEngine } from '../../streams/ops/reset.ts';
import { ServingError } from '../errors.ts';
import type { OperatorAccess } from './access.ts';
import { DirectAccess } from './direct.ts';
import { checkTopic, findApplication } from './find.ts';
import { type Place, placeOffset } from './place.ts';

export interface ResetOptions {
  readonly to: Place;
  /** Only the positions in this topic; the stores go all the same. null: in all topics. */
  readonly topic: string | null;
  /** False: only the plan is made. */
  readonly execute: boolean;
}

function resettable(engine: LogEngine): ResettableEngine | null {
  return 'resetApplication' in engine ? (engine as ResettableEngine) : null;
}

/**
 * Lets an application begin again at a place of its input, without its stores.
 * @throws ServingError SERVING_RESET while the instance runs, or where the engine cannot; SERVING_NOT_FOUND; LogError
 */
export async function resetApplication(
  access: OperatorAccess,
  applicationId: string,
  { to, topic, execute }: ResetOptions,
): Promise<ResetPlan> {
  if (!(access instanceof DirectAccess))
    throw new ServingError('SERVING_RESET', 'the instance runs, and so does the application; stop it first');
  const { subject } = access;
  const { engine } = subject;
  const application = findApplication(subject, applicationId);
  if (topic !== null) await checkTopic(subject, topic, null);
  const committed = new Map(
    (await engine.admin.committedPositions(applicationId)).map((position) => [
      `${position.topic}/${position.partition}`,
      position.offset,
    ]),
  );
  const plan = await planReset(engine, application, async (partition, held) => {
    if (topic === null || partition.topic === topic) return placeOffset(engine, partition, to, held);
    return committed.get(`${partition.topic}/${partition.partition}`) ?? held.earliest;
  });
  if (topic !== null && !plan.positions.some((position) => position.topic === topic))
    throw new ServingError('SERVING_NOT_FOUND', `${applicationId} does not read ${topic}`);
  if (!execute) return plan;
  const target = resettable(engine);
  if (target === null)
    throw new ServingError('SERVING_RESET', `this version cannot reset an application on ${engine.kind}`);
  await target.resetApplication(
    applicationId,
    plan.positions.map((position) => ({
      topic: position.topic,
      partition: position.partition,
      offset: position.to,
    })),
    plan.stores,
  );
  return plan;
}
