import { Database } from '../../stores/rocksdb/database.ts';
import {
  type KeyValueStore,
  type ProcessorContext,
  type Record,
  Serdes,
  Stores,
  StreamsBuilder,
  StreamsRuntime,
  Topology,
  type ValueAndTimestamp,
} from '../../streams/index.ts';
import { EmbeddedLog } from '../../streams/log/embedded/index.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import { type BenchRow, spread } from './report.ts';

const RECORDS = 1_000_000;
const KEYS = 2_000;
const RECORD_BYTES = 100;
const RUNS = 3;
const COMMIT_RECORDS = 20_000;
const VALUE_RECORDS = 1_000;

const keyOf = (index: number): string => `key-${String((index * 7919) % KEYS).padStart(8, '0')}`;

function countTopology(): Topology {
  const { string: keySerde, bytes, longNumber } = Serdes;
  const counter = {
    get: () => {
      let store: KeyValueStore<string, number>;
      let context: ProcessorContext<string, number>;
      return {
        init: (given: ProcessorContext<string, number>) => {
          context = given;
          store = given.getStateStore('counts');
        },
        process: (record: Record<string, Buffer>) => {
          const count = (store.get(record.key) ?? 0) + 1;
          store.put(record.key, count);
          context.forward({
            key: record.key,
            value: count,
            timestamp: record.timestamp,
            headers: record.headers,
          });
        },
      };
    },
  };
  return new Topology()
    .addSource('events', 'events', { keySerde, valueSerde: bytes })
    .addProcessor('count', counter, 'events')
    .addStateStore(Stores.keyValueStore({ name: 'counts', keySerde, valueSerde: longNumber }), 'count')
    .addSink('counts-out', 'counts', { keySerde, valueSerde: longNumber }, 'count');
}

/** The same through the DSL: with the times of the counts kept, as a table has them. */
function countTable(): Topology {
  const { string: keySerde, bytes: valueSerde } = Serdes;
  const builder = new StreamsBuilder();
  builder
    .stream('events', { keySerde, valueSerde })
    .groupByKey()
    .count({ name: 'counts' })
    .toStream()
    .to('counts');
  return builder.build();
}

async function fill(log: EmbeddedLog): Promise<void> {
  await log.admin.createTopics(
    ['events', 'counts'].map((name) => ({
      name,
      partitions: 1,
      retentionMs: null,
      cleanupPolicy: 'delete' as const,
    })),
  );
  const producer = log.createProducer();
  const value = Buffer.alloc(RECORD_BYTES - 12, 'v');
  const start = Date.UTC(2026, 0, 1);
  for (let index = 0; index < RECORDS; index += 5_000) {
    const records = Array.from({ length: 5_000 }, (_, each) => ({
      topic: 'events',
      key: Buffer.from(keyOf(index + each)),
      value,
      timestamp: start + index + each,
    }));
    await producer.ready();
    await producer.send(records);
  }
  await producer.close();
}

/** The count topology over a million committed records, from its first record to the commit of its last result. */
async function countOnce(topology: Topology): Promise<number> {
  return withTemporaryDirectory(async (directory) => {
    const log = await EmbeddedLog.open({ directory });
    try {
      await fill(log);
      const done = new Promise<void>((resolve) => {
        log.tail(['counts'], (records) => {
          if (records[records.length - 1]!.offset === RECORDS - 1) resolve();
        });
      });
      const runtime = new StreamsRuntime({
        engine: log,
        applications: [{ applicationId: 'bench', topology }],
        wallClock: Date.now,
      });
      const startMs = performance.now();
      await runtime.start();
      await done;
      const seconds = (performance.now() - startMs) / 1000;
      const rows = runtime.stores
        .keyValue<string, number | ValueAndTimestamp<number>>('bench', 'counts')
        .all();
      let sum = 0;
      for (const { value } of rows) sum += typeof value === 'number' ? value : value.value;
      if (sum !== RECORDS) throw new Error(`the counts add up to ${sum}, not ${RECORDS}`);
      await runtime.close();
      return RECORDS / seconds;
    } finally {
      await log.close();
    }
  });
}

