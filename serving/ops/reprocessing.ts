import { z } from 'zod';
import type { LogEngine, TailSubscription } from '../../streams/log/log.ts';
import { makeNotes, noteRecord, readNotes } from '../../streams/ops/keyedNotes.ts';
import { BacklogCounter, lagOf, type PartitionLag } from '../../streams/ops/lag.ts';
import type { Application } from '../../topologies/applications.ts';
import { ServingError } from '../errors.ts';
import { findApplication } from './find.ts';
import { named, type Operation, type OperationContext, whole } from './operation.ts';

/** The topic on which is noted which applications are built anew, and whose stores are read. */
export const REPROCESSING_TOPIC = '_opentape.reprocessing';

const note = z.object({
  /** Id under which the application is built anew. */
  applicationId: z.string(),
  /** Whether readers of the application's stores read those of the new one. */
  switched: z.boolean(),
  startedAtMs: z.number(),
  switchedAtMs: z.number().nullable(),
});

/** An application that is built anew beside itself. */
export type Reprocessing = z.infer<typeof note>;

const NEXT = '.next';

/** The id under which an application is built anew. */
function nextIdOf(applicationId: string): string {
  return `${applicationId}${NEXT}`;
}

/** The application of which one that is built anew has topology and stores; any other id is its own. */
export function topologyIdOf(applicationId: string): string {
  return applicationId.endsWith(NEXT) ? applicationId.slice(0, -NEXT.length) : applicationId;
}

/** What is built anew, by application. @throws ServingError SERVING_CONFIG where a note cannot be read */
export async function readReprocessing(engine: LogEngine): Promise<ReadonlyMap<string, Reprocessing>> {
  const found = new Map<string, Reprocessing>();
  for (const [applicationId, text] of await readNotes(engine, REPROCESSING_TOPIC)) {
    try {
      found.set(applicationId, note.parse(JSON.parse(text)));
    } catch (cause) {
      throw new ServingError(
        'SERVING_CONFIG',
        `${REPROCESSING_TOPIC} holds nothing about ${applicationId} that this version can read`,
        { cause },
      );
    }
  }
  return found;
}

/** The applications that are built anew: each as it is, under its other id, with outputs of its own. */
export function shadowsOf(
  applications: readonly Application[],
  reprocessing: ReadonlyMap<string, Reprocessing>,
  partitionsOf: (topic: string) => number,
): readonly Application[] {
  return applications.flatMap(({ applicationId, topology }) => {
    const next = reprocessing.get(applicationId);
    return next === undefined
      ? []
      : [{ applicationId: next.applicationId, topology: topology.withOwnOutputs(partitionsOf) }];
  });
}

/** Whose stores are read for those of each application; changed by a switch while the instance runs. */
export class ActiveApplications {
  readonly #active = new Map<string, string>();

  constructor(reprocessing: ReadonlyMap<string, Reprocessing>) {
    this.take(reprocessing);
  }

  readonly storesOf = (applicationId: string): string => this.#active.get(applicationId) ?? applicationId;

