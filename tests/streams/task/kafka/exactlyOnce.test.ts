/** Whatever happens to the processes, what they wrote is what one undisturbed process would have written: verified by another client. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { KafkaUnderTest, kafkaMissing } from '../../../support/kafka.ts';
import { TemporaryDirectory } from '../../../support/temporary.ts';
import { InstanceProcess } from './processes.ts';
import { feed, openEngine, readCommitted, topicsOf } from './support.ts';

const KEYS = 40;
const ALL_TASKS = 12;

/** Random numbers that a failed run can be repeated with. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

function records(from: number, count: number): { key: string; value: string; timestamp: number }[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `${(from + index) % 4}-${((from + index) * 7_919) % KEYS}`,
    value: `value ${from + index}`,
    timestamp: 1_700_000_000_000 + from + index,
  }));
}

describe('applications on Kafka over several processes', { skip: kafkaMissing() }, () => {
  let kafka: KafkaUnderTest;
  let directory: TemporaryDirectory;
  before(async () => {
    directory = new TemporaryDirectory();
    kafka = await KafkaUnderTest.start();
  });
  after(async () => {
    await kafka.stop();
    directory.remove();
  });

  async function prepare(prefix: string): Promise<void> {
    const engine = await openEngine(kafka.brokers, `${prefix}-setup`, directory.path);
    await engine.admin.createTopics(topicsOf(prefix, 'in', 'counted', 'names', 'named'));
    await engine.close();
    await feed(
      kafka.brokers,
      `${prefix}-names`,
      [0, 1, 2, 3].map((group) => ({ key: `${group}-`, value: `group${group}`, timestamp: 1 })),
    );
  }

  /** Every record of the input counted once, in order, and every count named once. */
  async function verify(prefix: string, fed: number): Promise<void> {
    const expected = new Map<string, number>();
    const input = await readCommitted(kafka.brokers, `${prefix}-in`);
    assert.equal(input.length, fed);
    const named: string[] = [];
    for (const { key } of input) {
      const count = (expected.get(key!) ?? 0) + 1;
      expected.set(key!, count);
      named.push(`${key} ${count} group${key!.slice(0, 1)}`);
    }
    const counts = new Map<string, number>();
    for (const { key, value } of await readCommitted(kafka.brokers, `${prefix}-counted`)) {
      const count = Number(value!.readBigInt64BE());
      assert.equal(count, (counts.get(key!) ?? 0) + 1, `the counts of ${key} go up one by one`);
      counts.set(key!, count);
    }
    assert.deepEqual([...counts].sort(), [...expected].sort());
    const joined = (await readCommitted(kafka.brokers, `${prefix}-named`)).map(({ value }) => String(value));
    assert.deepEqual(joined.sort(), named.sort());
  }

  test('count and join exactly once while processes are killed at any moment', {
    timeout: 180_000,
  }, async () => {
    const seed = 20_251_126;
    console.log(`seed ${seed}`);
    const random = seeded(seed);
    const prefix = kafka.unique('killed');
    await prepare(prefix);
    const start = (id: string) => new InstanceProcess(kafka.brokers, id, directory.path, prefix);
    const instances = [start(`${prefix}-a`), start(`${prefix}-b`)];
    try {
      await Promise.all(instances.map((each) => each.reaches('has tasks', ({ tasks }) => tasks.length > 0)));
      const rounds = 4;
      const each = 3_000;
      for (let round = 0; round < rounds; round += 1) {
        const victim = Math.floor(random() * 2);
        const feeding = (async () => {
          for (let at = 0; at < each; at += 100)
            await feed(kafka.brokers, `${prefix}-in`, records(round * each + at, 100));
        })();
        const before = instances[victim]!.told?.processed ?? 0;
        const some = Math.floor(random() * each * 0.5);
        await Promise.race([
          feeding,
          instances[victim]!.reaches('works', ({ processed }) => processed > before + some),
        ]);
        await instances[victim]!.end('SIGKILL');
        instances[victim] = start(instances[victim]!.instanceId);
        await feeding;
        await instances[victim]!.reaches('is there', ({ tasks }) => tasks.length > 0);
      }
      const [a, b] = instances as [InstanceProcess, InstanceProcess];
      await a.reaches(
        'caught up',
        ({ caughtUp }) => caughtUp && a.tasks.length + b.tasks.length === ALL_TASKS,
      );
      await b.reaches('caught up', ({ caughtUp }) => caughtUp);
      await a.reaches('caught up', ({ caughtUp }) => caughtUp);
      await b.reaches('caught up', ({ caughtUp }) => caughtUp);
      await Promise.all(instances.map((instance) => instance.end('SIGTERM')));
      await verify(prefix, rounds * each);
    } finally {
      await Promise.all(instances.map((instance) => instance.end('SIGKILL')));
    }
  });

  test('a process frozen past its session and woken up commits nothing more of what it had begun', {
    timeout: 180_000,
  }, async () => {
    const prefix = kafka.unique('frozen');
    await prepare(prefix);
    const settings = { STANDBYS: '1' };
    const start = (id: string) =>
      new InstanceProcess(kafka.brokers, `${prefix}-${id}`, directory.path, prefix, settings);
    const [a, b] = [start('a'), start('b')];
    const half = ALL_TASKS / 2;
    try {
      await a.reaches('has its part', ({ tasks }) => tasks.length === half);
      await b.reaches('has its part', ({ tasks }) => tasks.length === half);
      const each = 2_000;
      const before = a.told!.processed;
      const feeding = feed(kafka.brokers, `${prefix}-in`, records(0, each));
      await a.reaches('is in the middle of it', ({ processed }) => processed > before);
      a.signal('SIGSTOP');
      await feeding;
      await b.reaches('has taken over', ({ tasks }) => tasks.length === ALL_TASKS);
      await feed(kafka.brokers, `${prefix}-in`, records(each, each));
      await b.reaches('caught up', ({ caughtUp }) => caughtUp);
      a.signal('SIGCONT');
      await a.reaches('has its part again', ({ tasks }) => tasks.length === half);
      await feed(kafka.brokers, `${prefix}-in`, records(2 * each, each));
      for (const instance of [a, b, a, b]) await instance.reaches('caught up', ({ caughtUp }) => caughtUp);
      await Promise.all([a.end('SIGTERM'), b.end('SIGTERM')]);
      await verify(prefix, 3 * each);
    } finally {
      await Promise.all([a.end('SIGKILL'), b.end('SIGKILL')]);
    }
  });
});
