import { StreamsError } from '../../errors.ts';
import { checkSupplier } from '../../graph/checks.ts';
import type {
  FixedKeyProcessor,
  FixedKeyProcessorContext,
  FixedKeyProcessorSupplier,
  Processor,
  ProcessorContext,
} from '../../processor.ts';
import type { Record } from '../../record.ts';
import type { AnyProcessorSupplier } from './stateless.ts';

type AnyFixedKeyProcessor = FixedKeyProcessor<unknown, unknown, unknown>;

/** Holds a processor to its word not to change keys. Outside a record, in a punctuation, it answers for the key itself. */
class FixedKeyAdapter implements Processor<unknown, unknown, unknown, unknown> {
  readonly #name: string;
  readonly #inner: AnyFixedKeyProcessor;
  #record: Record<unknown, unknown> | null = null;

  constructor(name: string, inner: AnyFixedKeyProcessor) {
    this.#name = name;
    this.#inner = inner;
  }

  init(context: ProcessorContext<unknown, unknown>): void {
    if (this.#inner.init === undefined) return;
    const forward: FixedKeyProcessorContext<unknown, unknown>['forward'] = (record, childName) => {
      if (this.#record !== null && record.key !== this.#record.key) {
        throw new StreamsError(
          'STREAMS_TOPOLOGY',
          `processor ${this.#name} forwards another key than the one it was given; use process where keys change`,
        );
      }
      context.forward(record, childName);
    };
    // The context has its methods on its prototype: an object above it changes one and keeps the others.
    const fixed: FixedKeyProcessorContext<unknown, unknown> = {
      applicationId: context.applicationId,
      taskId: context.taskId,
      partition: context.partition,
      recordMetadata: () => context.recordMetadata(),
      getStateStore: (name) => context.getStateStore(name),
      schedule: (intervalMs, type, callback) => context.schedule(intervalMs, type, callback),
      currentStreamTimeMs: () => context.currentStreamTimeMs(),
      currentSystemTimeMs: () => context.currentSystemTimeMs(),
      recordDropped: () => context.recordDropped(),
      commit: () => context.commit(),
      forward,
    };
    this.#inner.init(fixed);
  }

  process(record: Record<unknown, unknown>): void {
    this.#record = record;
    try {
      this.#inner.process(record);
    } finally {
      // Where the record is put aside, the processor goes on.
      this.#record = null;
    }
  }

  close(): void {
    this.#inner.close?.();
  }
}

export function fixedKeySupplier<K, VIn, VOut>(
  name: string,
  supplier: FixedKeyProcessorSupplier<K, VIn, VOut>,
): AnyProcessorSupplier {
  checkSupplier(`processor ${name}`, supplier);
  return {
    get: () => new FixedKeyAdapter(name, supplier.get() as unknown as AnyFixedKeyProcessor),
    stores: () => supplier.stores?.() ?? [],
  };
}
