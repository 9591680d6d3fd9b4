/** Draws operators of streams. */
import {
  AGGREGATORS,
  DELETING,
  type DrawOperator,
  EXPAND,
  EXPAND_KEYS,
  JOINERS,
  KEYS,
  mapperTo,
  PREDICATES,
  REDUCERS,
  withValue,
} from './choices.ts';
import type { Draft, Handle } from './generate.ts';
import type { JoinWindowsSpec, NodeSpec, Operator, Shape, ValueType, WindowsSpec } from './spec.ts';

/** Processors with stream-time punctuation in one topology. */
const PUNCTUATING_MAX = 2;

/** An operator that gives a stream for a stream. */
function streamOperator(
  op: Operator,
  draw: (
    draft: Draft,
    from: Handle,
  ) => { readonly node: Partial<NodeSpec>; readonly handle?: Partial<Handle> },
): DrawOperator {
  return (draft, from) => {
    const { node, handle = {} } = draw(draft, from);
    draft.stream(draft.node({ op, of: from.place, shape: from.shape, ...node }), from, handle);
    return true;
  };
}

const changed = { keyChanged: true } as const;

const filter = (op: Operator): DrawOperator =>
  streamOperator(op, (draft) => ({ node: { fn: draft.pick(PREDICATES) } }));

const map = streamOperator('map', (draft) => {
  const { fn, value } = mapperTo(draft);
  return { node: { fn, keyFn: draft.pick(KEYS), shape: { value } }, handle: changed };
});

const mapValues = streamOperator('mapValues', (draft, { shape }) => {
  const { fn, value } = mapperTo(draft);
  return { node: { fn, shape: withValue(shape, value) } };
});

const flatMap = streamOperator('flatMap', (draft) => ({
  node: { fn: draft.pick(EXPAND_KEYS), shape: { value: 'text' } },
  handle: changed,
}));

const flatMapValues = streamOperator('flatMapValues', (draft, { shape }) => ({
  node: { fn: draft.pick(EXPAND), shape: withValue(shape, 'text') },
}));

const selectKey = streamOperator('selectKey', (draft, { shape }) => ({
  node: { fn: draft.pick(KEYS), shape: { value: shape.value } },
  handle: changed,
}));

const split: DrawOperator = (draft, from) => {
  const { shape } = from;
  const branches = Array.from({ length: 1 + draft.random(2) }, () => draft.pick(PREDICATES));
  const hasDefault = draft.chance(50);
  const name = draft.name('split-');
  const place = draft.node({ op: 'split', of: from.place, shape, name, branches, hasDefault });
  const count = branches.length + (hasDefault ? 1 : 0);
  for (let branch = 0; branch < count; branch += 1)
    draft.stream(draft.node({ op: 'branch', of: place, shape, branch }), from);
  return true;
};

const merge: DrawOperator = (draft, from) => {
  const others = draft.handles.filter(
    (other) =>
      other.kind === 'stream' &&
      other !== from &&
      other.shape.value === from.shape.value &&
      other.shape.windowMs === from.shape.windowMs &&
      draft.mayMeet(from, other),
  );
  if (others.length === 0) return false;
  const other = draft.pick(others);
  const place = draft.node({ op: 'merge', of: from.place, other: other.place, shape: from.shape });
  draft.stream(place, from, {
    keyChanged: from.keyChanged || other.keyChanged,
    topics: new Set([...from.topics, ...other.topics]),
    internal: new Set([...from.internal, ...other.internal]),
  });
  return true;
};

const repartition = (draft: Draft, from: Handle): boolean => {
  if (draft.punctuates) return false;
  const name = draft.name('through-');
  const place = draft.node({ op: 'repartition', of: from.place, shape: from.shape, name });
  draft.stream(place, from, { keyChanged: false, internal: new Set([...from.internal, name]) });
  return true;
};

