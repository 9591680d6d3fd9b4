import { StoreError } from '../errors.ts';

/** A column's part of the process's memory for RocksDB, in bytes. */
export interface ColumnBudget {
  readonly memtableMemoryBudget: number;
  readonly cacheSize: number;
}

const LEAST_BYTES = 8 * 1024 * 1024;
/** With a compaction style given, the binding makes memtables of a quarter of the column's budget, and six of them at most. */
const MEMTABLES_MAX = 6 / 4;
const MEMTABLE_PART = 0.6;

/**
 * Divides one budget over the columns of the process's only database by their weights: three fifths for memtables at their
 * worst, the rest for block caches. The binding gives each column a cache of its own and has no write-buffer manager, so the sum is
 * what is kept.
 * @throws StoreError STORE_ARGUMENT where the budget is below 8 MiB
 */
export function divideMemoryBudget<Column extends string>(
  totalBytes: number,
  weights: Readonly<Record<Column, number>>,
): Readonly<Record<Column, ColumnBudget>> {
  if (!(totalBytes >= LEAST_BYTES)) {
    throw new StoreError(
      'STORE_ARGUMENT',
      `a memory budget of ${totalBytes} bytes is too small; give at least ${LEAST_BYTES}`,
    );
  }
  const entries = Object.entries<number>(weights);
  const sum = entries.reduce((total, [, weight]) => total + weight, 0);
  return Object.fromEntries(
    entries.map(([name, weight]) => {
      const share = (totalBytes * weight) / sum;
      return [
        name,
        {
          memtableMemoryBudget: Math.floor((share * MEMTABLE_PART) / MEMTABLES_MAX),
          cacheSize: Math.floor(share * (1 - MEMTABLE_PART)),
        },
      ];
    }),
  ) as Record<Column, ColumnBudget>;
}
