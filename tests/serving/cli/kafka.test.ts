/** The operator's tools on a deployment on a real broker: beside its processes, and with none. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readConfig } from '../../../serving/config.ts';
import type { OperatorAccess } from '../../../serving/ops/access.ts';
import { copyTopic } from '../../../serving/ops/copyTopic.ts';
import {
  type DeadLetterView,
  discardOperation,
  listDeadLetters,
  retryOperation,
} from '../../../serving/ops/deadLetters.ts';
import { DirectAccess } from '../../../serving/ops/direct.ts';
import { lagOperation } from '../../../serving/ops/lag.ts';
import { openAccess } from '../../../serving/ops/open.ts';
import { resetApplication } from '../../../serving/ops/reset.ts';
import type { EntryView } from '../../../serving/ops/stores.ts';
import { DEMO_ACCOUNT_ID } from '../../../serving/platform.ts';
import type { PartitionLag } from '../../../streams/ops/lag.ts';
import { KafkaUnderTest, kafkaMissing } from '../../support/kafka.ts';
import { call, DEMO_KEY, DEMO_SECRET, type RunningServer, startServer } from '../../support/server.ts';
import { TemporaryDirectory } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';
import { runProgram } from './program.ts';

const SESSION_MS = '6000';
const PATIENCE_MS = 120_000;

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

describe("the operator's tools on Apache Kafka", { skip: kafkaMissing(), timeout: 400_000 }, () => {
  const directory = new TemporaryDirectory();
  let kafka: KafkaUnderTest;
  let front: RunningServer;
  let feeder: RunningServer;

  const settings = (name: string) => ({
    OPENTAPE_ENGINE: 'kafka',
    KAFKA_BROKERS: kafka.brokers.join(','),
    OPENTAPE_CLUSTER_SECRET: 'known-to-all-of-the-processes',
    OPENTAPE_DEMO_KEY: DEMO_KEY,
    OPENTAPE_DEMO_SECRET: DEMO_SECRET,
    OPENTAPE_PARTITIONS_MAX: '2',
    OPENTAPE_SIMULATOR_SYMBOLS: 'AAPL,KO',
    OPENTAPE_DATA_DIR: join(directory.path, name),
  });
  const start = (name: string, roles: string): Promise<RunningServer> =>
    startServer({ ...settings(name), OPENTAPE_ROLES: roles });
  const opened = async <T>(name: string, body: (access: OperatorAccess) => Promise<T>): Promise<T> => {
    const access = await openAccess(readConfig(settings(name)));
    try {
      return await body(access);
    } finally {
      await access.close();
    }
  };
  const lags = (access: OperatorAccess, application: string | null): Promise<PartitionLag[]> =>
    all(access.run(lagOperation, { application }));
  const scan = (access: OperatorAccess, application: string, store: string): Promise<EntryView[]> =>
    all(access.scan(application, store, { prefix: null, from: null, to: null, limit: null }));

  before(async () => {
    kafka = await KafkaUnderTest.start({
      overrides: {
        'group.consumer.session.timeout.ms': SESSION_MS,
        'group.consumer.min.session.timeout.ms': SESSION_MS,
        'group.consumer.heartbeat.interval.ms': '1000',
        'group.consumer.min.heartbeat.interval.ms': '500',
      },
    });
    front = await start('front', 'all');
    feeder = await start('feeder', 'source,candles');
    const ready = (server: RunningServer) => async () => (await call(server, 'GET', '/ready')).status === 200;
    await until('both are ready', ready(front), PATIENCE_MS);
    await until('both are ready', ready(feeder), PATIENCE_MS);
  });
  after(async () => {
    await Promise.all([front?.kill(), feeder?.kill()]);
    await kafka?.stop();
    directory.remove();
  });

  test('topics are listed, read decoded and copied', async () => {
    await opened('front', async (access) => {
      const tail = (topic: string, limit: number) =>
        all(
          access.tail(
            topic,
            { from: 'latest', partition: null, key: null, limit, follow: false },
            AbortSignal.timeout(PATIENCE_MS),
          ),
        );
      await until('trades', async () => (await tail('market.trades', 3)).length === 3, PATIENCE_MS);
      const trade = (await tail('market.trades', 1_000)).find(({ clock }) => !clock);
      assert.equal(trade?.undecodable, null);
      assert.match(JSON.stringify(trade.value), /"symbol":"(AAPL|KO)"/);
      const topics = await access.topics();
      assert.equal(topics.find(({ name }) => name === 'orders.commands')?.partitions, 2);
      const params = {
        from: 'market.trades',
        to: 'trades.copied',
        begin: 'beginning' as const,
        end: 'end' as const,
        partition: null,
        key: null,
        keyPrefix: null,
        where: [],
      };
      const copied = (await all(access.run(copyTopic, params))).at(-1);
      assert.equal((await tail('trades.copied', 1_000_000)).length, copied?.copied);
      assert.ok((copied?.copied ?? 0) >= 3);
    });
  });

  test('a store is read by the process that holds it whole, or from its changelog where several do', async () => {
    await until(
      'the candles are shared',
      async () => {
        const { stdout } = await runProgram([
          'store',
          'list',
          '--json',
          '--data-dir',
          join(directory.path, 'feeder'),
        ]);
        const stores = JSON.parse(stdout) as { application: string; partitions: number }[];
        return stores.find(({ application }) => application === 'candles')?.partitions === 1;
      },
      PATIENCE_MS,
    );
    const partial = await runProgram([
      ...['store', 'scan', 'candles', 'candles-m1'],
      ...['--data-dir', join(directory.path, 'feeder')],
    ]);
    assert.equal(partial.code, 1);
    assert.match(
      partial.stderr,
      /this process holds 1 of 2 partitions of candles\/candles-m1; with OPENTAPE/,
    );
    await opened('feeder', async (access) => {
      assert.ok(access instanceof DirectAccess && access.near !== null);
      await until(
        'candles of both symbols',
        async () => {
          const candles = await opened('feeder', (fresh) => scan(fresh, 'candles', 'candles-m1'));
          return new Set(candles.map(({ key }) => key)).size === 2;
        },
        PATIENCE_MS,
      );
      const [elsewhere] = await access.entries('orders', 'accounts', DEMO_ACCOUNT_ID);
      const [here] = await opened('front', (other) => other.entries('orders', 'accounts', DEMO_ACCOUNT_ID));
      assert.equal(JSON.stringify(elsewhere), JSON.stringify(here));
      assert.ok(here !== undefined && here.undecodable === null);
    });
  });

  test('what was read to its end is not behind, though transactions end with a mark', async () => {
    await feeder.stop();
    await opened('front', async (access) => {
      await until(
        'nothing is behind',
        async () => (await lags(access, null)).every(({ lag }) => lag === 0),
        PATIENCE_MS,
      );
      const found = await lags(access, 'candles');
      assert.ok(found.some(({ position, end }) => position !== null && position < end));
    });
  });

  test('what cannot be decoded is put aside, put back once, and discarded', async () => {
    await opened('front', async (access) => {
      assert.ok(access instanceof DirectAccess);
      const producer = access.subject.engine.createProducer();
      const timestamp = Date.now();
      await producer.send([
        { topic: 'market.trades', partition: 0, key: Buffer.from('KO'), value: Buffer.from('?'), timestamp },
      ]);
      await producer.close();
      const letters = (): Promise<DeadLetterView[]> =>
        all(access.run(listDeadLetters, { application: 'candles', marked: false, offset: null }));
      await until('a dead letter', async () => (await letters()).length === 1, PATIENCE_MS);
      const [letter] = await letters();
      assert.equal(letter?.topic, 'market.trades');
      const retry = { application: 'candles', offsets: null, allReaders: true };
      assert.equal((await all(access.run(retryOperation, retry))).length, 1);
      await until(
        'it comes back',
        async () => (await letters()).some(({ offset }) => offset !== letter.offset),
        PATIENCE_MS,
      );
      const open = await letters();
      assert.equal(open.length, 1);
      await all(access.run(discardOperation, { application: 'candles', offsets: null }));
      assert.deepEqual(await letters(), []);
    });
  });

  test('a deployment is compared with what runs; verify and a second build say what they need', async () => {
    const same = await runProgram(['topology', 'diff'], settings('front'));
    assert.equal(same.code, 0, same.stdout + same.stderr);
    assert.match(same.stdout, /^A deployment changes nothing/);
    const verify = await runProgram(['verify'], settings('front'));
    assert.equal(verify.code, 1);
    assert.match(verify.stderr, /which only the embedded engine keeps/);
  });

  test('a reset is refused while the application runs, and then begins where it is told to', async () => {
    const reset = (execute: boolean) =>
      opened('front', (access) =>
        resetApplication(access, 'candles', { to: 'beginning', topic: null, execute }),
      );
    const plan = await reset(false);
    assert.ok(plan.positions.some(({ from, to }) => from !== null && from > to));
    await assert.rejects(reset(true), { code: 'LOG_PARTICIPANT_ATTACHED' });
    const before = await opened('front', (access) => scan(access, 'candles', 'candles-m1'));
    await front.stop();
    await opened('front', async (access) => {
      assert.ok(access instanceof DirectAccess && access.near === null);
      assert.equal(JSON.stringify(await scan(access, 'candles', 'candles-m1')), JSON.stringify(before));
      const counted = await access.stores(true);
      const store = counted.find(({ store }) => store === 'candles-m1');
      assert.deepEqual([store?.entries, store?.partitions], [before.length, 2]);
    });
    await until(
      'the session is over',
      () =>
        reset(true).then(
          () => true,
          (cause: unknown) => {
            assert.equal((cause as { code?: string }).code, 'LOG_PARTICIPANT_ATTACHED');
            return false;
          },
        ),
      PATIENCE_MS,
    );
    await opened('front', async (access) => {
      assert.deepEqual(await scan(access, 'candles', 'candles-m1'), []);
      const topics = await access.topics();
      assert.ok(!topics.some(({ name }) => name === 'candles-candles-m1-changelog'));
      const left = await lags(access, 'candles');
      const trades = await all(
        access.tail(
          'market.trades',
          { from: 'beginning', partition: null, key: null, limit: 1_000_000, follow: false },
          AbortSignal.timeout(PATIENCE_MS),
        ),
      );
      const behind = left.filter(({ topic }) => topic === 'market.trades');
      assert.deepEqual([...new Set(behind.map(({ position }) => position))], [0]);
      const records = behind.reduce((sum, { lag }) => sum + lag, 0);
      assert.ok(records >= trades.length, `${records} of ${trades.length}`);
    });
  });
});