  /** Takes over what was noted, by this process or another one. */
  take(reprocessing: ReadonlyMap<string, Reprocessing>): void {
    const switched = [...reprocessing].filter(([, known]) => known.switched);
    for (const [applicationId] of [...this.#active])
      if (!switched.some(([id]) => id === applicationId)) this.#active.delete(applicationId);
    for (const [applicationId, { applicationId: next }] of switched) this.#active.set(applicationId, next);
  }

  set(applicationId: string, activeId: string): void {
    this.#active.set(applicationId, activeId);
  }
}

const status = z.object({
  application: z.string(),
  next: z.string(),
  /** waiting: it is built from the next start on. building: it is not where the present one is. ready: it is. */
  state: z.enum(['waiting', 'building', 'ready', 'switched']),
  /** Whose stores are read. */
  active: z.string(),
  processed: whole,
  lag: whole,
  startedAtMs: z.number(),
  switchedAtMs: z.number().nullable(),
});

export type ReprocessingStatus = z.infer<typeof status>;

/** Whether records are left to the new one that the present one has processed, or any of topics that are its own. */
async function behind(
  engine: LogEngine,
  present: readonly PartitionLag[],
  next: readonly PartitionLag[],
): Promise<boolean> {
  const counter = new BacklogCounter(engine);
  counter.begin();
  for (const { topic, partition, position, lag } of next) {
    if (lag === 0) continue;
    const other = present.find((each) => each.topic === topic && each.partition === partition);
    if (other === undefined) {
      // The embedded log commits what comes of a record with it.
      if (engine.kind === 'kafka') return true;
      continue;
    }
    // On Kafka the ends of transactions take offsets too.
    if ((await counter.count({ topic, partition }, position ?? 0, other.position ?? 0)) > 0) return true;
  }
  return false;
}

/** How far the new one has come beside the present one. */
export async function statusOf(
  { subject }: Pick<OperationContext, 'subject'>,
  application: string,
  { applicationId: next, switched, startedAtMs, switchedAtMs }: Reprocessing,
): Promise<ReprocessingStatus> {
  const { applicationId, topology } = findApplication(subject, application);
  // The present one first: what is committed in between is not held against the new one.
  const present = await lagOf(subject.engine, [{ applicationId, topology }]);
  const built = await lagOf(subject.engine, [{ applicationId: next, topology }]);
  const waiting = built.every(({ position }) => position === null);
  return {
    application,
    next,
    state: switched
      ? 'switched'
      : waiting
        ? 'waiting'
        : (await behind(subject.engine, present, built))
          ? 'building'
          : 'ready',
    active: switched ? next : application,
    processed: built.reduce((sum, { position }) => sum + (position ?? 0), 0),
    lag: built.reduce((sum, { lag }) => sum + lag, 0),
    startedAtMs,
    switchedAtMs,
  };
}

/** @throws ServingError SERVING_REPROCESS where the application is not built anew */
export async function reprocessingOf(
  { subject }: Pick<OperationContext, 'subject'>,
  application: string,
): Promise<Reprocessing> {
  findApplication(subject, application);
  const found = (await readReprocessing(subject.engine)).get(application);
  if (found !== undefined) return found;
  throw new ServingError(
    'SERVING_REPROCESS',
    `${application} is not built anew; begin with reprocess start ${application}`,
  );
}

async function write(context: OperationContext, application: string, value: Reprocessing): Promise<void> {
  await makeNotes(context.subject.engine, REPROCESSING_TOPIC);
  await context.producer().send([noteRecord(REPROCESSING_TOPIC, application, value, context.wallClock())]);
}

const ofApplication = z.strictObject({ application: named });

function operation(
  name: string,
  act: (context: OperationContext, application: string) => Promise<Reprocessing>,
): Operation<{ readonly application: string }, ReprocessingStatus> {
  return {
    name,
    params: ofApplication,
    line: status,
    async *run(context, { application }) {
      const now = await context.exclusively(() => act(context, application));
      yield await statusOf(context, application, now);
    },
  };
}

/** Notes that an application is to be built anew, from the next start of the instance on. */
export const startReprocessing = operation('reprocess-start', async (context, application) => {
  const { topology } = findApplication(context.subject, application);
  // Refused now, not at the next start.
  topology.withOwnOutputs(() => 1);
  const known = (await readReprocessing(context.subject.engine)).get(application);
  if (known !== undefined)
    throw new ServingError('SERVING_REPROCESS', `${application} is built anew already; see reprocess status`);
  const begun = {
    applicationId: nextIdOf(application),
    switched: false,
    startedAtMs: context.wallClock(),
    switchedAtMs: null,
  };
  await write(context, application, begun);
  return begun;
});

/** Lets readers of the stores go over to the new one, once it has come as far as the present one. */
export const switchReprocessing = operation('reprocess-switch', async (context, application) => {
  const known = await reprocessingOf(context, application);
  const { state, lag } = await statusOf(context, application, known);
  if (state === 'waiting' || state === 'building')
    throw new ServingError(
      'SERVING_REPROCESS',
      state === 'waiting'
        ? `${known.applicationId} has not begun; start the instance again first`
        : `${known.applicationId} has not come as far as ${application} yet, ${lag} records are left; see reprocess status`,
    );
  const switched = { ...known, switched: true, switchedAtMs: context.wallClock() };
  await write(context, application, switched);
  context.onActiveChanged?.(application, known.applicationId);
  return switched;
});

/** Lets readers of the stores go back. */
export const rollBackReprocessing = operation('reprocess-rollback', async (context, application) => {
  const known = await reprocessingOf(context, application);
  if (!known.switched)
    throw new ServingError(
      'SERVING_REPROCESS',
      `readers of ${application} were not switched; nothing to go back from`,
    );
  const back = { ...known, switched: false, switchedAtMs: null };
  await write(context, application, back);
  context.onActiveChanged?.(application, application);
  return back;
});

/** Everything that is built anew. */
export const reprocessingStatus: Operation<object, ReprocessingStatus> = {
  name: 'reprocess-status',
  params: z.strictObject({}),
  line: status,
  async *run(context) {
    for (const [application, known] of await readReprocessing(context.subject.engine))
      yield await statusOf(context, application, known);
  },
};

/**
 * Lets readers in a process of a deployment on Kafka go over whenever that is noted, by whichever process.
 * @param onTrouble hears of what could not be read; it is read again with the next note
 */
export async function followReprocessing(
  engine: LogEngine,
  active: ActiveApplications,
  onTrouble: (cause: unknown) => void,
): Promise<TailSubscription> {
  await makeNotes(engine, REPROCESSING_TOPIC);
  let reading: Promise<void> = Promise.resolve();
  const read = (): void => {
    reading = reading.then(async () => active.take(await readReprocessing(engine))).catch(onTrouble);
  };
  const tail = engine.tail([REPROCESSING_TOPIC], read);
  // What was noted between the start of the process and that of the tail.
  read();
  await reading;
  return tail;
}
