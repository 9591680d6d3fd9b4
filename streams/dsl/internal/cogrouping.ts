import type { Processor, ProcessorContext } from '../../processor.ts';
import type { Record } from '../../record.ts';
import type { Aggregator } from '../functions.ts';
import { passThroughSupplier } from '../processors/stateless.ts';
import type { AggregationSource, GroupedHandle, GroupedSource } from './aggregations.ts';
import { refuse } from './graph.ts';
import { copartition, type StreamHandle, sameGraph } from './handles.ts';
import { requiredFunction, SIGNATURES } from './required.ts';

type AnyAggregator = Aggregator<unknown, unknown, unknown>;

/** One stream of a cogroup, and how its values are added to the aggregate of all. */
export interface CogroupInput {
  readonly source: GroupedSource;
  readonly aggregator: AnyAggregator;
}

/** A value on its way to the common aggregation, with the number of the stream it came by. */
interface Tagged {
  readonly input: number;
  readonly value: unknown;
}

class TagProcessor implements Processor<unknown, unknown, unknown, unknown> {
  readonly #input: number;
  readonly #nullsCount: boolean;
  #context!: ProcessorContext<unknown, unknown>;

  constructor(input: number, nullsCount: boolean) {
    this.#input = input;
    this.#nullsCount = nullsCount;
  }

  init(context: ProcessorContext<unknown, unknown>): void {
    this.#context = context;
  }

  process(record: Record<unknown, unknown>): void {
    const { value } = record;
    const tagged: Tagged | null = value === null && !this.#nullsCount ? null : { input: this.#input, value };
    this.#context.forward({ ...record, value: tagged });
  }
}

/** Adds a tagged value by the aggregator of its stream. */
export function cogroupAggregator(inputs: readonly CogroupInput[]): AnyAggregator {
  const aggregators = inputs.map(({ aggregator }) => aggregator);
  return (key, tagged, aggregate) => {
    const { input, value } = tagged as Tagged;
    return aggregators[input]!(key, value, aggregate);
  };
}

/** @throws StreamsError STREAMS_TOPOLOGY for a stream that is in already, or of another builder */
export function withInput(inputs: readonly CogroupInput[], added: CogroupInput): readonly CogroupInput[] {
  requiredFunction('cogroup', 'aggregator', SIGNATURES.aggregator, added.aggregator);
  const [first] = inputs;
  if (first !== undefined)
    sameGraph('cogroup', first.source.grouped.stream.graph, added.source.grouped.stream.graph);
  if (inputs.some(({ source }) => source === added.source))
    refuse('cogroup takes each grouped stream once; add up what both aggregators do in one');
  return [...inputs, added];
}

/** The streams of a cogroup as one, each value tagged with where it came from. */
export class CogroupedSource implements AggregationSource {
  readonly grouped: GroupedHandle;
  readonly #inputs: readonly CogroupInput[];
  readonly #nullsCount: boolean;

  /** @param nullsCount whether the aggregation takes a missing value, or drops the record */
  constructor(inputs: readonly CogroupInput[], nullsCount: boolean) {
    this.#inputs = inputs;
    this.#nullsCount = nullsCount;
    const handles = inputs.map(({ source }) => source.grouped);
    const keySerde = handles.find((handle) => handle.keySerde !== null)?.keySerde ?? null;
    this.grouped = { ...handles[0]!, keySerde, valueSerde: null };
  }

  for(operator: string, name: string): StreamHandle {
    const streams = this.#inputs.map(({ source }, index) => source.for(operator, `${name}-cogroup-${index}`));
    const [first] = streams as [StreamHandle, ...StreamHandle[]];
    const { graph } = first;
    const tags = streams.map(({ node }, index) => {
      const tag = graph.nodeName('COGROUPKSTREAM-INPUT', `${name}-cogroup-${index}`);
      graph.addProcessor(tag, { get: () => new TagProcessor(index, this.#nullsCount) }, [node]);
      return tag;
    });
    const node = graph.nodeName('COGROUPKSTREAM-MERGE', `${name}-cogroup`);
    graph.addProcessor(node, passThroughSupplier(), tags);
    const topics = streams.map((stream) => stream.topics);
    copartition(graph, ...topics);
    return { ...first, node, valueSerde: null, topics: [...new Set(topics.flat())] };
  }
}
