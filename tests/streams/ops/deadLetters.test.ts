import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Stores, StreamsRuntime, stringSerde, Topology } from '../../../streams/index.ts';
import type { EmbeddedLog } from '../../../streams/log/embedded/index.ts';
import type { LogProducer } from '../../../streams/log/log.ts';
import {
  DEAD_LETTER_MARKS_TOPIC,
  type DeadLetter,
  discardDeadLetters,
  RETRY_HEADER,
  readDeadLetters,
  retryDeadLetters,
} from '../../../streams/ops/deadLetters.ts';
import { records } from '../../../streams/ops/digest.ts';
import { readNotes } from '../../../streams/ops/keyedNotes.ts';
import { LogUnderTest } from '../log/support.ts';

const NOW_MS = 5_000;
const under = new LogUnderTest();
let log: EmbeddedLog;
let runtime: StreamsRuntime;
let producer: LogProducer;
let mended = false;

/** Refuses values that begin with `bad` until it is mended. */
const strict = {
  serialize: stringSerde.serialize,
  deserialize: (topic: string, bytes: Buffer): string => {
    const text = stringSerde.deserialize(topic, bytes);
    if (!mended && text.startsWith('bad')) throw new Error(`${text} is no value`);
    return text;
  },
};

function counting(): Topology {
  const store = Stores.keyValueStore({ name: 'seen', keySerde: stringSerde, valueSerde: stringSerde });
  return new Topology().addSource('source', 'in', { keySerde: stringSerde, valueSerde: strict }).addProcessor(
    'put',
    {
      get: () => {
        let put = (_key: string, _value: string): void => undefined;
        return {
          init: (context) => {
            const seen = context.getStateStore('seen') as unknown as ReturnType<typeof store.build>;
            put = (key, value) => seen.put(key, `${seen.get(key) ?? ''}${value};`);
          },
          process: ({ key, value }: { key: string; value: string }) => put(key, value),
        };
      },
      stores: () => [store],
    },
    'source',
  );
}

async function letters(): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for await (const letter of readDeadLetters(log, 'app')) found.push(letter);
  return found;
}

before(async () => {
  log = await under.open();
  await log.admin.createTopics([{ name: 'in', partitions: 2, retentionMs: null, cleanupPolicy: 'delete' }]);
  runtime = new StreamsRuntime({
    engine: log,
    applications: [{ applicationId: 'app', topology: counting() }],
    wallClock: () => NOW_MS,
  });
  await runtime.start();
  producer = log.createProducer();
  const record = (partition: number, key: string, value: string) => ({
    topic: 'in',
    partition,
    key: Buffer.from(key),
    value: Buffer.from(value),
    timestamp: 1_000 + partition,
    headers: [{ key: 'trace', value: Buffer.from(`t-${value}`) }],
  });
  await producer.send([
    record(0, 'a', 'good'),
    record(1, 'b', 'bad one'),
    record(0, 'c', 'bad two'),
    record(1, 'd', 'bad three'),
  ]);
});
after(async () => {
  await producer.close();
  await runtime.close();
  await under.dispose();
});

test('a dead letter has the bytes, headers and place of the record, and its cause', async () => {
  const [first, ...rest] = await letters();
  assert.equal(rest.length, 2);
  assert.deepEqual(first?.source, { topic: 'in', partition: 1, offset: 0 });
  assert.deepEqual([String(first?.key), String(first?.value), first?.timestamp], ['b', 'bad one', 1_001]);
  assert.deepEqual(first?.headers, [{ key: 'trace', value: Buffer.from('t-bad one') }]);
  assert.match(first?.message ?? '', /cannot be decoded: bad one is no value/);
  assert.deepEqual([first?.exception, first?.mark], ['STREAMS_DESERIALIZATION', null]);
});

test('a letter that is retried is back on its topic as it was, and marked in the same commit', async () => {
  const [first, second] = await letters();
  const { commit } = log.commitPoint();
  mended = true;
  const told = [];
  for await (const { letter, to } of retryDeadLetters(log, producer, [first!, second!], NOW_MS))
    told.push([letter.offset, to]);
  assert.equal(log.commitPoint().commit, commit + 1, 'one for all of it');
  assert.deepEqual(told, [
    [0, { topic: 'in', partition: 1, offset: 2 }],
    [1, { topic: 'in', partition: 0, offset: 2 }],
  ]);
  const all = [];
  for await (const record of records(log, 'in', 1)) all.push(record);
  assert.deepEqual(
    [all[2]?.key, all[2]?.value, all[2]?.timestamp],
    [first!.key, first!.value, first!.timestamp],
  );
  assert.deepEqual(all[2]?.headers, [
    ...first!.headers,
    { key: RETRY_HEADER, value: Buffer.from('app.dead-letter-0@0') },
  ]);
  assert.equal(runtime.stores.keyValue<string, string>('app', 'seen').get('b'), 'bad one;');
  assert.deepEqual(
    (await letters()).map(({ mark }) => mark),
    [{ status: 'retried', atMs: NOW_MS }, { status: 'retried', atMs: NOW_MS }, null],
  );
});

test('a letter that is discarded is marked and stays readable', async () => {
  const open = (await letters()).filter(({ mark }) => mark === null);
  await discardDeadLetters(log, producer, open, NOW_MS + 1);
  const [, , third] = await letters();
  assert.deepEqual(third?.mark, { status: 'discarded', atMs: NOW_MS + 1 });
  assert.equal(String(third?.value), 'bad three');
  assert.deepEqual(
    [...(await readNotes(log, DEAD_LETTER_MARKS_TOPIC)).keys()],
    ['app/0/0', 'app/0/1', 'app/0/2'],
  );
});
