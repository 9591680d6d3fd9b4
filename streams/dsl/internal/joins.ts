import type { ValueJoiner } from '../functions.ts';
import type { TableOperatorOptions } from '../options.ts';
import {
  type JoinKind,
  JoinMergeProcessor,
  JoinTableModel,
  needsLeft,
  needsRight,
  TableJoinProcessor,
} from '../processors/tableJoin.ts';
import { copartition, sameGraph, type TableHandle } from './handles.ts';
import { requiredFunction, SIGNATURES } from './required.ts';
import { tableStore } from './stores.ts';
import type { ValueGetterSupplier } from './tableModel.ts';
import { addTableStore } from './tables.ts';

const NODE_PREFIX = { inner: 'JOIN', left: 'LEFT', outer: 'OUTER' } as const;

function laterGrace(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

/** Adds the join of two tables by key: a node for the updates of each side, and one that brings both together. */
export function joinTables(
  left: TableHandle,
  right: TableHandle,
  kind: JoinKind,
  joiner: ValueJoiner<unknown, unknown, unknown, unknown>,
  { name, materialized }: TableOperatorOptions<unknown, unknown>,
): TableHandle {
  const { graph } = left;
  const operator = kind === 'inner' ? 'join' : `${kind}Join`;
  sameGraph(operator, graph, right.graph);
  requiredFunction(operator, 'joiner', SIGNATURES.joiner, joiner);
  if (materialized !== undefined) graph.requiredName(operator, materialized);
  const given = name ?? materialized?.name;
  const sideName = (side: 'this' | 'other'): string =>
    graph.nodeName(
      `KTABLE-${NODE_PREFIX[kind]}${side.toUpperCase()}`,
      given === undefined ? undefined : `${given}-join-${side}`,
    );
  // Only with its old value can the deletion of a row that was joined with nothing be told from that of none.
  if (kind !== 'inner') left.model.enableSendingOldValues(true, operator);
  if (kind === 'outer') right.model.enableSendingOldValues(true, operator);
  const [leftNode, rightNode] = [sideName('this'), sideName('other')];
  const node = graph.nodeName('KTABLE-MERGE', given);
  const label = `${operator} ${node}`;
  const store =
    materialized === undefined ? null : tableStore(graph, operator, materialized, left.keySerde, null);
  const storeName = materialized?.name ?? null;
  const historyRetentionMs = materialized?.historyRetentionMs ?? null;
  const versioned = historyRetentionMs !== null;
  const model = new JoinTableModel(left.model, right.model, kind, joiner, storeName, historyRetentionMs);
  const sendOldValues = (): boolean => model.sendOldValues;
  const addSide = (side: string, parent: string, other: ValueGetterSupplier, isLeft: boolean): void => {
    const needs = [needsLeft(kind), needsRight(kind)] as const;
    const settings = {
      join: isLeft ? joiner : (value: unknown, from: unknown, key: unknown) => joiner(from, value, key),
      needsThis: needs[isLeft ? 0 : 1],
      needsOther: needs[isLeft ? 1 : 0],
      other,
      sendOldValues,
    };
    graph.addProcessor(side, { get: () => new TableJoinProcessor(settings) }, [parent], () =>
      other.storeNames(),
    );
  };
  addSide(leftNode, left.node, right.model.valueGetterSupplier(label), true);
  addSide(rightNode, right.node, left.model.valueGetterSupplier(label), false);
  const cachingEnabled = materialized?.cachingEnabled ?? false;
  graph.addProcessor(
    node,
    {
      get: () =>
        new JoinMergeProcessor({ storeName, versioned, cachingEnabled, sendOldValues: model.sendOldValues }),
    },
    [leftNode, rightNode],
  );
  addTableStore(graph, node, () => store?.builder ?? null);
  copartition(graph, left.topics, right.topics);
  return {
    graph,
    node,
    keySerde: store?.keySerde ?? left.keySerde ?? right.keySerde,
    valueSerde: store?.valueSerde ?? null,
    topics: [...new Set([...left.topics, ...right.topics])],
    model,
    graceMs: laterGrace(left.graceMs, right.graceMs),
  };
}
