/** Makes a case that fails smaller, as long as it goes on failing. */
import type { CaseSpec, InputSpec, NodeSpec } from './spec.ts';

type Fails = (spec: CaseSpec) => Promise<boolean>;

/** Leaves out a node and all that stands on it; null where nothing would be left to look at. */
function withoutNode(nodes: readonly NodeSpec[], place: number): NodeSpec[] | null {
  const gone = new Set([place]);
  const kept: NodeSpec[] = [];
  const moved = new Map<number, number>();
  nodes.forEach((node, index) => {
    const stands = [node.of, node.other].every((from) => from === undefined || !gone.has(from));
    if (index === place || !stands) {
      gone.add(index);
      return;
    }
    const of = node.of === undefined ? {} : { of: moved.get(node.of)! };
    const other = node.other === undefined ? {} : { other: moved.get(node.other)! };
    moved.set(index, kept.push({ ...node, ...of, ...other }) - 1);
  });
  return kept.some(({ op }) => op === 'to') ? kept : null;
}

/** Leaves out a node of one input and one output of the same shape, so that what follows stands on what it stood on. */
function bypassed(nodes: readonly NodeSpec[], place: number): NodeSpec[] | null {
  const { of, shape } = nodes[place]!;
  if (of === undefined || JSON.stringify(nodes[of]!.shape) !== JSON.stringify(shape)) return null;
  const rewired = nodes.map((node) => ({
    ...node,
    ...(node.of === place ? { of } : {}),
    ...(node.other === place ? { other: of } : {}),
  }));
  return withoutNode(rewired, place);
}

function withNodes(spec: CaseSpec, nodes: readonly NodeSpec[]): CaseSpec {
  const topics = new Set(nodes.filter(({ op }) => op !== 'to').map(({ topic }) => topic));
  return { ...spec, nodes, inputs: spec.inputs.filter(({ topic }) => topics.has(topic)) };
}

async function shrinkNodes(spec: CaseSpec, fails: Fails): Promise<CaseSpec> {
  let smallest = spec;
  for (let place = spec.nodes.length - 1; place >= 0; place -= 1) {
    if (place >= smallest.nodes.length) continue;
    for (const nodes of [withoutNode(smallest.nodes, place), bypassed(smallest.nodes, place)]) {
      if (nodes === null) continue;
      const candidate = withNodes(smallest, nodes);
      if (!(await fails(candidate))) continue;
      smallest = candidate;
      break;
    }
  }
  return smallest;
}

async function shrinkInputs(spec: CaseSpec, fails: Fails): Promise<CaseSpec> {
  let smallest = spec;
  for (let size = Math.ceil(spec.inputs.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < smallest.inputs.length; ) {
      const inputs = smallest.inputs.filter((_, index) => index < at || index >= at + size);
      const candidate = { ...smallest, inputs };
      if (await fails(candidate)) smallest = candidate;
      else at += size;
    }
  }
  const bare: InputSpec[] = smallest.inputs.map(({ headers: _, ...input }) => input);
  const candidate = { ...smallest, inputs: bare };
  return (await fails(candidate)) ? candidate : smallest;
}

/** @param fails whether a case still shows the difference in question */
export async function shrink(spec: CaseSpec, fails: Fails): Promise<CaseSpec> {
  let smallest = spec;
  for (let before = ''; before !== JSON.stringify(smallest); ) {
    before = JSON.stringify(smallest);
    smallest = await shrinkInputs(smallest, fails);
    smallest = await shrinkNodes(smallest, fails);
  }
  return smallest;
}
