import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { COMMIT_LATENCY_BUCKETS_MS, EmbeddedLog, type LogMetrics } from '../../streams/log/embedded/index.ts';
import type { ServingContext } from '../context.ts';
import { documented } from './docs.ts';

const HTTP_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const MILLISECONDS_PER_SECOND = 1_000;

/** The log's counters: the name they are shown by, what they count, and where they are found. */
const LOG_COUNTERS = [
  ['opentape_log_commits_total', 'Commits of the log', 'commits'],
  ['opentape_log_records_total', 'Records committed', 'records'],
  ['opentape_log_bytes_total', 'Bytes of records committed', 'bytes'],
  ['opentape_log_rollbacks_total', 'Commits that were undone', 'rollbacks'],
  ['opentape_log_io_errors_total', 'Writes the data directory refused', 'ioErrors'],
  ['opentape_log_recoveries_total', 'Times the log came back after a failure', 'recoveries'],
  ['opentape_log_retained_batches_deleted_total', 'Batches deleted by retention', 'retainedBatchesDeleted'],
  [
    'opentape_log_compacted_records_removed_total',
    'Records removed by compaction',
    'compactedRecordsRemoved',
  ],
] as const;

/** How long commits take, as Prometheus writes a histogram: the log counts for itself, so that nothing is counted twice. */
function commitHistogram(metrics: LogMetrics): string {
  const name = 'opentape_log_commit_duration_seconds';
  const lines = [`# HELP ${name} Duration of the synced write of a commit`, `# TYPE ${name} histogram`];
  let total = 0;
  for (const [index, count] of metrics.commitLatencyCounts.entries()) {
    total += count;
    const bound = COMMIT_LATENCY_BUCKETS_MS[index];
    const le = bound === undefined ? '+Inf' : String(bound / MILLISECONDS_PER_SECOND);
    lines.push(`${name}_bucket{le="${le}"} ${total}`);
  }
  lines.push(`${name}_sum ${metrics.commitLatencyMsSum / MILLISECONDS_PER_SECOND}`, `${name}_count ${total}`);
  return `${lines.join('\n')}\n`;
}

/** The applications' metrics by Kafka Streams' names, with the underscores Prometheus wants. */
class StreamsMetrics {
  readonly #registry: Registry;
  readonly #context: ServingContext;

  constructor(registry: Registry, context: ServingContext) {
    this.#registry = registry;
    this.#context = context;
  }

  collect(): void {
    const cleared = new Set<string>();
    for (const { name, tags, value } of this.#context.metrics()) {
      const shown = `kafka_streams_${name.replaceAll('-', '_')}`;
      const metric = this.#metric(shown, name, Object.keys(tags));
      if (!cleared.has(shown)) metric.reset();
      cleared.add(shown);
      metric.inc(tags, value);
    }
  }

  #metric(shown: string, name: string, labelNames: readonly string[]): Counter | Gauge {
    const found = this.#registry.getSingleMetric(shown);
    if (found !== undefined) return found as Counter | Gauge;
    const options = {
      name: shown,
      help: `${name} of Kafka Streams`,
      labelNames: [...labelNames],
      registers: [this.#registry],
    };
    return name.endsWith('-total') ? new Counter(options) : new Gauge(options);
  }
}

function registerLogCounters(registry: Registry, metrics: LogMetrics): void {
  for (const [name, help, field] of LOG_COUNTERS) {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(metrics[field]);
      },
    });
  }
}

/** Figures of the process, the log, the applications and the HTTP routes for Prometheus; open, as scrapers carry no key. */
export function registerMetrics(server: FastifyInstance, context: ServingContext): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: 'opentape_http_request_duration_seconds',
    help: 'Duration of HTTP requests by route',
    labelNames: ['method', 'route', 'status'],
    buckets: HTTP_BUCKETS_SECONDS,
    registers: [registry],
  });
  const streams = new StreamsMetrics(registry, context);
  const log = context.engine instanceof EmbeddedLog ? context.engine.metrics : null;
  if (log !== null) registerLogCounters(registry, log);
  server.addHook('onResponse', async (request, reply) => {
    const labels = {
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: String(reply.statusCode),
    };
    durations.observe(labels, reply.elapsedTime / MILLISECONDS_PER_SECOND);
  });
  const description = documented('Metrics for Prometheus', { tag: 'operations', open: true });
  server.get('/metrics', description, async (_request, reply) => {
    streams.collect();
    const text = await registry.metrics();
    return reply.type(registry.contentType).send(log === null ? text : `${text}${commitHistogram(log)}`);
  });
}
