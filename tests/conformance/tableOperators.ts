/** Draws operators of tables. */
import {
  AGGREGATORS,
  type DrawOperator,
  JOINERS,
  KEYS,
  KEYS_OF_UPDATES,
  mapperTo,
  PREDICATES,
  PREDICATES_OF_UPDATES,
  REDUCERS,
  SUBTRACT,
  UNAGGREGATE,
  withValue,
} from './choices.ts';
import type { Draft, Handle } from './generate.ts';
import type { NodeSpec, Shape, ValueType } from './spec.ts';

function storeOf(draft: Draft): Pick<NodeSpec, 'store' | 'cached'> {
  return draft.chance(40) ? { store: draft.name('kept-'), cached: draft.chance(35) } : {};
}

const tableFilter =
  (op: 'tableFilter' | 'tableFilterNot'): DrawOperator =>
  (draft, from) => {
    const kept = storeOf(draft);
    const ownOldValues = kept.store !== undefined || from.oldValues === 'same';
    if (!ownOldValues && (from.oldValues === 'other' || op === 'tableFilterNot')) return false;
    if (kept.store !== undefined && !from.serdeKnown) return false;
    const fn = draft.pick<string>(ownOldValues ? PREDICATES : PREDICATES_OF_UPDATES);
    const place = draft.node({ op, of: from.place, shape: from.shape, fn, ...kept });
    draft.table(place, from, { oldValues: 'same', readable: from.readable || kept.store !== undefined });
    return true;
  };

const tableValues =
  (op: 'tableMapValues' | 'tableTransformValues'): DrawOperator =>
  (draft, from) => {
    const { fn, value } = mapperTo(draft);
    const kept = storeOf(draft);
    const place = draft.node({
      op,
      of: from.place,
      shape: withValue(from.shape, value),
      fn,
      ...kept,
    });
    const isKept = kept.store !== undefined;
    draft.table(place, from, {
      oldValues: isKept || from.oldValues === 'same' ? 'same' : 'other',
      readable: from.readable || isKept,
      serdeKnown: isKept,
    });
    return true;
  };

const tableAggregate: DrawOperator = (draft, from) => {
  if (!from.readable || from.oldValues === 'other' || draft.punctuates) return false;
  const grouped: Shape = { value: from.shape.value };
  const fn = draft.pick<string>(from.oldValues === 'same' ? KEYS : KEYS_OF_UPDATES);
  const of = draft.node({ op: 'tableGroupBy', of: from.place, shape: grouped, fn });
  const op = draft.pick(['tableCount', 'tableReduce', 'tableAggregate'] as const);
  const value =
    op === 'tableCount'
      ? 'number'
      : op === 'tableReduce'
        ? grouped.value
        : draft.pick<ValueType>(['text', 'number']);
  const functions =
    op === 'tableCount'
      ? {}
      : op === 'tableReduce'
        ? { fn: draft.pick<string>(REDUCERS[value]), subtract: SUBTRACT[value] }
        : { fn: draft.pick<string>(AGGREGATORS[value]), subtract: UNAGGREGATE[value] };
  const store = draft.name('table-aggregate-');
  const place = draft.node({ op, of, shape: { value }, store, cached: draft.chance(35), ...functions });
  const internal = new Set([...from.internal, store]);
  draft.table(place, from, { oldValues: 'same', readable: true, serdeKnown: true, closes: false, internal });
  return true;
};

