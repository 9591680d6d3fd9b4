/**
 * The thread that writes batches to a database which the main thread has opened: the binding writes on the thread that calls it,
 * and lets threads share a database by its handle. It never closes the database; the main thread does, when this thread has ended.
 */
import { workerData } from 'node:worker_threads';
import { RocksLevel } from 'rocksdb';
import { unpack } from './packedBatch.ts';
import { IDLE, type WriteOrder, type WriteOutcome, type WriterThreadData } from './writerProtocol.ts';

const { handle, columns, port, signal } = workerData as WriterThreadData;
const database = new RocksLevel(handle, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
await database.open({});
const options = columns.map((name) => ({ column: database.columns[name]! }));

function write({ shared, bytes, sync }: WriteOrder): WriteOutcome {
  const batch = database._chainedBatch();
  try {
    unpack(Buffer.from(shared, 0, bytes), (column, key, value) => {
      if (value === null) batch._del(key, options[column]!);
      else batch._put(key, value, options[column]!);
    });
    batch._writeSync({ sync });
    return { failure: null };
  } catch (cause) {
    return { failure: cause instanceof Error ? cause.message : String(cause) };
  } finally {
    batch._closeSync();
    database.detachResource(batch);
  }
}

port.on('message', (order: WriteOrder) => {
  const outcome = write(order);
  // In this order: who waits for the signal finds the outcome.
  port.postMessage(outcome);
  Atomics.store(signal, 0, IDLE);
  Atomics.notify(signal, 0);
});
port.postMessage({ failure: null } satisfies WriteOutcome);
