import type { LogEngine, LogRecord } from '../../streams/log/log.ts';
import { MergedReader, type PartitionRange } from '../../streams/ops/mergedReader.ts';
import type { OperatorAccess } from './access.ts';
import { DirectAccess } from './direct.ts';
import { type Place, placeOffset } from './place.ts';
import { placeName, recordsOf, type Starts } from './shadowTopic.ts';

const READ_RECORDS = 2_000;

/** What an application read, to be replayed. */
export interface ShadowInput {
  /** The first offset of the range in each partition; one that is not named has nothing in it. */
  firsts(): Promise<Starts>;
  /** Everything from the beginning to the end of the range: in the order of appending, on Kafka by time. */
  records(): AsyncIterable<LogRecord>;
  /**
   * Whether the range ends where the application has come to, and it has written nothing beyond: so that a record too many is seen too. Asked
   * after the replay.
   */
  whole(): Promise<boolean>;
}

interface InputRange {
  readonly begin: Place;
  readonly end: Place;
  readonly signal: AbortSignal;
}

function ofEmbeddedLog(
  access: OperatorAccess,
  inputs: readonly string[],
  { begin, end, signal }: InputRange,
): ShadowInput {
  return {
    firsts: async () => {
      const firsts: Starts = new Map();
      for (const topic of inputs)
        for await (const record of recordsOf(access, [topic], { begin, end }, signal))
          if (!firsts.has(placeName(record))) firsts.set(placeName(record), record.offset);
      return firsts;
    },
    records: () => recordsOf(access, inputs, { begin: 'beginning', end }, signal),
    // A running instance has gone on meanwhile: what it wrote since came of input that was not replayed.
    whole: () => Promise.resolve(end === 'end' && access.mode === 'stopped'),
  };
}

async function positionsOf(
  engine: LogEngine,
  applicationId: string,
  inputs: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const positions = await engine.admin.committedPositions(applicationId);
  return new Map(
    positions
      .filter(({ topic }) => inputs.includes(topic))
      .map((position) => [placeName(position), position.offset]),
  );
}

/** The input up to the positions that the application had committed when this was called: all that came of it has been written. */
async function ofKafka(
  engine: LogEngine,
  applicationId: string,
  inputs: readonly string[],
  globals: ReadonlySet<string>,
  { begin, end, signal }: InputRange,
): Promise<ShadowInput> {
  const positions = await positionsOf(engine, applicationId, inputs);
  const ranges: PartitionRange[] = [];
  const firsts: Starts = new Map();
  for (const topic of inputs) {
    const { offsets } = await engine.admin.describeTopic(topic);
    for (const [partition, held] of offsets.entries()) {
      const at = { topic, partition };
      // Topics of global stores are read by each process for itself, without a position.
      const come = globals.has(topic) ? held.latest : (positions.get(placeName(at)) ?? held.earliest);
      const to = Math.min(come, await placeOffset(engine, at, end, held));
      const from = await placeOffset(engine, at, begin, held);
      ranges.push({ ...at, from: held.earliest, to: Math.max(held.earliest, to) });
      if (from < to) firsts.set(placeName(at), from);
    }
  }
  return {
    firsts: () => Promise.resolve(firsts),
    records: async function* () {
      const reader = new MergedReader(engine, ranges);
      for (
        let records = await reader.take(READ_RECORDS);
        records.length > 0 && !signal.aborted;
        records = await reader.take(READ_RECORDS)
      )
        yield* records;
    },
    whole: async () => {
      const now = await positionsOf(engine, applicationId, inputs);
      return end === 'end' && [...now].every(([name, offset]) => positions.get(name) === offset);
    },
  };
}

/** @param globals of the inputs, those that global stores are made of */
export async function shadowInput(
  access: OperatorAccess,
  applicationId: string,
  inputs: readonly string[],
  globals: ReadonlySet<string>,
  range: InputRange,
): Promise<ShadowInput> {
  return access instanceof DirectAccess && access.subject.engine.kind === 'kafka'
    ? ofKafka(access.subject.engine, applicationId, inputs, globals, range)
    : ofEmbeddedLog(access, inputs, range);
}
