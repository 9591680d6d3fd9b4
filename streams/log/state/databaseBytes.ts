import type { KeyValue } from '../../../stores/store.ts';
import type { ColumnReads } from './columnDatabase.ts';
import type { CommittedBytes } from './overlay.ts';
import { partitionPrefix, partitionPrefixEnd } from './partitionPrefix.ts';

/** How far entries are counted for an estimate. */
const COUNT_BYTES = 256 * 1024;

/** The committed entries of one store partition, in column `state` behind a prefix. */
export class DatabaseBytes implements CommittedBytes {
  private readonly database: ColumnReads<'state'>;
  private readonly prefix: Buffer;
  private readonly end: Buffer;

  constructor(database: ColumnReads<'state'>, storeId: number, partition: number) {
    this.database = database;
    this.prefix = partitionPrefix(storeId, partition);
    this.end = partitionPrefixEnd(storeId, partition);
  }

  get(key: Buffer): Buffer | null {
    return this.database.get('state', withPrefix(this.prefix, key));
  }

  entries(
    from: Buffer | null,
    to: Buffer | null,
    reverse: boolean,
    limit: number,
  ): KeyValue<Buffer, Buffer>[] {
    const rows = this.database.rows('state', {
      gte: from === null ? this.prefix : withPrefix(this.prefix, from),
      lt: to === null ? this.end : withPrefix(this.prefix, to),
      reverse,
      limit,
    });
    const entries: KeyValue<Buffer, Buffer>[] = [];
    for (let row = 0; row < rows.length; row += 2) {
      entries.push({ key: rows[row]!.subarray(this.prefix.length), value: rows[row + 1]! });
    }
    return entries;
  }

  apply(): void {
    // The commit wrote the changes to the database already.
  }

  approximateNumEntries(): number {
    const counted = 4096;
    return (
      this.database.rows('state', { gte: this.prefix, lt: this.end, limit: counted, bytesMax: COUNT_BYTES })
        .length / 2
    );
  }
}

/** Shared: a batch copies a key before the next one is put together. */
const KEY_SCRATCH = Buffer.allocUnsafeSlow(4096);

/** The key behind the prefix, valid until the next call. */
export function prefixed(prefix: Buffer, key: Buffer): Buffer {
  const length = prefix.length + key.length;
  if (length > KEY_SCRATCH.length) return withPrefix(prefix, key);
  KEY_SCRATCH.set(prefix, 0);
  KEY_SCRATCH.set(key, prefix.length);
  return KEY_SCRATCH.subarray(0, length);
}

/** The same for a key's text. */
export function prefixedText(prefix: Buffer, text: string): Buffer {
  const length = prefix.length + text.length;
  if (length > KEY_SCRATCH.length) return withPrefix(prefix, Buffer.from(text, 'latin1'));
  KEY_SCRATCH.set(prefix, 0);
  KEY_SCRATCH.write(text, prefix.length, 'latin1');
  return KEY_SCRATCH.subarray(0, length);
}

function withPrefix(prefix: Buffer, key: Buffer): Buffer {
  const whole = Buffer.allocUnsafe(prefix.length + key.length);
  whole.set(prefix, 0);
  whole.set(key, prefix.length);
  return whole;
}
