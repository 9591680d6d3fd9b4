import { isCachedStateStore } from '../../stores/cached.ts';
import type { Serde } from '../../stores/serde.ts';
import type { BytesStore, StateBackend, StateStore } from '../../stores/store.ts';
import { StreamsError } from '../errors.ts';
import type { SourceNode, Subtopology } from '../graph/nodes.ts';
import { LogError } from '../log/errors.ts';
import type { Cancellable, PunctuationType, Punctuator } from '../processor.ts';
import type { RecordMetadata } from '../record.ts';
import { Checkpoint, type CheckpointKind } from './checkpoint.ts';
import { TaskProcessorContext } from './context.ts';
import { type DeadLetters, FailureDesk } from './failures.ts';
import type { ErrorHandlers } from './handlers.ts';
import { TaskMetrics } from './metrics.ts';
import { type AnyRecord, type RunningNode, RunningProcessor, RunningSink } from './nodes.ts';
import type { HandedOver, InputRecord, TaskOutput } from './output.ts';
import { PunctuationQueue } from './punctuation.ts';

export interface TaskOptions {
  readonly applicationId: string;
  readonly subtopology: Subtopology;
  readonly partition: number;
  readonly state: StateBackend;
  readonly output: TaskOutput;
  readonly deadLetters: DeadLetters;
  readonly handlers: ErrorHandlers;
  readonly globalStores: ReadonlyMap<string, StateStore>;
  /** Whether it fills a global store. */
  readonly isGlobal?: boolean;
  readonly wallClock: () => number;
  /** The log's name of a topic that the topology names. */
  readonly resolveTopic: (name: string) => string;
  /** Stream time that was committed, or -1. */
  readonly streamTimeMs: number;
  /** See `StreamTask.careful`. */
  readonly careful?: boolean;
}

interface RunningSource {
  readonly node: SourceNode;
  readonly children: RunningNode[];
}

/** @throws StreamsError STREAMS_TOPOLOGY where stores of the task cannot be processed again together */
function checkpointKind({ stores }: Subtopology): CheckpointKind {
  if (stores.some(({ residence }) => residence === 'copy')) return 'copy';
  if (!stores.some(({ residence }) => residence === 'replayed')) return 'each-commit';
  const other = stores.find(({ residence }) => residence !== 'replayed');
  if (other === undefined) return 'replayed';
  throw new StreamsError(
    'STREAMS_TOPOLOGY',
    `store ${other.name} shares its tasks with a store of residence replayed; give it the same residence`,
  );
}

/** @throws StreamsError STREAMS_DESERIALIZATION */
function refuseTimestamp(source: string, timestamp: unknown): never {
  throw new StreamsError(
    'STREAMS_DESERIALIZATION',
    `source ${source}: the timestamp is ${String(timestamp)}; give whole milliseconds, or a negative number to leave the record out`,
  );
}

/**
 * One partition of a sub-topology: decodes records, moves stream time, runs them through the nodes and fires punctuations. It is the
 * same code in production and in the test driver.
 */
export class StreamTask {
  readonly applicationId: string;
  readonly id: string;
  readonly partition: number;
  readonly output: TaskOutput;
  readonly wallClock: () => number;
  readonly resolveTopic: (name: string) => string;
  readonly metrics = new TaskMetrics();
  readonly stores = new Map<string, StateStore>();
  streamTimeMs: number;
  commitRequested = false;
  /** In which commits its stores are written down. */
  readonly checkpoint: Checkpoint;
  /** Whether its store is one that other tasks look into. */
  readonly isGlobal: boolean;
  /** Whether it was a flush that failed, and what it failed on came of a record that is not known. */
  failedAtFlush = false;
  /** Whether record caches are flushed, so that what is forwarded comes of records that are not known. */
  flushing = false;
  /** The node at work. */
  node = '';
  /** Whether the task is in the middle of something: still true after it threw, so that the one to blame can be found. */
  atWork = false;
  readonly #sources = new Map<string, RunningSource>();
  readonly #processors: RunningProcessor[] = [];
  readonly #globalStores: ReadonlyMap<string, StateStore>;
  readonly #streamTime = new PunctuationQueue();
  readonly #wallTime = new PunctuationQueue();
  readonly #failures: FailureDesk;
  readonly #restoredTimeMs: number;
  #careful = false;
  #input: InputRecord | null = null;
  #inputKey: unknown = null;
  #inputKeySerde: Serde<unknown> | null = null;

