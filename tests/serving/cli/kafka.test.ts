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
import type { VerificationReport } from '../../../serving/ops/invariants/verify.ts';
import { lagOperation } from '../../../serving/ops/lag.ts';
import { openAccess } from '../../../serving/ops/open.ts';
import { resetApplication } from '../../../serving/ops/reset.ts';
import type { ShadowReport } from '../../../serving/ops/shadow.ts';
import type { EntryView } from '../../../serving/ops/stores.ts';
import { DEMO_ACCOUNT_ID } from '../../../serving/platform.ts';
import type { PartitionLag } from '../../../streams/ops/lag.ts';
import { KafkaUnderTest, kafkaMissing } from '../../support/kafka.ts';
import { call, DEMO_KEY, DEMO_SECRET, type RunningServer, startServer } from '../../support/server.ts';
import { TemporaryDirectory } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';
import { all, buildAnew } from './kafkaReprocess.ts';
import { runProgram } from './program.ts';

const SESSION_MS = '6000';
const PATIENCE_MS = 120_000;

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

  test('verify beside trading that goes on finds nothing wrong, whatever is on its way', async () => {
    const order = (side: 'buy' | 'sell') =>
      call(front, 'POST', '/v2/orders', {
        symbol: 'KO',
        qty: '1',
        side,
        type: 'market',
        time_in_force: 'day',
      });
    await until('a quote to price it by', async () => (await order('buy')).status === 200, PATIENCE_MS);
    for (const side of ['buy', 'sell'] as const) {
      const { status, body } = await order(side);
      assert.equal(status, 200, JSON.stringify(body));
    }
    const position = `${DEMO_ACCOUNT_ID}/KO`;
    await until(
      'it is in the portfolio',
      () =>
        opened(
          'front',
          async (access) => (await access.entries('portfolio', 'portfolio-positions', position)).length === 1,
        ),
      PATIENCE_MS,
    );
    const report = await opened('front', (access) =>
      access.verify({ only: null, violationsMax: 20 }, () => undefined),
    );
    assert.deepEqual(
      report.invariants.flatMap(({ violations }) => violations),
      [],
    );
    const [money] = report.invariants;
    assert.ok((money?.checked.trades ?? 0) > 0);
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

  test('a deployment is compared with what runs', async () => {
    const same = await runProgram(['topology', 'diff'], settings('front'));
    assert.equal(same.code, 0, same.stdout + same.stderr);
    assert.match(same.stdout, /^A deployment changes nothing/);
  });

  test('verify recomputes everything where nothing moves, and finds a trade that is settled twice on one side', async () => {
    const verify = async (...more: string[]) => {
      const { code, stdout, stderr } = await runProgram(['verify', '--json', ...more], settings('front'));
      assert.match(stdout, /^\{/, stderr);
      return { code, report: JSON.parse(stdout) as VerificationReport };
    };
    // The process that runs tells now and then that it is there.
    const topics = async () =>
      (await opened('front', (access) => access.topics()))
        .filter(({ name }) => name !== 'opentape-instances')
        .map(({ name, offsets }) => ({ name, offsets }));
    const topicsBefore = await topics();
    const { code, report } = await verify();
    assert.deepEqual(
      report.invariants.flatMap(({ violations }) => violations),
      [],
    );
    assert.equal(code, 0);
    assert.deepEqual(
      report.invariants.flatMap(({ notChecked }) => notChecked),
      ['gaps of offsets: on Kafka the ends of transactions take offsets too'],
    );
    const checked = Object.assign({}, ...report.invariants.map((each) => each.checked)) as Record<
      string,
      number
    >;
    for (const what of [
      'trades',
      'accounts',
      'commands',
      'order updates',
      'resting orders',
      'books',
      'depth deltas',
    ])
      assert.ok((checked[what] ?? 0) > 0, what);
    assert.deepEqual(await topics(), topicsBefore, 'nothing is written');
    await opened('front', async (access) => {
      assert.ok(access instanceof DirectAccess);
      const { engine } = access.subject;
      for (const partition of [0, 1]) {
        const [trade] = await engine.reader.read({ topic: 'trade.events', partition }, 0, 1);
        if (trade === undefined) continue;
        const { topic, key, value, timestamp, headers } = trade;
        const producer = engine.createProducer();
        await producer.send([{ topic, partition, key, value, timestamp, headers }]);
        await producer.close();
        break;
      }
    });
    const damaged = await verify('--only', 'money');
    assert.equal(damaged.code, 1);
    const [money] = damaged.report.invariants;
    assert.ok(money!.violations.some(({ what }) => /one side of a trade was settled/.test(what)));
  });

  test('replay gives what was written, partition by partition, and tells a record that it does not give', async () => {
    const replay = async (application: string, ...more: string[]) => {
      const { code, stdout, stderr } = await runProgram(
        ['replay', application, '--json', ...more],
        settings('front'),
      );
      assert.match(stdout, /^\{/, stderr);
      return { code, report: JSON.parse(stdout) as ShadowReport };
    };
    const candles = await replay('candles', '--from', '20');
    assert.deepEqual([candles.code, candles.report.differences], [0, 0], JSON.stringify(candles.report));
    assert.ok(candles.report.inRange > 0 && candles.report.inRange < candles.report.fed);
    assert.ok(candles.report.topics[0]!.equal > 0 && candles.report.topics[0]!.alone);
    const matching = await replay('matching');
    assert.deepEqual([matching.code, matching.report.differences], [0, 0], JSON.stringify(matching.report));
    assert.ok(matching.report.topics.every(({ equal }) => equal > 0));
    await opened('front', async (access) => {
      assert.ok(access instanceof DirectAccess);
      const producer = access.subject.engine.createProducer();
      const timestamp = Date.now();
      await producer.send([
        { topic: 'candle.updates', partition: 1, key: Buffer.from('KO'), value: null, timestamp },
      ]);
      await producer.close();
    });
    const other = await replay('candles');
    assert.deepEqual([other.code, other.report.differences], [3, 1], JSON.stringify(other.report));
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

  test('an application is built anew under another id, read in one step by all processes, and takes the place of the one there was', async () => {
    await Promise.all([front.stop(), feeder.stop()]);
    await buildAnew({ settings, start, opened });
  });
});
