/**
 * What can happen to the surroundings of a process: its state wiped, foreign or on a full disk, its schema registry gone, a topic deleted under
 * it. Each has a clear state on /ready and in the log, and none costs an order.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ORDERS_ACCEPTED } from '../../topologies/orders/topics.ts';
import { Apicurio } from '../schemas/registry/apicurio.ts';
import { kafkaMissing } from '../support/kafka.ts';
import { until } from '../support/until.ts';
import type { Instance } from './deployment.ts';
import { CALM_MS, Scene } from './scene.ts';

const SEED = Number(process.env.OPENTAPE_TEST_CLUSTER_SEED ?? 20131011);
const STATE_TIMEOUT_MS = 120_000;
const FULL_MS = 3_000;
/** No file of the state can grow any more. */
const FULL_BYTES = 1_000;

const asked = process.env.OPENTAPE_TEST_CLUSTER === '1';
if (!asked) console.log('skipped: the faults of a state take minutes; npm run test:cluster tries them');
const skip = asked ? kafkaMissing() : 'npm run test:cluster';
const registryMissing = Apicurio.missing();
const limits = spawnSync('prlimit', ['--version']).status === 0;

describe(`a process among two (seed ${SEED})`, { skip }, () => {
  let scene: Scene;
  let registry: Apicurio | null = null;
  let instance: Instance;

  before(async () => {
    if (registryMissing === false) registry = await Apicurio.start();
    scene = await Scene.start({
      seed: SEED,
      instances: 2,
      registryUrl: registry?.url ?? null,
      settings: registry === null ? {} : { SCHEMA_REGISTRY_URL: registry.url },
    });
    instance = scene.deployment.instances[1]!;
  });
  after(async () => {
    registry?.signal('SIGCONT');
    await scene?.close();
    await registry?.stop();
  });

  const stateOf = (): string => join(instance.dataDirectory, 'state');

  /** Waits until /ready says something. */
  async function says(pattern: RegExp): Promise<void> {
    await until(
      `/ready says ${pattern}`,
      async () => !(await instance.isReady()) && pattern.test(instance.readiness),
      STATE_TIMEOUT_MS,
    );
  }

  test('whose state was wiped restores it', async () => {
    await scene.around(
      async () => {
        await instance.end('SIGKILL');
        rmSync(stateOf(), { recursive: true });
      },
      () => instance.start(),
      CALM_MS,
    );
  });

  test('refuses to start on the state of another cluster, and says so', async () => {
    await scene.trade(CALM_MS);
    await instance.end('SIGTERM');
    const marker = join(stateOf(), 'opentape-state.json');
    const own = readFileSync(marker, 'utf8');
    writeFileSync(marker, JSON.stringify({ ...JSON.parse(own), clusterId: 'of-somebody-else' }));
    await assert.rejects(
      instance.start(),
      /LOG_DIRECTORY_FOREIGN: .*belongs to the cluster of-somebody-else/,
    );
    writeFileSync(marker, own);
    await instance.start();
    await scene.trade(CALM_MS);
    await scene.deployment.ready();
    await scene.settled();
  });

  test('on a full disk says what is wrong, and goes on when there is room', {
    skip: limits ? false : 'prlimit is not there to limit the size of files',
  }, async () => {
    const limit = (bytes: number | 'unlimited'): void => {
      const { pid } = instance.server.process;
      const { status } = spawnSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
      assert.equal(status, 0);
    };
    await scene.trade(CALM_MS);
    limit(FULL_BYTES);
    const trading = scene.trade(FULL_MS);
    await says(/unavailable: LOG_IO/);
    await trading;
    limit('unlimited');
    await scene.trade(CALM_MS);
    await scene.deployment.ready();
    await scene.settled();
    assert.match(instance.output, /an application is tried again.*LOG_IO/);
  });

  test('trades on without its schema registry, and needs it to start', {
    skip: registryMissing,
  }, async () => {
    registry!.signal('SIGSTOP');
    await scene.trade(CALM_MS);
    await scene.settled();
    await scene.deployment.ready();
    await instance.end('SIGTERM');
    await assert.rejects(instance.start(), /SCHEMA_REGISTRY: .*failed/);
    await scene.trade(CALM_MS);
    registry!.signal('SIGCONT');
    await instance.start();
    await scene.deployment.ready();
    await scene.settled();
  });

  test('has lost and doubled nothing in all of this', async (t) => {
    await scene.still();
    t.diagnostic(await scene.verify());
    await scene.deployment.instances[0]!.start();
    await scene.deployment.ready();
  });

  test('stops the application alone whose topic is deleted, and says what to do', async () => {
    await scene.admin.deleteTopics({ topics: [ORDERS_ACCEPTED.name] });
    await says(
      /"application matching":"error: LOG_UNKNOWN_TOPIC: matching: topic 'orders.accepted' was deleted while it was in use/,
    );
    assert.match(instance.readiness, /"application candles":"ok"/);
    assert.match(instance.output, /an application failed and was stopped.*"matching"/);
  });
});
