/**
 * The Processor API, after Kafka Streams' org.apache.kafka.streams.processor.api. A processor is made once for each task
 * and is called synchronously, one record at a time.
 */
import type { StateStore, StoreBuilder } from '../stores/store.ts';
import type { Headers, Record, RecordMetadata } from './record.ts';

/** Which time a punctuation goes by: that of the records, or that of the machine. */
export type PunctuationType = 'stream-time' | 'wall-clock-time';

/** Called with the time that made it due, in milliseconds since the epoch. */
export type Punctuator = (timestampMs: number) => void;

/** A punctuation that is under way; cancelling it twice does nothing. */
export interface Cancellable {
  cancel(): void;
}

/** What a processor may ask of its task, whether or not it forwards records. */
export interface ProcessingContext {
  readonly applicationId: string;
  /** `<sub-topology>_<partition>`, as in Kafka Streams. */
  readonly taskId: string;
  readonly partition: number;
  /** The input record being processed; null inside a punctuation. */
  recordMetadata(): RecordMetadata | null;
  /** @throws where no store of that name is connected to this node; the error names both. */
  getStateStore<S extends StateStore>(name: string): S;
  /**
   * Calls back every `intervalMs` of stream time or of wall-clock time. Stream-time punctuations are aligned to multiples
   * of the interval. After a restart the next one is the first multiple after the stream time that was committed (Kafka
   * Streams would fire at once): so a restart leaves no trace in the output.
   */
  schedule(intervalMs: number, type: PunctuationType, callback: Punctuator): Cancellable;
  /** The highest timestamp this task has seen, or -1 before the first record. */
  currentStreamTimeMs(): number;
  /** The wall clock of the runtime (the named seam), for wall-clock punctuation only. */
  currentSystemTimeMs(): number;
  /** Counts the record in hand as left out on purpose, in `dropped-records-total`. */
  recordDropped(): void;
  /** Asks for a commit as soon as the records in hand are done. */
  commit(): void;
}

/** The context of a processor that may forward records of any key. */
export interface ProcessorContext<KOut, VOut> extends ProcessingContext {
  /** Hands a record to all child nodes, or to the one named. */
  forward<K extends KOut, V extends VOut>(record: Record<K, V>, childName?: string): void;
}

/** A node of a topology written by hand: takes a record at a time, keeps state in stores and forwards results. */
export interface Processor<KIn, VIn, KOut = never, VOut = never> {
  /** Called once before the first record, and again after a task was rolled back: rebuild any state held in memory from the stores. */
  init?(context: ProcessorContext<KOut, VOut>): void;
  process(record: Record<KIn, VIn>): void;
  close?(): void;
}

/**
 * Makes the processors of a node, one a task: a new one in each call. When the node is added to a topology it is called twice to see that it does, as
 * by Kafka Streams. `stores` are connected to the node without a further call.
 */
export interface ProcessorSupplier<KIn, VIn, KOut = never, VOut = never> {
  get(): Processor<KIn, VIn, KOut, VOut>;
  stores?(): readonly StoreBuilder[];
}

/** A record whose key stays as it is. */
export interface FixedKeyRecord<K, V> {
  readonly key: K;
  readonly value: V;
  readonly timestamp: number;
  readonly headers: Headers;
}

/** The context of a processor that may not change the key. */
export interface FixedKeyProcessorContext<K, VOut> extends ProcessingContext {
  /** The key must be the one of the record being processed. */
  forward<V extends VOut>(record: FixedKeyRecord<K, V>, childName?: string): void;
}

/** A processor that cannot change the key, so that the partitioning stays as it is. */
export interface FixedKeyProcessor<K, VIn, VOut = never> {
  init?(context: FixedKeyProcessorContext<K, VOut>): void;
  process(record: FixedKeyRecord<K, VIn>): void;
  close?(): void;
}

/** Makes the processors of a node that keeps the key, one a task, and names their stores. */
export interface FixedKeyProcessorSupplier<K, VIn, VOut = never> {
  get(): FixedKeyProcessor<K, VIn, VOut>;
  stores?(): readonly StoreBuilder[];
}
