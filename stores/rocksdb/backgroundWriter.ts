import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { PackedBatch } from './packedBatch.ts';
import { BUSY, type WriteOrder, type WriteOutcome, type WriterThreadData } from './writerProtocol.ts';

/** A disk that takes longer for one write counts as failed. */
const WRITE_MS_MAX = 60_000;
const HEAP_MB_MAX = 128;
const YOUNG_MB_MAX = 16;

/** A write that another thread is at. */
export interface WriteUnderWay {
  /**
   * Waits until the write has ended, and keeps the event loop meanwhile. Call it once.
   * @throws Error what the database says; whether the changes are in it is then not known
   */
  finish(): void;
}

/**
 * Writes batches on a thread of its own, one at a time. The thread is started by the first look for it, and used once it is ready.
 * Starting -> ready <-> writing; it ends with `close`, or by a failure of its own, and is never used again then.
 */
export class BackgroundWriter {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #signal = new Int32Array(new SharedArrayBuffer(4));
  readonly #batch = new PackedBatch();
  #shared = new SharedArrayBuffer(1024 * 1024);
  #state: 'starting' | 'ready' | 'writing' | 'ended' = 'starting';
  #onEnd: () => void = () => undefined;
  #outcome: WriteOutcome | null = null;

  constructor(handle: bigint, columns: readonly string[]) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const workerData: WriterThreadData = { handle, columns, port: port2, signal: this.#signal };
    this.#worker = new Worker(new URL('./writerThread.js', import.meta.url), {
      workerData,
      transferList: [port2],
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX, maxYoungGenerationSizeMb: YOUNG_MB_MAX },
    });
    this.#worker.on('error', (cause) => this.#ended(cause.message));
    this.#worker.on('exit', () => this.#ended('the thread that writes has ended'));
    this.#worker.unref();
    port1.on('message', (outcome: WriteOutcome) => this.#heard(outcome));
    port1.unref();
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  /** The one batch there is, emptied. Only where the writer is ready; what it held is gone. */
  takeBatch(): PackedBatch {
    this.#batch.clear();
    return this.#batch;
  }

  /** Begins to write the batch, which keeps its changes to be read until the next is taken. @param onEnd the write has ended, well or not */
  write(batch: PackedBatch, onEnd: () => void, sync: boolean): WriteUnderWay {
    if (this.#state !== 'ready') throw new Error(`the thread that writes is ${this.#state}`);
    const bytes = batch.bytes;
    if (bytes.length > this.#shared.byteLength || bytes.length * 8 < this.#shared.byteLength) {
      this.#shared = new SharedArrayBuffer(Math.max(1024 * 1024, bytes.length * 2));
    }
    new Uint8Array(this.#shared).set(bytes);
    this.#state = 'writing';
    this.#outcome = null;
    this.#onEnd = onEnd;
    // A process with nothing else to do must not end before it has heard of its write.
    this.#port.ref();
    Atomics.store(this.#signal, 0, BUSY);
    this.#port.postMessage({ shared: this.#shared, bytes: bytes.length, sync } satisfies WriteOrder);
    return { finish: () => this.#finish() };
  }

  /** Ends the thread, after the write that it is at. */
  async close(): Promise<void> {
    this.#state = 'ended';
    await this.#worker.terminate();
    this.#port.close();
  }

  #finish(): void {
    this.#onEnd = () => undefined;
    if (this.#state === 'writing') {
      Atomics.wait(this.#signal, 0, BUSY, WRITE_MS_MAX);
      const message: { readonly message: WriteOutcome } | undefined = receiveMessageOnPort(this.#port);
      if (message === undefined) this.#ended(`a write has not ended within ${WRITE_MS_MAX} ms`);
      else this.#heard(message.message);
    }
    const failure = this.#outcome === null ? 'the thread that writes has ended' : this.#outcome.failure;
    if (failure !== null) throw new Error(failure);
  }

  #heard(outcome: WriteOutcome): void {
    if (this.#state === 'ended') return;
    this.#state = 'ready';
    this.#outcome = outcome;
    this.#port.unref();
    this.#onEnd();
  }

  #ended(failure: string): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#outcome = { failure };
    process.emitWarning(`the main thread writes all batches from now on: ${failure}`);
    this.#port.unref();
    this.#onEnd();
  }
}