  constructor(options: TaskOptions) {
    this.applicationId = options.applicationId;
    this.partition = options.partition;
    this.isGlobal = options.isGlobal ?? false;
    this.id = `${options.subtopology.id}_${options.partition}`;
    this.output = options.output;
    this.wallClock = options.wallClock;
    this.resolveTopic = options.resolveTopic;
    this.streamTimeMs = this.#restoredTimeMs = options.streamTimeMs;
    this.#globalStores = options.globalStores;
    this.#failures = new FailureDesk(this, options.handlers, options.deadLetters);
    this.checkpoint = new Checkpoint(checkpointKind(options.subtopology), this.stores);
    const opened: BytesStore[] = [];
    try {
      this.#openStores(options, opened);
      this.careful = options.careful ?? false;
      this.#buildNodes(options.subtopology);
    } catch (cause) {
      // Nobody gets to hold the task, so nobody else would close them for the next one.
      for (const bytes of opened) bytes.close();
      throw cause;
    }
  }

  #openStores({ subtopology, state }: TaskOptions, opened: BytesStore[]): void {
    const backend: StateBackend = {
      open: (location, residence) => {
        const bytes = state.open(location, residence);
        opened.push(bytes);
        return bytes;
      },
      openCommitted: (location) => state.openCommitted(location),
    };
    for (const builder of subtopology.stores) {
      const location = {
        applicationId: this.applicationId,
        storeName: builder.name,
        partition: this.partition,
      };
      this.stores.set(builder.name, builder.build(backend, location));
    }
  }

  #buildNodes(subtopology: Subtopology): void {
    const running = new Map<string, { readonly children: RunningNode[] }>();
    const contexts: [RunningProcessor, TaskProcessorContext][] = [];
    for (const node of subtopology.nodes) {
      if (node.kind === 'source') {
        const source = { node, children: [] };
        running.set(node.name, source);
        for (const topic of node.topics) this.#sources.set(this.resolveTopic(topic), source);
        continue;
      }
      let made: RunningNode;
      if (node.kind === 'sink') made = new RunningSink(node, this);
      else {
        const processor = new RunningProcessor(node.name, node.supplier.get(), this);
        running.set(node.name, processor);
        this.#processors.push(processor);
        contexts.push([processor, new TaskProcessorContext(this, processor, node.stores)]);
        made = processor;
      }
      for (const parent of node.parents) running.get(parent)!.children.push(made);
    }
    for (const [processor, context] of contexts) {
      this.node = processor.name;
      processor.processor.init?.(context);
    }
    this.node = '';
  }

  /**
   * Whether all that comes of a record happens with it: values are encoded when they are put into a store, and record caches are flushed behind
   * each record. What fails then is known by its record, so that the handlers can be asked.
   */
  get careful(): boolean {
    return this.#careful;
  }

  set careful(on: boolean) {
    if (on === this.#careful) return;
    this.#careful = on;
    for (const store of this.stores.values()) if (isCachedStateStore(store)) store.checkWrites(on);
  }

  /** The serdes a source decodes a topic with; a sink of the same serdes may hand decoded objects over. */
  sourceOf(topic: string): SourceNode {
    return this.#sources.get(topic)!.node;
  }

  recordMetadata(): RecordMetadata | null {
    return this.#input;
  }

  /** The bytes of the input's key, where this key and serde are the input's: then nothing need be encoded again. */
  inputKeyBytes(key: unknown, serde: Serde<unknown>): Buffer | null {
    return this.#input !== null && key === this.#inputKey && serde === this.#inputKeySerde
      ? this.#input.key
      : null;
  }

  storeFor(processor: string, name: string, connected: ReadonlySet<string>): StateStore {
    const store = connected.has(name) ? this.stores.get(name) : this.#globalStores.get(name);
    const isForeign = store !== undefined && this.checkpoint.kind === 'replayed' && !this.stores.has(name);
    if (store !== undefined && !isForeign) return store;
    const reason = isForeign
      ? 'is global; what its task processes again after a restart must not depend on it'
      : this.stores.has(name)
        ? 'is not connected to it; name it among the stores of its supplier, or connect it with connectProcessorAndStateStores'
        : 'does not exist in its part of the topology; add it, and name it among the stores of the processor';
    throw new StreamsError(
      'STREAMS_UNKNOWN_STORE',
      `processor ${processor} of ${this.applicationId} asks for the store ${name}, which ${reason}`,
    );
  }

  schedule(node: string, intervalMs: number, type: PunctuationType, callback: Punctuator): Cancellable {
    if (!(intervalMs >= 1)) {
      throw new StreamsError(
        'STREAMS_TOPOLOGY',
        `processor ${node} schedules a punctuation every ${intervalMs} ms; the least is 1`,
      );
    }
    if (type === 'wall-clock-time') {
      if (this.checkpoint.kind === 'replayed') {
        throw new StreamsError(
          'STREAMS_TOPOLOGY',
          `processor ${node} schedules by the wall clock, which its task cannot go by when it processes records again`,
        );
      }
      return this.#wallTime.schedule(intervalMs, this.wallClock() + intervalMs, callback, node);
    }
    const restored = this.#restoredTimeMs;
    const firstMs = restored < 0 ? 0 : (Math.floor(restored / intervalMs) + 1) * intervalMs;
    return this.#streamTime.schedule(intervalMs, firstMs, callback, node);
  }

  /**
   * Runs one record through the nodes, and then the punctuations its time makes due.
   * @param handedOver the decoded record, where its writer used the same serdes
   * @param partitionTimeMs the highest timestamp seen before in its partition, or -1
   * @returns the record's timestamp as extracted, or -1 where it was left out
   */
  process(input: InputRecord, handedOver: HandedOver | null, partitionTimeMs: number): number {
    this.atWork = true;
    const source = this.#sources.get(input.topic)!;
    const record = this.#decode(source.node, input, handedOver, partitionTimeMs);
    if (record === null) {
      this.atWork = false;
      return -1;
    }
    this.#input = input;
    this.#inputKey = record.key;
    this.#inputKeySerde = source.node.options.keySerde;
    if (record.timestamp > this.streamTimeMs) this.streamTimeMs = record.timestamp;
    else if (this.streamTimeMs - record.timestamp > this.metrics.latenessMaxMs) {
      this.metrics.latenessMaxMs = this.streamTimeMs - record.timestamp;
    }
    this.metrics.processed += 1;
    try {
      const { children } = source;
      for (let index = 0; index < children.length; index += 1) children[index]!.process(record);
      if (this.#careful) this.#emptyRecordCaches((store) => store.flush());
    } catch (cause) {
      this.#failures.processing(this.node, input, cause);
      this.node = '';
    }
    this.#input = null;
    this.#inputKey = null;
    if (this.#streamTime.nextMs <= this.streamTimeMs) this.#punctuate(this.#streamTime, this.streamTimeMs);
    this.atWork = false;
    return record.timestamp;
  }

  #decode(
    source: SourceNode,
    input: InputRecord,
    handedOver: HandedOver | null,
    partitionTimeMs: number,
  ): AnyRecord | null {
    const { keySerde, valueSerde, timestampExtractor } = source.options;
    try {
      let key: unknown = null;
      let value: unknown = null;
      if (handedOver !== null) {
        key = handedOver.key;
        value = handedOver.value;
      } else {
        if (input.key !== null) key = keySerde.deserialize(input.topic, input.key);
        if (input.value !== null) value = valueSerde.deserialize(input.topic, input.value);
      }
      const record: AnyRecord = { key, value, timestamp: input.timestamp, headers: input.headers };
      const timestamp =
        timestampExtractor === undefined ? input.timestamp : timestampExtractor(record, partitionTimeMs);
      // Windows of a time that is no whole number are never done with.
      if (!Number.isSafeInteger(timestamp)) refuseTimestamp(source.name, timestamp);
      if (timestamp >= 0) return timestampExtractor === undefined ? record : { ...record, timestamp };
      this.metrics.dropped += 1;
      return null;
    } catch (cause) {
      this.#failures.deserialization(source.name, input, cause);
      return null;
    }
  }

  /**
   * Applies again what was processed before, as the store was not written down since. What cannot be decoded was dealt with then.
   */
  restore(input: InputRecord): void {
    const source = this.#sources.get(input.topic)!;
    const { keySerde, valueSerde } = source.node.options;
    let record: AnyRecord;
    try {
      const key = input.key === null ? null : keySerde.deserialize(input.topic, input.key);
      const value = input.value === null ? null : valueSerde.deserialize(input.topic, input.value);
      record = { key, value, timestamp: input.timestamp, headers: input.headers };
    } catch {
      this.metrics.dropped += 1;
      return;
    }
    for (const child of source.children) child.process(record);
  }

  #punctuate(queue: PunctuationQueue, nowMs: number): void {
    this.metrics.punctuated += queue.fire(nowMs, (node, callback) => {
      this.node = node;
      try {
        callback(nowMs);
        if (this.#careful) this.#emptyRecordCaches((store) => store.flush());
      } catch (cause) {
        this.#failures.punctuation(node, this.node, nowMs, cause);
      }
      this.node = '';
    });
  }

  /** Fires the wall-clock punctuations that are due. Returns whether there were any. */
  punctuateWallClock(): boolean {
    const nowMs = this.wallClock();
    if (this.#wallTime.nextMs > nowMs) return false;
    this.atWork = true;
    this.#punctuate(this.#wallTime, nowMs);
    this.atWork = false;
    return true;
  }

  /** When the next wall-clock punctuation is due; Infinity where there is none. */
  get nextWallClockMs(): number {
    return this.#wallTime.nextMs;
  }

  /** Counts and treats a result that could not be written. */
  productionFailed(topic: string, record: AnyRecord, cause: unknown): void {
    this.#failures.production(this.node, topic, record, this.#input, cause);
  }

  /**
   * Flushes the record caches. Each forwards its news to its children meanwhile, which may change a cache that was flushed before it:
   * until nothing is left.
   */
  flushRecordCaches(): void {
    this.atWork = true;
    this.flushing = true;
    this.#emptyRecordCaches((store) => this.#flushStore(store));
    this.flushing = false;
    this.atWork = false;
  }

  #emptyRecordCaches(flush: (store: StateStore) => void): void {
    let left = true;
    while (left) {
      left = false;
      for (const store of this.stores.values()) {
        if (!isCachedStateStore(store) || !store.isRecordCache || !store.hasChanges) continue;
        left = true;
        flush(store);
      }
    }
  }

  /** Sends changed values down to the engine. Nothing comes of it but writes, as the record caches were flushed before. */
  flush(): void {
    this.atWork = true;
    for (const store of this.stores.values()) this.#flushStore(store);
    this.atWork = false;
  }

  #flushStore(store: StateStore): void {
    try {
      store.flush();
    } catch (cause) {
      this.failedAtFlush = !(cause instanceof LogError);
      // What failed further down says so itself, and a failing disk is no fault of the value.
      if (cause instanceof StreamsError || cause instanceof LogError) throw cause;
      throw new StreamsError(
        'STREAMS_SERIALIZATION',
        `${this.applicationId}: the changes of store ${store.name} cannot be written`,
        { cause },
      );
    }
  }

  /** Forgets everything since the last commit that the stores hold in memory. The task is of no use afterwards but to be closed. */
  rollback(): void {
    for (const store of this.stores.values()) if (isCachedStateStore(store)) store.rollback();
  }

  close(): void {
    for (const { processor } of this.#processors) processor.close?.();
    for (const store of this.stores.values()) store.close();
  }
}
