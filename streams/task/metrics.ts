/** One figure, by the name Kafka Streams gives it. */
export interface StreamsMetric {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Counters of a task; plain fields, as the hot path adds to them. */
export class TaskMetrics {
  processed = 0;
  punctuated = 0;
  dropped = 0;
  produced = 0;
  deadLettered = 0;
  commits = 0;
  latenessMaxMs = 0;
}
