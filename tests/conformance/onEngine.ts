import type { LogEngine, ProducerRecord } from '../../streams/log/log.ts';
import { serdeOf } from './declare.ts';
import { headersOf, partitionsOf } from './run.ts';
import type { CaseSpec } from './spec.ts';

/** The case with topics of its own, so that one log serves all. */
export function apart(spec: CaseSpec): CaseSpec {
  const named = <T extends { readonly topic?: string }>(part: T): T =>
    part.topic === undefined ? part : { ...part, topic: `${spec.id}-${part.topic}` };
  return { ...spec, nodes: spec.nodes.map(named), inputs: spec.inputs.map(named) };
}

export async function makeTopics(log: LogEngine, spec: CaseSpec): Promise<void> {
  await log.admin.createTopics(
    Object.entries(partitionsOf(spec)).map(([name, partitions]) => ({
      name,
      partitions,
      retentionMs: null,
      cleanupPolicy: 'delete' as const,
    })),
  );
}

/** The inputs of a case as bytes, in their order. */
export function inputsOf({ nodes, inputs }: CaseSpec): readonly ProducerRecord[] {
  return inputs.map(({ topic, key, value, timestamp, headers }) => {
    const { shape } = nodes.find((node) => node.topic === topic)!;
    return {
      topic,
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : serdeOf(shape.value).serialize(topic, value),
      timestamp,
      headers: headersOf(headers),
    };
  });
}