const tableJoin: DrawOperator = (draft, from) => {
  const kind = draft.pick(['inner', 'left', 'outer'] as const);
  const fits = (handle: Handle): boolean =>
    handle.readable && (kind === 'inner' || handle.oldValues !== 'other');
  const others = draft.handles.filter(
    (other) =>
      other.kind === 'table' &&
      other !== from &&
      fits(other) &&
      other.shape.windowMs === from.shape.windowMs &&
      draft.mayMeet(from, other),
  );
  if (!fits(from) || others.length === 0) return false;
  const other = draft.pick(others);
  const kept = storeOf(draft);
  const place = draft.node({
    op: 'tableJoin',
    of: from.place,
    other: other.place,
    shape: withValue(from.shape, 'text'),
    kind,
    fn: draft.pick(JOINERS),
    ...kept,
  });
  draft.table(place, from, {
    oldValues: from.oldValues === 'same' && other.oldValues === 'same' ? 'same' : 'other',
    serdeKnown: kept.store !== undefined,
    closes: from.closes || other.closes,
    topics: new Set([...from.topics, ...other.topics]),
    internal: new Set([...from.internal, ...other.internal]),
  });
  return true;
};

const foreignKeyJoin: DrawOperator = (draft, from) => {
  const fits = ({ readable, serdeKnown, shape }: Handle): boolean =>
    readable && serdeKnown && shape.windowMs === undefined;
  const others = draft.handles.filter(
    (other) =>
      other.kind === 'table' && fits(other) && ![...other.topics].some((topic) => from.topics.has(topic)),
  );
  // Behind a repartition topic several updates of one record would be answered in another order.
  if (from.internal.size > 0) return false;
  if (!fits(from) || from.oldValues !== 'same' || draft.punctuates || others.length === 0) return false;
  const other = draft.pick(others);
  const name = draft.name('foreign-');
  const kept = storeOf(draft);
  const place = draft.node({
    op: 'foreignKeyJoin',
    of: from.place,
    other: other.place,
    shape: { value: 'text' },
    kind: draft.pick(['inner', 'left']),
    keyFn: draft.pick(KEYS),
    fn: draft.pick(JOINERS),
    name,
    ...kept,
  });
  draft.table(place, from, {
    oldValues: kept.store === undefined ? 'other' : 'same',
    readable: kept.store !== undefined,
    serdeKnown: kept.store !== undefined,
    closes: false,
    topics: new Set([...from.topics, ...other.topics]),
    internal: new Set([...from.internal, ...other.internal, name]),
  });
  return true;
};

const suppress: DrawOperator = (draft, from) => {
  // Kafka Streams refuses to suppress a table that keeps versions, or what is made of one.
  if (draft.nodes.some(({ historyMs }) => historyMs !== undefined)) return false;
  if (!from.serdeKnown || !from.readable) return false;
  const name = draft.name('suppress-');
  const limits = {
    limitMs: draft.pick([0, 5, 20, 60]),
    ...(draft.chance(30) ? { maxRecords: 1 + draft.random(3) } : {}),
  };
  const closed = from.closes && draft.chance(75);
  const op = closed ? 'suppressClosed' : 'suppressTime';
  const place = draft.node({ op, of: from.place, shape: from.shape, name, ...(closed ? {} : limits) });
  draft.table(place, from, { oldValues: 'other', readable: from.oldValues === 'same' });
  return true;
};

const toStream: DrawOperator = (draft, from) => {
  // Only with a name is it a node of its own in ours, as it always is in Kafka Streams, with its place among the table's readers.
  const name = draft.name('stream-');
  const node = { op: 'toStream', of: from.place, name } as const;
  if (draft.chance(30)) {
    const place = draft.node({ ...node, shape: { value: from.shape.value }, keyFn: draft.pick(KEYS) });
    draft.stream(place, from, { keyChanged: true });
  } else draft.stream(draft.node({ ...node, shape: from.shape }), from, { keyChanged: false });
  return true;
};

export const TABLE_OPERATORS: readonly DrawOperator[] = [
  tableFilter('tableFilter'),
  tableFilter('tableFilterNot'),
  tableValues('tableMapValues'),
  tableValues('tableMapValues'),
  tableValues('tableTransformValues'),
  tableAggregate,
  tableAggregate,
  tableAggregate,
  tableJoin,
  tableJoin,
  tableJoin,
  foreignKeyJoin,
  foreignKeyJoin,
  foreignKeyJoin,
  suppress,
  suppress,
  toStream,
];
