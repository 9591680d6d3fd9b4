import type { LogRecord } from '../log/log.ts';

/** What tells two runs apart in one partition of a topic. */
export type RecordDifference =
  /** Same key and time, other bytes or headers. */
  | { readonly kind: 'differs'; readonly original: LogRecord; readonly replayed: LogRecord }
  | { readonly kind: 'missing'; readonly original: LogRecord }
  | { readonly kind: 'added'; readonly replayed: LogRecord };

export interface ComparedPartition {
  readonly equal: number;
  readonly differences: number;
  /** Original records left out of the comparison: of other writers. */
  readonly passed: number;
}

/** How far is looked ahead for where two runs agree again. */
const LOOK_AHEAD = 256;

function sameBytes(a: Buffer | null, b: Buffer | null): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}

/** Whether two records are the same but for their place. */
export function sameRecord(a: LogRecord, b: LogRecord): boolean {
  return (
    a.timestamp === b.timestamp &&
    sameBytes(a.key, b.key) &&
    sameBytes(a.value, b.value) &&
    a.headers.length === b.headers.length &&
    a.headers.every(({ key, value }, index) => {
      const other = b.headers[index]!;
      return key === other.key && sameBytes(value, other.value);
    })
  );
}

/** Looks ahead in records that come one after the other, and holds no more than that. */
class Ahead {
  readonly #records: AsyncIterator<LogRecord>;
  readonly #held: LogRecord[] = [];
  #ended = false;

  constructor(records: AsyncIterable<LogRecord>) {
    this.#records = records[Symbol.asyncIterator]();
  }

  async fill(): Promise<readonly LogRecord[]> {
    while (this.#held.length < LOOK_AHEAD && !this.#ended) {
      const { done, value } = await this.#records.next();
      if (done === true) this.#ended = true;
      else this.#held.push(value);
    }
    return this.#held;
  }

  take(count: number): LogRecord[] {
    return this.#held.splice(0, count);
  }
}

/**
 * Compares what two runs wrote into one partition, record by record: key, value, time and headers. Where they differ, it is looked for the
 * nearest place at which they agree again.
 * @param alone whether nobody else writes the topic; else original records without a counterpart are passed over
 */
export async function compareRecords(
  original: AsyncIterable<LogRecord>,
  replayed: AsyncIterable<LogRecord>,
  alone: boolean,
  onDifference: (difference: RecordDifference) => void,
): Promise<ComparedPartition> {
  const [left, right] = [new Ahead(original), new Ahead(replayed)];
  let [equal, differences, passed] = [0, 0, 0];
  const tell = (difference: RecordDifference): void => {
    differences += 1;
    onDifference(difference);
  };
  const skipOriginal = (records: readonly LogRecord[]): void => {
    if (alone) for (const record of records) tell({ kind: 'missing', original: record });
    else passed += records.length;
  };
  for (;;) {
    const [olds, news] = [await left.fill(), await right.fill()];
    const [old, fresh] = [olds[0], news[0]];
    if (old === undefined && fresh === undefined) return { equal, differences, passed };
    if (fresh === undefined) skipOriginal(left.take(olds.length));
    else if (old === undefined)
      for (const record of right.take(news.length)) tell({ kind: 'added', replayed: record });
    else if (sameRecord(old, fresh)) {
      left.take(1);
      right.take(1);
      equal += 1;
    } else {
      const inOld = olds.findIndex((record) => sameRecord(record, fresh));
      const inNew = news.findIndex((record) => sameRecord(old, record));
      if (inOld > 0 && (inNew < 0 || inOld <= inNew)) skipOriginal(left.take(inOld));
      else if (inNew > 0) for (const record of right.take(inNew)) tell({ kind: 'added', replayed: record });
      else if (old.timestamp === fresh.timestamp && sameBytes(old.key, fresh.key)) {
        left.take(1);
        right.take(1);
        tell({ kind: 'differs', original: old, replayed: fresh });
      } else if (alone || old.timestamp < fresh.timestamp) {
        skipOriginal(left.take(1));
      } else {
        right.take(1);
        tell({ kind: 'added', replayed: fresh });
      }
    }
  }
}
