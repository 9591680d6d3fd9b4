import type { KeyValue } from '../../../stores/store.ts';
import type { Processor, ProcessorContext, ProcessorSupplier } from '../../processor.ts';
import type { Record } from '../../record.ts';
import type { ForeachAction, KeyValueMapper, Predicate, ValueMapper } from '../functions.ts';
import { requiredFunction, SIGNATURES } from '../internal/required.ts';

type AnyContext = ProcessorContext<unknown, unknown>;
type AnyRecord = Record<unknown, unknown>;
export type AnyProcessorSupplier = ProcessorSupplier<unknown, unknown, unknown, unknown>;

/** A processor that is a function of the record in hand. */
class FunctionProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #run: (record: AnyRecord, context: AnyContext) => void;
  #context!: AnyContext;

  constructor(run: (record: AnyRecord, context: AnyContext) => void) {
    this.#run = run;
  }

  init(context: AnyContext): void {
    this.#context = context;
  }

  process(record: AnyRecord): void {
    this.#run(record, this.#context);
  }
}

function supplierOf(run: (record: AnyRecord, context: AnyContext) => void): AnyProcessorSupplier {
  return { get: () => new FunctionProcessor(run) };
}

export function filterSupplier(
  predicate: Predicate<unknown, unknown>,
  wanted: boolean,
): AnyProcessorSupplier {
  requiredFunction(wanted ? 'filter' : 'filterNot', 'predicate', SIGNATURES.predicate, predicate);
  return supplierOf((record, context) => {
    if (predicate(record.key, record.value) === wanted) context.forward(record);
  });
}

export function mapSupplier(
  mapper: KeyValueMapper<unknown, unknown, KeyValue<unknown, unknown>>,
): AnyProcessorSupplier {
  requiredFunction('map', 'mapper', '(key, value) => ({ key, value })', mapper);
  return supplierOf((record, context) => {
    const { key, value } = mapper(record.key, record.value);
    context.forward({ key, value, timestamp: record.timestamp, headers: record.headers });
  });
}

export function flatMapSupplier(
  mapper: KeyValueMapper<unknown, unknown, Iterable<KeyValue<unknown, unknown>>>,
): AnyProcessorSupplier {
  requiredFunction('flatMap', 'mapper', '(key, value) => [{ key, value }, ...]', mapper);
  return supplierOf((record, context) => {
    const { timestamp, headers } = record;
    for (const { key, value } of mapper(record.key, record.value))
      context.forward({ key, value, timestamp, headers });
  });
}

export function selectKeySupplier(mapper: KeyValueMapper<unknown, unknown, unknown>): AnyProcessorSupplier {
  requiredFunction('selectKey', 'mapper', SIGNATURES.keyMapper, mapper);
  return supplierOf((record, context) => {
    const { value, timestamp, headers } = record;
    context.forward({ key: mapper(record.key, value), value, timestamp, headers });
  });
}

export function mapValuesSupplier(mapper: ValueMapper<unknown, unknown, unknown>): AnyProcessorSupplier {
  requiredFunction('mapValues', 'mapper', '(value, key) => newValue', mapper);
  return supplierOf((record, context) => {
    const { key, timestamp, headers } = record;
    context.forward({ key, value: mapper(record.value, key), timestamp, headers });
  });
}

export function flatMapValuesSupplier(
  mapper: ValueMapper<unknown, unknown, Iterable<unknown>>,
): AnyProcessorSupplier {
  requiredFunction('flatMapValues', 'mapper', '(value, key) => [newValue, ...]', mapper);
  return supplierOf((record, context) => {
    const { key, timestamp, headers } = record;
    for (const value of mapper(record.value, key)) context.forward({ key, value, timestamp, headers });
  });
}

export function peekSupplier(action: ForeachAction<unknown, unknown>): AnyProcessorSupplier {
  requiredFunction('peek', 'action', SIGNATURES.action, action);
  return supplierOf((record, context) => {
    action(record.key, record.value);
    context.forward(record);
  });
}

export function foreachSupplier(action: ForeachAction<unknown, unknown>): AnyProcessorSupplier {
  requiredFunction('foreach', 'action', SIGNATURES.action, action);
  return supplierOf((record) => action(record.key, record.value));
}

/** The text of a key or value: objects as JSON, whose whole numbers beyond the safe ones are digits. */
function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return JSON.stringify(value, (_name, part) => (typeof part === 'bigint' ? String(part) : part));
}

/** Writes a line for each record, as Kafka Streams' Printed does. */
export function printSupplier(
  write: (line: string) => void,
  label: string,
  format: KeyValueMapper<unknown, unknown, string> | undefined,
): AnyProcessorSupplier {
  requiredFunction('print', 'write', '(line) => void', write);
  const text = format ?? ((key, value) => `${shown(key)}, ${shown(value)}`);
  return supplierOf(({ key, value }) => write(`[${label}]: ${text(key, value)}`));
}

export function passThroughSupplier(): AnyProcessorSupplier {
  return supplierOf((record, context) => context.forward(record));
}

/** Hands a record to the child of the first predicate that holds. @param branches may still grow until the topology is built */
export function branchSupplier(
  branches: readonly { readonly predicate: Predicate<unknown, unknown>; readonly child: string }[],
): AnyProcessorSupplier {
  return supplierOf((record, context) => {
    for (let index = 0; index < branches.length; index += 1) {
      const { predicate, child } = branches[index]!;
      if (!predicate(record.key, record.value)) continue;
      context.forward(record, child);
      return;
    }
  });
}
