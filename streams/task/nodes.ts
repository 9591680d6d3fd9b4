import type { Serde } from '../../stores/serde.ts';
import { StreamsError } from '../errors.ts';
import type { SinkNode } from '../graph/nodes.ts';
import { partitionForKey } from '../log/partitioner.ts';
import type { Processor } from '../processor.ts';
import type { Record } from '../record.ts';
import type { AnyPartitioner, SinkTarget } from './output.ts';
import type { StreamTask } from './streamTask.ts';

export type AnyRecord = Record<unknown, unknown>;

/** A node of a task at work. */
export interface RunningNode {
  readonly name: string;
  process(record: AnyRecord): void;
}

const SCRATCH_BYTES = 64 * 1024;
/** Shared by all sinks: what is encoded here is copied by the log before the next record is. */
const SCRATCH = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** A processor with its children; keeps the task informed of which node is at work, for errors and metrics. */
export class RunningProcessor implements RunningNode {
  readonly name: string;
  readonly children: RunningNode[] = [];
  readonly processor: Processor<unknown, unknown, unknown, unknown>;
  readonly #task: StreamTask;

  constructor(name: string, processor: Processor<unknown, unknown, unknown, unknown>, task: StreamTask) {
    this.name = name;
    this.processor = processor;
    this.#task = task;
  }

  process(record: AnyRecord): void {
    const before = this.#task.node;
    this.#task.node = this.name;
    this.processor.process(record);
    this.#task.node = before;
  }

  forward(record: AnyRecord, childName: string | undefined): void {
    if (childName === undefined) {
      for (let index = 0; index < this.children.length; index += 1) this.children[index]!.process(record);
      return;
    }
    for (let index = 0; index < this.children.length; index += 1) {
      const child = this.children[index]!;
      if (child.name === childName) {
        child.process(record);
        return;
      }
    }
    const known = this.children.map(({ name }) => name).join(', ') || 'none';
    throw new StreamsError(
      'STREAMS_TOPOLOGY',
      `processor ${this.name} forwards to ${childName}, which is no child of it; its children: ${known}`,
    );
  }
}

/** Encodes records and writes them to the log. */
export class RunningSink implements RunningNode {
  readonly name: string;
  readonly #task: StreamTask;
  readonly #topic: SinkNode['topic'];
  readonly #keySerde: Serde<unknown>;
  readonly #valueSerde: Serde<unknown>;
  readonly #partitioner: AnyPartitioner | null;
  readonly #dropsNullKeys: boolean;
  readonly #fixed: SinkTarget | null;
  readonly #fixedTopic: string;

  constructor(node: SinkNode, task: StreamTask) {
    this.name = node.name;
    this.#task = task;
    this.#topic = node.topic;
    this.#keySerde = node.options.keySerde;
    this.#valueSerde = node.options.valueSerde;
    this.#partitioner = node.options.partitioner ?? null;
    this.#dropsNullKeys = node.options.dropsNullKeys ?? false;
    this.#fixedTopic = typeof node.topic === 'string' ? task.resolveTopic(node.topic) : '';
    this.#fixed = typeof node.topic === 'string' ? task.output.target(this.#fixedTopic) : null;
  }

  process(record: AnyRecord): void {
    if (this.#dropsNullKeys && record.key === null) {
      this.#task.metrics.dropped += 1;
      return;
    }
    const before = this.#task.node;
    this.#task.node = this.name;
    try {
      if (this.#fixed !== null) this.#send(this.#fixed, this.#fixedTopic, record);
      else this.#sendToExtracted(record);
    } catch (cause) {
      this.#task.productionFailed(this.#fixedTopic, record, cause);
    }
    this.#task.node = before;
  }

  #sendToExtracted(record: AnyRecord): void {
    if (typeof this.#topic === 'string') return;
    const topic = this.#task.resolveTopic(this.#topic(record.key, record.value, record));
    this.#send(this.#task.output.target(topic), topic, record);
  }

  #partitionOf(keyBytes: Buffer | null, partitions: number): number {
    if (keyBytes === null || partitions === 1) return 0;
    return partitionForKey(this.#keySerde.partitionedBytes?.(keyBytes) ?? keyBytes, partitions);
  }

  #send(target: SinkTarget, topic: string, record: AnyRecord): void {
    const { key, value } = record;
    let at = 0;
    let keyBytes: Buffer | null = null;
    if (key !== null) {
      keyBytes = this.#task.inputKeyBytes(key, this.#keySerde);
      if (keyBytes === null) {
        const into = this.#keySerde.serializeInto;
        const end = into === undefined ? -1 : this.#keySerde.serializeInto!(topic, key, SCRATCH, 0);
        if (end >= 0) {
          keyBytes = SCRATCH.subarray(0, end);
          at = end;
        } else keyBytes = this.#keySerde.serialize(topic, key);
      }
    }
    let valueBytes: Buffer | null = null;
    if (value !== null) {
      const into = this.#valueSerde.serializeInto;
      const end = into === undefined ? -1 : this.#valueSerde.serializeInto!(topic, value, SCRATCH, at);
      valueBytes = end >= 0 ? SCRATCH.subarray(at, end) : this.#valueSerde.serialize(topic, value);
    }
    const chosen =
      this.#partitioner === null ? null : this.#partitioner(topic, key, value, target.partitions);
    const partition = chosen ?? this.#partitionOf(keyBytes, target.partitions);
    this.#task.metrics.produced += 1;
    target.send(
      partition,
      record.timestamp,
      keyBytes,
      valueBytes,
      record.headers,
      key,
      value,
      this.#keySerde,
      this.#valueSerde,
    );
  }
}