const process: DrawOperator = (draft, from) => {
  // Kafka Streams' driver has one stream time for all sub-topologies, so punctuation is drawn where there is only one.
  const alone = draft.inputs.size === 1 && draft.handles.every(({ internal }) => internal.size === 0);
  // Kafka Streams keeps schedules in a heap by time alone: from three on, those due at the same time come as they happen to lie there.
  const fewPunctuate = draft.nodes.filter((node) => node.fn === 'everyTen').length < PUNCTUATING_MAX;
  const fn = draft.pick(alone && fewPunctuate ? ['number', 'everyTen', 'later'] : ['number', 'later']);
  const punctuates = fn === 'everyTen';
  draft.punctuates ||= punctuates;
  const store = fn === 'later' ? {} : { store: draft.name('processor-store-') };
  const shape = punctuates ? { value: 'text' as const } : withValue(from.shape, 'text');
  draft.stream(draft.node({ op: 'process', of: from.place, shape, fn, ...store }), from, changed);
  return true;
};

const processValues = streamOperator('processValues', (draft, { shape }) => ({
  node: { fn: 'number', store: draft.name('processor-store-'), shape: withValue(shape, 'text') },
}));

function windowsOf(draft: Draft): WindowsSpec {
  const graceMs = draft.pick([0, 0, 3, 10, 40]);
  const kind = draft.random(4);
  if (kind === 0) return { gapMs: draft.pick([4, 10, 25]), graceMs };
  if (kind === 1) return { differenceMs: draft.pick([5, 10, 30]), graceMs };
  const sizeMs = draft.pick([7, 10, 20, 30]);
  return { sizeMs, advanceMs: draft.chance(50) ? sizeMs : draft.pick([3, 5, 7]), graceMs };
}

function windowMsOf(windows: WindowsSpec): NonNullable<Shape['windowMs']> {
  if ('gapMs' in windows) return 'session';
  return 'sizeMs' in windows ? windows.sizeMs : windows.differenceMs;
}

/** Groups a stream, by its key or a new one. @returns the group's node and handle, or null where a punctuation forbids repartitioning */
function group(draft: Draft, from: Handle): { readonly place: number; readonly handle: Handle } | null {
  const byKey = draft.chance(60);
  if (draft.punctuates && (!byKey || from.keyChanged)) return null;
  const shape = byKey ? from.shape : { value: from.shape.value };
  const name = draft.chance(30) ? { name: draft.name('group-') } : {};
  const fn = byKey ? {} : { fn: draft.pick(KEYS) };
  const op = byKey ? 'groupByKey' : 'groupBy';
  const place = draft.node({ op, of: from.place, shape, ...fn, ...name });
  return { place, handle: { ...from, shape, keyChanged: from.keyChanged || !byKey } };
}

function aggregationOf(
  draft: Draft,
  value: ValueType,
): Pick<NodeSpec, 'op' | 'fn'> & { readonly value: ValueType } {
  const op = draft.pick(['count', 'reduce', 'aggregate'] as const);
  if (op === 'count') return { op, value: 'number' };
  if (op === 'reduce') return { op, fn: draft.pick<string>(REDUCERS[value]), value };
  const made = draft.pick<ValueType>(['text', 'number']);
  return { op, fn: draft.pick<string>(AGGREGATORS[made]), value: made };
}

/** Windows for an aggregation, and how they are told of and kept. */
function windowedOf(draft: Draft, handle: Handle, cached: boolean): Partial<NodeSpec> {
  if (handle.shape.windowMs !== undefined || !draft.chance(60)) return {};
  const windows = windowsOf(draft);
  const onClose = !cached && draft.chance(25);
  // Kafka Streams' cache goes on giving windows whose retention is over, and it loses final results whose retention is over.
  const long = cached || onClose || draft.chance(20);
  return { windows, ...(onClose ? { onClose } : {}), ...(long ? { retentionMs: 100_000 } : {}) };
}