/** The same work without any runtime: records stored by the batch, read, counted in a Map, written and committed with sync. */
async function bareOnce(): Promise<number> {
  return withTemporaryDirectory(async (directory) => {
    const budget = {
      memtableMemoryBudget: 64 * 2 ** 20,
      cacheSize: 8 * 2 ** 20,
      compaction: 'universal',
      compression: false,
    } as const;
    const database = await Database.open(directory, {
      createIfMissing: true,
      columns: { log: budget, state: budget },
    });
    try {
      const recordKey = (topic: number, index: number): Buffer => {
        const key = Buffer.alloc(9, topic);
        key.writeUInt32BE(index, 5);
        return key;
      };
      const body = Buffer.alloc(RECORD_BYTES - 12, 'v');
      for (let index = 0; index < RECORDS; index += VALUE_RECORDS) {
        const batch = database.createBatch();
        const value = Buffer.concat(
          Array.from({ length: VALUE_RECORDS }, (_, each) =>
            Buffer.concat([Buffer.from(keyOf(index + each)), body]),
          ),
        );
        batch.put('log', recordKey(1, index), value);
        batch.write({ sync: index % COMMIT_RECORDS === 0 });
      }
      const counts = new Map<string, number>();
      const startMs = performance.now();
      let batch = database.createBatch();
      let dirty = new Set<string>();
      const out = Buffer.alloc(VALUE_RECORDS * 20);
      for (let index = 0; index < RECORDS; index += VALUE_RECORDS) {
        const input = database.getSync('log', recordKey(1, index))!;
        for (let each = 0; each < VALUE_RECORDS; each += 1) {
          const at = each * RECORD_BYTES;
          const key = input.toString('utf8', at, at + 12);
          const count = (counts.get(key) ?? 0) + 1;
          counts.set(key, count);
          dirty.add(key);
          input.copy(out, each * 20, at, at + 12);
          out.writeUInt32BE(count, each * 20 + 16);
        }
        batch.put('log', recordKey(2, index), out);
        if ((index + VALUE_RECORDS) % COMMIT_RECORDS === 0) {
          for (const key of dirty) {
            const value = Buffer.alloc(8);
            value.writeUInt32BE(counts.get(key)!, 4);
            batch.put('state', Buffer.from(key), value);
          }
          batch.write({ sync: true });
          batch = database.createBatch();
          dirty = new Set();
        }
      }
      return RECORDS / ((performance.now() - startMs) / 1000);
    } finally {
      await database.close();
    }
  });
}

/** Counts a million records by key, every update emitted, exactly once with synced commits, beside a bare loop over RocksDB. */
export async function benchStreams(): Promise<readonly BenchRow[]> {
  const declared: number[] = [];
  const counted: number[] = [];
  const bare: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    declared.push(await countOnce(countTable()));
    counted.push(await countOnce(countTopology()));
    bare.push(await bareOnce());
    const [dsl, processor, loop] = [declared, counted, bare].map((runs) => Math.round(runs[run]!));
    console.log(`  run ${run + 1}: DSL ${dsl}, Processor API ${processor}, bare loop ${loop} records/s`);
  }
  const row = (by: string, runs: readonly number[]): BenchRow => {
    const { median, min, max } = spread(runs);
    return {
      bench: 'streams',
      what: `count of 1M records of 100 B by 2,000 keys by the ${by}, every update emitted, exactly once (median of ${RUNS}, ${Math.round(min)} to ${Math.round(max)})`,
      value: median,
      unit: 'records/s',
      target: '>= 400,000',
      beside: { what: 'a bare loop over RocksDB', ratio: median / spread(bare).median },
    };
  };
  return [row('DSL', declared), row('Processor API', counted)];
}
