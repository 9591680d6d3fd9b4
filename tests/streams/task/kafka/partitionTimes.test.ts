import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { StreamsBuilder } from '../../../../streams/index.ts';
import { changelogTopics } from '../../../../streams/log/kafka/state/changelogTopics.ts';
import { KafkaState } from '../../../../streams/log/kafka/state/index.ts';
import { ApplicationPlan } from '../../../../streams/task/application.ts';
import { HostedTask, taskStateOf } from '../../../../streams/task/kafka/hostedTask.ts';
import { InputQueue } from '../../../../streams/task/kafka/inputQueue.ts';
import { withTemporaryDirectory } from '../../../support/temporary.ts';
import { TEXT } from '../../dsl/support.ts';
import { MemoryChangelogs, MemoryTransaction } from '../../log/kafka/state/memoryChangelogs.ts';

const PARTITIONS = 2;

function plan(): ApplicationPlan {
  const builder = new StreamsBuilder();
  builder.stream('events', TEXT).groupByKey().count({ name: 'counts' });
  builder.stream('lines', TEXT).to('out', TEXT);
  return new ApplicationPlan({ applicationId: 'app', topology: builder.build() }, () => PARTITIONS);
}

/** A process with a state directory of its own, and the task of `events` as it holds it. */
async function take(directory: string, changelogs: MemoryChangelogs) {
  const state = await KafkaState.over({
    directory,
    memoryBudgetBytes: 8 * 2 ** 20,
    clusterId: 'cluster',
    reader: changelogs.reader(),
  });
  const application = plan();
  const taskPlan = application.tasks.find(
    ({ subtopology, partition }) => subtopology.topics.includes('events') && partition === 1,
  )!;
  const input = new InputQueue('events', 1, 0, 0);
  const hosted = new HostedTask(taskStateOf(application, taskPlan), taskPlan, [input]);
  await state.restore(hosted.state);
  hosted.openTimes(state);
  const commit = (outcome: 'committed' | 'aborted'): void => {
    const transaction = new MemoryTransaction();
    hosted.noteTimes();
    state.drain((topic, partition, key, value) =>
      changelogs.append({ topic, partition }, key, value, transaction),
    );
    changelogs.finish(transaction, outcome);
    if (outcome === 'committed') state.committed([]);
    else state.discard();
  };
  return { state, hosted, input, commit };
}

test('a task that moves to a process without its state goes on in the stream time that was committed', async () => {
  await withTemporaryDirectory(async (directory) => {
    const changelogs = new MemoryChangelogs();
    for (const { name, partitions } of changelogTopics(plan())) changelogs.create(name, partitions);
    const first = await take(join(directory, 'first'), changelogs);
    assert.equal(first.input.partitionTimeMs, -1);
    first.input.partitionTimeMs = 500;
    first.commit('committed');
    first.input.partitionTimeMs = 900;
    first.commit('aborted');
    await first.state.shutdown();
    const second = await take(join(directory, 'second'), changelogs);
    assert.equal(second.input.partitionTimeMs, 500);
    // And back again, where the local state is older than what was committed meanwhile.
    second.input.partitionTimeMs = 700;
    second.commit('committed');
    await second.state.shutdown();
    const back = await take(join(directory, 'first'), changelogs);
    assert.equal(back.input.partitionTimeMs, 700);
    back.hosted.close(false);
    await back.state.shutdown();
  });
});

test('only sub-topologies with stores keep partition times, in a changelog with a partition for each task', () => {
  const names = changelogTopics(plan()).map(({ name, partitions, cleanupPolicy }) => ({
    name,
    partitions,
    cleanupPolicy,
  }));
  assert.deepEqual(names, [
    { name: 'app-counts-changelog', partitions: PARTITIONS, cleanupPolicy: 'compact' },
    { name: 'app-partition-times-0-changelog', partitions: PARTITIONS, cleanupPolicy: 'compact' },
  ]);
});