const aggregate: DrawOperator = (draft, from) => {
  const grouped = group(draft, from);
  if (grouped === null) return false;
  const { place: of, handle } = grouped;
  const { value, ...operator } = aggregationOf(draft, handle.shape.value);
  const store = draft.name('aggregate-');
  const wantsCache = draft.chance(35);
  const windowed = windowedOf(draft, handle, wantsCache);
  const { windows, onClose = false } = windowed;
  // Kafka Streams fails where its cache holds the deletion of a sliding window.
  const sliding = windows !== undefined && 'differenceMs' in windows;
  const cached = wantsCache && !(sliding && DELETING.includes(operator.fn ?? ''));
  const shape =
    windows === undefined ? withValue(handle.shape, value) : { value, windowMs: windowMsOf(windows) };
  const ofSessions = shape.windowMs === 'session' && operator.op === 'aggregate';
  const merge = ofSessions ? { merge: value === 'text' ? 'concat' : 'sum' } : {};
  const place = draft.node({ ...operator, ...merge, of, shape, store, cached, ...windowed });
  const plain = windows === undefined || 'sizeMs' in windows;
  draft.table(place, from, {
    // A cache tells of the first update with no old value; a reduction has no initial one.
    oldValues: !plain || onClose ? 'other' : operator.op === 'reduce' || cached ? 'same' : 'initial',
    readable: true,
    serdeKnown: true,
    closes: windows !== undefined && !onClose,
    internal: draft.through(handle, store),
  });
  return true;
};

const cogroup: DrawOperator = (draft, from) => {
  const others = draft.handles.filter(
    (other) =>
      other.kind === 'stream' &&
      other !== from &&
      other.shape.windowMs === from.shape.windowMs &&
      !other.keyChanged &&
      !from.keyChanged &&
      draft.mayMeet(from, other),
  );
  if (others.length === 0) return false;
  const other = draft.pick(others);
  const [of, second] = [from, other].map(({ place, shape }) =>
    draft.node({ op: 'groupByKey', of: place, shape }),
  ) as [number, number];
  const value = draft.pick<ValueType>(['text', 'number']);
  const [fn, otherFn] = [draft.pick<string>(AGGREGATORS[value]), draft.pick<string>(AGGREGATORS[value])];
  const wantsCache = draft.chance(35);
  const windowed = from.shape.windowMs === undefined && draft.chance(50) ? cogroupWindows(draft, value) : {};
  const { windows } = windowed;
  // Kafka Streams fails where its cache holds the deletion of a sliding window.
  const sliding = windows !== undefined && 'differenceMs' in windows;
  const cached = wantsCache && !(sliding && [fn, otherFn].some((each) => DELETING.includes(each)));
  const shape =
    windows === undefined ? withValue(from.shape, value) : { value, windowMs: windowMsOf(windows) };
  const store = draft.name('cogroup-');
  const common = { op: 'cogroup', of, other: second, shape, fn, otherFn, store, cached } as const;
  const place = draft.node({ ...common, ...windowed });
  draft.table(place, from, {
    oldValues: windows === undefined || 'sizeMs' in windows ? 'initial' : 'other',
    // Kafka Streams takes the store of a windowed cogroup for one of keys where a join reads it, and fails.
    readable: windows === undefined,
    serdeKnown: true,
    topics: new Set([...from.topics, ...other.topics]),
    internal: new Set([...from.internal, ...other.internal]),
  });
  return true;
};

/**
 * Windows for a cogroup. No record is late for them: in Kafka Streams each of the streams has a time of its own, by which it is late.
 */
function cogroupWindows(draft: Draft, value: ValueType): Pick<NodeSpec, 'windows' | 'merge' | 'retentionMs'> {
  const windows = { ...windowsOf(draft), graceMs: 50_000 };
  const merge = 'gapMs' in windows ? { merge: value === 'text' ? 'concat' : 'sum' } : {};
  return { windows, retentionMs: 100_000, ...merge };
}

const toTable: DrawOperator = (draft, from) => {
  if (draft.punctuates && from.keyChanged) return false;
  const store = draft.name('table-');
  const place = draft.node({
    op: 'toTable',
    of: from.place,
    shape: from.shape,
    store,
    cached: draft.chance(30),
  });
  draft.table(place, from, {
    oldValues: 'same',
    readable: true,
    serdeKnown: true,
    internal: draft.through(from, store),
  });
  return true;
};

