/** An application of a deployment on Kafka whose store went wrong is built anew, read, and takes the place of the one there was. */
import assert from 'node:assert/strict';
import type { PortfolioPosition } from '../../../schemas/generated/types.ts';
import { openKafkaPlatform } from '../../../serving/cluster/platform.ts';
import { readConfig } from '../../../serving/config.ts';
import type { OperatorAccess } from '../../../serving/ops/access.ts';
import { DirectAccess } from '../../../serving/ops/direct.ts';
import { type Dropped, dropReprocessing } from '../../../serving/ops/dropReprocessing.ts';
import type { Operation } from '../../../serving/ops/operation.ts';
import {
  type ReprocessingStatus,
  reprocessingStatus,
  rollBackReprocessing,
  startReprocessing,
  switchReprocessing,
} from '../../../serving/ops/reprocessing.ts';
import type { EntryView } from '../../../serving/ops/stores.ts';
import { topologySettings } from '../../../serving/ops/topologySettings.ts';
import { DEMO_ACCOUNT_ID } from '../../../serving/platform.ts';
import type { RunningServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';

const PATIENCE_MS = 60_000;

export async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

/** The deployment, as the tests of the tools have it. */
export interface DeploymentUnderTest {
  readonly settings: (name: string) => Readonly<Record<string, string>>;
  readonly start: (name: string, roles: string) => Promise<RunningServer>;
  readonly opened: <T>(name: string, body: (access: OperatorAccess) => Promise<T>) => Promise<T>;
}

/** No process may run; the demo account has traded in KO. */
export async function buildAnew({ settings, start, opened }: DeploymentUnderTest): Promise<void> {
  const config = readConfig(settings('reader'));
  assert.ok(config.engine.kind === 'kafka');
  const recordsOf = async (name: string): Promise<number> =>
    (await opened('front', (access) => access.topics())).find((topic) => topic.name === name)?.records ?? 0;
  const step = (operation: Operation<{ readonly application: string }, ReprocessingStatus>) =>
    opened('front', async (access) => (await all(access.run(operation, { application: 'portfolio' })))[0]!);
  // The position of the demo account goes wrong in the store of the present one.
  const key = Buffer.from(`${DEMO_ACCOUNT_ID}/KO`);
  const right = await opened('front', async (access) => {
    assert.ok(access instanceof DirectAccess);
    const [entry] = await access.entries('portfolio', 'portfolio-positions', key.toString());
    const { engine } = access.subject;
    const topic = 'portfolio-portfolio-positions-changelog';
    const producer = engine.createProducer();
    const partition = entry?.partition ?? 0;
    await producer.send([{ topic, partition, key, value: null, timestamp: Date.now() }]);
    await producer.close();
    return entry;
  });
  assert.ok(right !== undefined);
  const written = await recordsOf('portfolio.updates');
  assert.equal((await step(startReprocessing)).state, 'waiting');
  await assert.rejects(step(switchReprocessing), { code: 'SERVING_REPROCESS', message: /has not begun/ });

  const worker = await start('front', 'portfolio');
  const reader = await openKafkaPlatform({
    cluster: config.engine,
    ...topologySettings(config),
    instanceId: 'reader',
    dataDirectory: config.dataDirectory,
    memoryBudgetBytes: config.memoryBudgetBytes,
    schemaRegistryUrl: null,
    running: [],
    address: () => '',
    onStateChange: () => undefined,
    onTrouble: () => undefined,
  });
  try {
    const store = reader.queries
      .keyValue<string, PortfolioPosition>('portfolio', 'portfolio-positions')
      .forRecordKey(DEMO_ACCOUNT_ID);
    const seen = async (): Promise<boolean> => (await store.get(key.toString())) !== null;
    const state = async (): Promise<string> =>
      (await opened('front', (access) => all(access.run(reprocessingStatus, {}))))[0]!.state;
    await until('built', async () => (await state()) === 'ready', PATIENCE_MS);
    assert.equal(await seen(), false);
    assert.equal((await step(switchReprocessing)).active, 'portfolio.next');
    await until('another process reads the new one', seen, PATIENCE_MS);
    await step(rollBackReprocessing);
    await until('and the present one again', async () => !(await seen()), PATIENCE_MS);
    await step(switchReprocessing);
    await until('and the new one', seen, PATIENCE_MS);
    await assert.rejects(
      opened('front', (access) => dropReprocessing(access, 'portfolio')),
      { code: 'LOG_PARTICIPANT_ATTACHED' },
    );
  } finally {
    await reader.close();
    await worker.stop();
  }
  let done: Dropped | null = null;
  await until(
    'the sessions are over',
    async () => {
      try {
        done = await opened('front', (access) => dropReprocessing(access, 'portfolio'));
      } catch (cause) {
        assert.equal((cause as { code?: string }).code, 'LOG_PARTICIPANT_ATTACHED', String(cause));
      }
      return done !== null;
    },
    PATIENCE_MS,
  );
  const { dropped, topics } = done as unknown as Dropped;
  assert.equal(dropped, 'present');
  assert.ok(topics.includes('portfolio.next-portfolio.updates'));
  assert.deepEqual(
    (await opened('front', (access) => access.topics())).filter(({ name }) =>
      name.startsWith('portfolio.next'),
    ),
    [],
  );
  // By its changelog; the price it is marked at is that which the process knew when it built it.
  const [anew] = await opened('front', (access) =>
    access.entries('portfolio', 'portfolio-positions', key.toString()),
  );
  const quantityOf = (entry: EntryView | undefined): unknown =>
    (entry?.value as { readonly quantityMicros?: unknown } | undefined)?.quantityMicros;
  assert.ok(anew !== undefined);
  assert.equal(quantityOf(anew), quantityOf(right));
  const again = await start('front', 'portfolio');
  try {
    await opened('front', async (access) => {
      assert.ok(access instanceof DirectAccess && access.near !== null);
      const { near } = access;
      // The process that runs has it in its own directory too, once that is brought up to the changelog.
      let found: readonly EntryView[] = [];
      const restored = async (): Promise<boolean> => {
        found = await near.entries('portfolio', 'portfolio-positions', key.toString()).catch(() => []);
        return found.length > 0;
      };
      await until('restored', restored, PATIENCE_MS);
      assert.equal(JSON.stringify(found), JSON.stringify([anew]));
    });
    assert.equal(await recordsOf('portfolio.updates'), written, 'nothing is written twice');
  } finally {
    await again.stop();
  }
}
