import { EmbeddedLog } from '../../../streams/log/embedded/index.ts';
import { topicsReadBy } from '../../../streams/ops/lag.ts';
import { verifyLog } from '../../../streams/ops/verifyLog.ts';
import { verifyBooks } from './books.ts';
import { verifyMoney } from './money.ts';
import { verifyOffsets } from './offsets.ts';
import { verifyOrders } from './orders.ts';
import {
  Findings,
  INVARIANT_NAMES,
  type InvariantName,
  type VerificationProgress,
  type VerificationReport,
} from './report.ts';
import { type Snapshot, takeSnapshot, type VerificationSubject } from './snapshot.ts';
import { Pacer } from './walk.ts';

export type { InvariantReport, VerificationProgress, VerificationReport, Violation } from './report.ts';
export { INVARIANT_NAMES, INVARIANTS, type InvariantName } from './report.ts';
export type { VerificationSubject } from './snapshot.ts';

export interface VerifyOptions {
  /** Left out: all of them. */
  readonly only?: readonly InvariantName[];
  /** Violations listed of each invariant; all are counted. Default 100. */
  readonly violationsMax?: number;
  /**
   * How long to wait until the applications have worked off their backlog, in milliseconds. Beyond it the backlog is a violation.
   * null, for applications that do not run: a backlog is told, not held against anybody.
   */
  readonly caughtUpWithinMs: number | null;
  readonly onProgress?: (progress: VerificationProgress) => void;
}

const VIOLATIONS_MAX = 100;
const LAG_POLL_MS = 20;

/**
 * Checks the invariants on an open log, or on a cut through a deployment on Kafka, beside everything that runs on it: ends and small stores are read in one moment, and what the log
 * holds up to there is gone through in slices of a few milliseconds. It changes nothing. Where retention has removed early records the
 * report says what could not be checked.
 * @throws LogError where the log cannot be read at all
 */
export async function verifyInvariants(
  subject: VerificationSubject,
  options: VerifyOptions,
): Promise<VerificationReport> {
  const wanted = INVARIANT_NAMES.filter((name) => options.only?.includes(name) ?? true);
  const violationsMax = options.violationsMax ?? VIOLATIONS_MAX;
  const findings = Object.fromEntries(
    INVARIANT_NAMES.map((name) => [name, new Findings(name, violationsMax)]),
  ) as Record<InvariantName, Findings>;
  const counts = new Map<string, number>();
  for (const topic of await subject.engine.admin.listTopics())
    counts.set(topic, (await subject.engine.admin.describeTopic(topic)).partitions);
  const snapshot = await settledSnapshot(subject, counts, findings.state, options);
  const pacer = new Pacer();
  for (const invariant of wanted) {
    let records = 0;
    const tell = (step: string): void => {
      options.onProgress?.({ invariant, step, records });
      records += 1;
    };
    tell('begins');
    const found = findings[invariant];
    if (invariant === 'money') await verifyMoney(subject, snapshot, found, pacer);
    else if (invariant === 'orders')
      await verifyOrders(subject, snapshot, found, pacer, (partition) => tell(`partition ${partition}`));
    else if (invariant === 'books')
      await verifyBooks(subject, snapshot, found, pacer, (partition) => tell(`partition ${partition}`));
    else if (invariant === 'log') await checkLog(subject, found, pacer, tell);
    else checkLag(snapshot, subject.engine.cut?.idle ?? new Set(), found, options.caughtUpWithinMs);
  }
  const invariants = wanted.map((name) => findings[name].report());
  return { ok: invariants.every(({ violationCount }) => violationCount === 0), invariants };
}

async function settledSnapshot(
  subject: VerificationSubject,
  counts: ReadonlyMap<string, number>,
  findings: Findings,
  { caughtUpWithinMs }: VerifyOptions,
): Promise<Snapshot> {
  const untilMs = performance.now() + (caughtUpWithinMs ?? 0);
  while (isBehind(subject, counts) && performance.now() < untilMs)
    await new Promise((resolve) => setTimeout(resolve, LAG_POLL_MS));
  return takeSnapshot(subject, counts, findings);
}

/** A cut through a deployment on Kafka has been waited for already. */
function isBehind(
  { engine, applications }: VerificationSubject,
  counts: ReadonlyMap<string, number>,
): boolean {
  if (engine.cut !== undefined) return false;
  return applications.some((application) => {
    const positions = new Map(
      engine
        .positions(application.applicationId)
        .map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]),
    );
    return topicsReadBy(application).some((topic) =>
      Array.from({ length: counts.get(topic) ?? 0 }, (_, partition) => partition).some(
        (partition) =>
          (positions.get(`${topic}/${partition}`) ?? engine.earliest(topic, partition)) <
          engine.committedEnd(topic, partition),
      ),
    );
  });
}

async function checkLog(
  { engine, applications }: VerificationSubject,
  findings: Findings,
  pacer: Pacer,
  tell: (step: string) => void,
): Promise<void> {
  if (!(engine instanceof EmbeddedLog)) {
    await verifyOffsets(engine, findings, pacer, tell);
    return;
  }
  const { partitions, records, violations } = await verifyLog(
    engine,
    applications.map(({ applicationId }) => applicationId),
  );
  findings.checked('partitions', partitions);
  findings.checked('records', records);
  for (const { topic, partition, what } of violations) findings.violation(`${topic}[${partition}]`, what);
}

function checkLag(
  snapshot: Snapshot,
  idle: ReadonlySet<string>,
  findings: Findings,
  caughtUpWithinMs: number | null,
): void {
  findings.checked('positions', snapshot.positions.size);
  for (const { applicationId, topic, partition, lag } of snapshot.lag) {
    if (caughtUpWithinMs === null)
      findings.notChecked(
        `${applicationId} has ${lag} records of ${topic}[${partition}] left to process at its next start`,
      );
    else if (idle.has(applicationId))
      findings.notChecked(
        `${applicationId} has ${lag} records of ${topic}[${partition}] left and took none of them within ${caughtUpWithinMs} ms: no process runs it, or it stands still`,
      );
    else
      findings.violation(
        `${topic}[${partition}]`,
        `${applicationId} has not caught up within ${caughtUpWithinMs} ms`,
        { lag },
      );
  }
}
