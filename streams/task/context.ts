import type { StateStore } from '../../stores/store.ts';
import { StreamsError } from '../errors.ts';
import type { Cancellable, ProcessorContext, PunctuationType, Punctuator } from '../processor.ts';
import type { Record, RecordMetadata } from '../record.ts';
import type { RunningProcessor } from './nodes.ts';
import type { StreamTask } from './streamTask.ts';

/** Windows of a time that is no whole number are never done with. @throws StreamsError STREAMS_TOPOLOGY */
function refuseTimestamp(node: string, timestamp: unknown): never {
  throw new StreamsError(
    'STREAMS_TOPOLOGY',
    `processor ${node} forwards a record with the timestamp ${String(timestamp)}; give whole milliseconds`,
  );
}

/** What a processor sees of its task. */
export class TaskProcessorContext implements ProcessorContext<unknown, unknown> {
  readonly applicationId: string;
  readonly taskId: string;
  readonly partition: number;
  readonly #task: StreamTask;
  readonly #node: RunningProcessor;
  readonly #stores: ReadonlySet<string>;

  constructor(task: StreamTask, node: RunningProcessor, stores: ReadonlySet<string>) {
    this.applicationId = task.applicationId;
    this.taskId = task.id;
    this.partition = task.partition;
    this.#task = task;
    this.#node = node;
    this.#stores = stores;
  }

  recordMetadata(): RecordMetadata | null {
    return this.#task.recordMetadata();
  }

  getStateStore<S extends StateStore>(name: string): S {
    return this.#task.storeFor(this.#node.name, name, this.#stores) as S;
  }

  schedule(intervalMs: number, type: PunctuationType, callback: Punctuator): Cancellable {
    return this.#task.schedule(this.#node.name, intervalMs, type, callback);
  }

  currentStreamTimeMs(): number {
    return this.#task.streamTimeMs;
  }

  currentSystemTimeMs(): number {
    return this.#task.wallClock();
  }

  recordDropped(): void {
    this.#task.metrics.dropped += 1;
  }

  commit(): void {
    this.#task.commitRequested = true;
  }

  forward(record: Record<unknown, unknown>, childName?: string): void {
    if (!Number.isSafeInteger(record.timestamp)) refuseTimestamp(this.#node.name, record.timestamp);
    this.#node.forward(record, childName);
  }
}
