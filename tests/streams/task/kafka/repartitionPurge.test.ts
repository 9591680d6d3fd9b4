import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogError } from '../../../../streams/log/errors.ts';
import { InputQueue } from '../../../../streams/task/kafka/inputQueue.ts';
import { RepartitionPurge } from '../../../../streams/task/kafka/repartitionPurge.ts';
import { until } from '../../../support/until.ts';

const OWN = 'app-counts-repartition';

function input(topic: string, partition: number, committed: number): InputQueue {
  return new InputQueue(topic, partition, committed, Math.max(0, committed));
}

test('asks for what was committed since the last time, of own topics alone, and again where that failed, which it says once', async () => {
  const own = [input(OWN, 0, 7), input(OWN, 1, -1), input(OWN, 2, 0)];
  const tasks = new Map([['1_0', { inputs: [input('in', 0, 9), ...own] }]]);
  const plan = { internalTopics: new Map([['counts-repartition', OWN]]) };
  const asked: string[] = [];
  const said: unknown[] = [];
  let refused = 2;
  const purge = new RepartitionPurge(
    {
      deleteRecords: async (topic, before) => {
        asked.push(
          `${topic}: ${before.map(({ partition, offset }) => `${partition} before ${offset}`).join()}`,
        );
        refused -= 1;
        if (refused >= 0) throw new LogError('LOG_UNAUTHORIZED', 'the user lacks a right to the topic');
      },
      report: (cause) => said.push(cause),
    },
    1,
    () => [{ plan, tasks }],
  );
  purge.start();
  await until('deleted', () => refused < 0);
  own[1]!.committed = 4;
  await until('deleted more', () => refused < -1);
  purge.close();
  assert.deepEqual(asked, [...Array.from({ length: 3 }, () => `${OWN}: 0 before 7`), `${OWN}: 1 before 4`]);
  assert.deepEqual(
    said.map((cause) => (cause as LogError).code),
    ['LOG_UNAUTHORIZED'],
  );
});
