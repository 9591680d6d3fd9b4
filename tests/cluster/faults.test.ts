/**
 * Three brokers, three processes, customers who trade, and one fault after the other. What comes of it is worked out again from the commands
 * on the log by a verifier that shares nothing with the runtime. It takes minutes, so that it has a command of its own: `npm run test:cluster`.
 * `OPENTAPE_TEST_CLUSTER_ROUNDS` and `OPENTAPE_TEST_CLUSTER_COMMANDS_PER_SECOND` make it longer and heavier.
 */
import { rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { kafkaMissing } from '../support/kafka.ts';
import { CALM_MS, Scene } from './scene.ts';

const SEED = Number(process.env.OPENTAPE_TEST_CLUSTER_SEED ?? 20131011);
const ROUNDS = Number(process.env.OPENTAPE_TEST_CLUSTER_ROUNDS ?? 1);
/** Longer than the brokers' session time-out, so that the others take over. */
const FROZEN_MS = 12_000;

const asked = process.env.OPENTAPE_TEST_CLUSTER === '1';
if (!asked) console.log('skipped: the faults of a cluster take minutes; npm run test:cluster tries them');
const missing = asked ? kafkaMissing() : 'npm run test:cluster';

describe(`a deployment on three brokers (seed ${SEED})`, { skip: missing }, () => {
  let scene: Scene;

  before(async () => {
    scene = await Scene.start({ seed: SEED, brokers: 3, relayed: true });
  });
  after(() => scene?.close());

  for (let round = 1; round <= ROUNDS; round += 1) {
    test(`round ${round}: an instance killed, and started again`, async () => {
      const instance = scene.pick();
      await scene.around(
        () => instance.end('SIGKILL'),
        () => instance.start(),
        CALM_MS,
      );
    });

    test(`round ${round}: an instance frozen beyond its session, and resumed`, async () => {
      const instance = scene.pick();
      await scene.around(
        async () => instance.signal('SIGSTOP'),
        async () => instance.signal('SIGCONT'),
        FROZEN_MS,
      );
    });

    test(`round ${round}: an instance stopped and started, as in a rolling restart`, async () => {
      for (const instance of scene.deployment.instances) {
        await scene.around(
          () => instance.end('SIGTERM'),
          () => instance.start(),
          0,
        );
      }
    });

    test(`round ${round}: an instance cut off from all brokers beyond its session`, async () => {
      await scene.around(
        async () => scene.cut(),
        async () => scene.mend(),
        FROZEN_MS,
      );
    });

    test(`round ${round}: an instance cut off from one broker alone`, async () => {
      const broker = scene.random.integer(1, 3);
      await scene.around(
        async () => scene.cut(broker),
        async () => scene.mend(),
        FROZEN_MS,
      );
    });

    test(`round ${round}: an instance killed, and started again without anything of its own`, async () => {
      const instance = scene.pick();
      await scene.around(
        () => instance.end('SIGKILL'),
        async () => {
          rmSync(instance.dataDirectory, { recursive: true });
          await instance.start();
        },
        CALM_MS,
      );
    });

    for (const role of ['leader', 'coordinator', 'controller'] as const) {
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        test(`round ${round}: the ${role} ended by ${signal}, and started again`, async () => {
          const broker = await scene.brokerWith(role);
          await scene.around(
            () => broker.stop(signal),
            () => broker.start(),
            2 * CALM_MS,
          );
        });
      }

      test(`round ${round}: the ${role} frozen until others act in its place, and resumed`, async () => {
        const broker = await scene.brokerWith(role);
        await scene.around(
          () => broker.stop('SIGSTOP'),
          () => broker.stop('SIGCONT'),
          FROZEN_MS,
        );
      });
    }
  }

  test('no acknowledged command is lost or done twice, money, shares, books and stores agree, and nothing lags', async (t) => {
    await scene.still();
    t.diagnostic(await scene.verify());
  });
});
