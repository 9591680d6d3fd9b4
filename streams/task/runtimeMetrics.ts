import { isCachedStateStore } from '../../stores/cached.ts';
import type { RunnerApplication } from './applicationRunner.ts';
import type { StreamsMetric } from './metrics.ts';

interface MeasuredRunner {
  readonly commits: number;
  applications(): readonly Pick<RunnerApplication, 'plan' | 'tasks' | 'failure'>[];
}

/**
 * The counters of all tasks and stores since the start, by Kafka Streams' names. Where it has a rate or a ratio only, as of a store's puts, the
 * count it is made of is called `-total`, from which a monitor derives the rate. Lateness is in milliseconds of stream time.
 */
export function runtimeMetrics(runner: MeasuredRunner): readonly StreamsMetric[] {
  const metrics: StreamsMetric[] = [{ name: 'commit-total', tags: {}, value: runner.commits }];
  for (const { plan, tasks, failure } of runner.applications()) {
    const application = plan.applicationId;
    metrics.push({ name: 'failed-stream-threads', tags: { application }, value: failure === null ? 0 : 1 });
    metrics.push({ name: 'task-count', tags: { application }, value: tasks.length });
    for (const task of tasks) {
      const tags = { application, task: task.id };
      const add = (name: string, value: number): void => void metrics.push({ name, tags, value });
      add('process-total', task.metrics.processed);
      add('punctuate-total', task.metrics.punctuated);
      add('dropped-records-total', task.metrics.dropped);
      add('dead-letter-records-total', task.metrics.deadLettered);
      add('records-produced-total', task.metrics.produced);
      add('record-lateness-max', task.metrics.latenessMaxMs);
      for (const store of task.stores.values()) {
        if (!isCachedStateStore(store)) continue;
        const storeTags = { ...tags, store: store.name };
        metrics.push({ name: 'put-total', tags: storeTags, value: store.statistics.puts });
        metrics.push({ name: 'get-total', tags: storeTags, value: store.statistics.gets });
        metrics.push({ name: 'hit-total', tags: storeTags, value: store.statistics.hits });
      }
    }
  }
  return metrics;
}