/** Bounds of a join of streams; one of them may be negative, so that one side must be earlier than the other. */
function joinWindowsOf(draft: Draft): JoinWindowsSpec {
  const [beforeMs, afterMs] = draft.pick([
    [10, 10],
    [0, 15],
    [15, 0],
    [20, -5],
    [-5, 20],
    [30, 30],
    [3, 7],
  ] as const);
  return { beforeMs, afterMs, graceMs: draft.pick([0, 0, 5, 20]) };
}

const joinStream: DrawOperator = (draft, from) => {
  if (draft.punctuates) return false;
  const name = draft.name('join-');
  const ownTopics = (handle: Handle, side: string) => draft.through(handle, `${name}-${side}`);
  const others = draft.handles.filter(
    (other) =>
      other.kind === 'stream' &&
      other.shape.windowMs === from.shape.windowMs &&
      draft.mayMeet(from, { ...other, internal: ownTopics(other, 'right') }, ownTopics(from, 'left')),
  );
  if (others.length === 0) return false;
  const other = draft.pick(others);
  const place = draft.node({
    op: 'joinStream',
    of: from.place,
    other: other.place,
    shape: withValue(from.shape, 'text'),
    kind: draft.pick(['inner', 'left', 'outer']),
    fn: draft.pick(JOINERS),
    name,
    leftValue: from.shape.value,
    rightValue: other.shape.value,
    joinWindows: joinWindowsOf(draft),
  });
  draft.stream(place, from, {
    keyChanged: false,
    topics: new Set([...from.topics, ...other.topics]),
    internal: new Set([...ownTopics(from, 'left'), ...ownTopics(other, 'right')]),
  });
  return true;
};

const joinTable: DrawOperator = (draft, from) => {
  if (draft.punctuates && from.keyChanged) return false;
  const name = draft.name('join-');
  const internal = draft.through(from, name);
  const tables = draft.handles.filter(
    (other) =>
      other.kind === 'table' &&
      other.readable &&
      other.shape.windowMs === from.shape.windowMs &&
      draft.mayMeet(from, other, internal),
  );
  if (tables.length === 0) return false;
  const other = draft.pick(tables);
  const { historyMs } = other;
  const grace = historyMs !== undefined && draft.chance(60) ? { joinGraceMs: draft.pick([0, 5, 20]) } : {};
  // Kafka Streams' left join with a grace fails on a record without key.
  const asRead = !from.keyChanged && internal.size === 0;
  const kind = draft.pick(['inner', 'left'] as const);
  if (kind === 'left' && grace.joinGraceMs !== undefined) {
    if (!asRead) return false;
    draft.needsKeys = true;
  }
  const place = draft.node({
    ...grace,
    op: 'joinTable',
    of: from.place,
    other: other.place,
    shape: withValue(from.shape, 'text'),
    kind,
    fn: draft.pick(JOINERS),
    name,
    leftValue: from.shape.value,
  });
  draft.stream(place, from, {
    keyChanged: false,
    topics: new Set([...from.topics, ...other.topics]),
    internal: new Set([...internal, ...other.internal]),
  });
  return true;
};

const joinGlobal: DrawOperator = (draft, from) => {
  const tables = draft.handles.filter(({ kind }) => kind === 'global');
  if (tables.length === 0) return false;
  const node = {
    kind: draft.pick(['inner', 'left'] as const),
    fn: draft.pick(JOINERS),
    keyFn: draft.pick(KEYS),
  };
  const other = draft.pick(tables).place;
  const shape = withValue(from.shape, 'text');
  draft.stream(draft.node({ op: 'joinGlobal', of: from.place, other, shape, ...node }), from);
  return true;
};

export const STREAM_OPERATORS: readonly DrawOperator[] = [
  filter('filter'),
  filter('filterNot'),
  map,
  mapValues,
  flatMap,
  flatMapValues,
  selectKey,
  split,
  merge,
  merge,
  repartition,
  process,
  processValues,
  aggregate,
  aggregate,
  aggregate,
  aggregate,
  aggregate,
  cogroup,
  cogroup,
  toTable,
  toTable,
  joinTable,
  joinTable,
  joinTable,
  joinStream,
  joinStream,
  joinStream,
  joinGlobal,
  joinGlobal,
];
