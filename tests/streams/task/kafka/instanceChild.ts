/** One process of a deployment: runs both applications of support.ts and tells how it is. Arguments: brokers, instance id, folder, prefix. */
import { applicationsOf, startRuntime } from './support.ts';

const TELL_MS = 50;
const [brokers, instanceId, directory, prefix] = process.argv.slice(2) as [string, string, string, string];

/** What a process tells its parent. */
export interface Told {
  readonly caughtUp: boolean;
  readonly state: string;
  /** `application/task`. */
  readonly tasks: readonly string[];
  readonly processed: number;
  readonly causes: readonly string[];
  readonly behind: readonly string[];
}

const { runtime, changes, close } = await startRuntime(
  brokers.split(','),
  directory,
  { instanceId, prefix, commitIntervalMs: 20, standbyReplicas: Number(process.env.STANDBYS ?? 0) },
  applicationsOf(prefix),
);
const timer = setInterval(() => {
  const told: Told = {
    caughtUp: runtime.caughtUp,
    state: runtime.state,
    tasks: runtime
      .applications()
      .flatMap(({ applicationId, tasks }) => tasks.map((task) => `${applicationId}/${task}`)),
    processed: runtime
      .metrics()
      .filter(({ name }) => name === 'process-total')
      .reduce((sum, { value }) => sum + value, 0),
    behind: runtime
      .lag()
      .filter(({ lag }) => lag > 0)
      .map(({ topic, partition, position, end }) => `${topic}-${partition}: ${position} of ${end}`),
    causes: changes.flatMap(({ cause }) => (cause instanceof Error ? [cause.message] : [])),
  };
  process.send?.(told);
}, TELL_MS);
process.once('SIGTERM', () => {
  clearInterval(timer);
  void close().then(() => process.exit(0));
});
process.once('disconnect', () => process.exit(1));
