/** Commits until the disk takes no more, then restores until it can: `fullStateDiskChild.js <directory>`. Prints what it sees. */
import { writeSync } from 'node:fs';
import { Stores, stringSerde } from '../../../../../stores/index.ts';
import { LogError } from '../../../../../streams/log/errors.ts';
import { changelogTopicName, KafkaState } from '../../../../../streams/log/kafka/state/index.ts';
import { contentOf, openBytes, writeCommitted } from './committing.ts';
import { taskOf } from './kafkaWriter.ts';
import { MemoryChangelogs } from './memoryChangelogs.ts';

const task = taskOf('app', [
  Stores.keyValueStore({ name: 'plain', keySerde: stringSerde, valueSerde: stringSerde }),
]);
const changelogs = new MemoryChangelogs();
changelogs.create(changelogTopicName('app', 'plain'), 2);
const reader = changelogs.reader();
reader.recordsMax = 1000;
const state = await KafkaState.over({
  directory: process.argv[2]!,
  memoryBudgetBytes: 64 * 2 ** 20,
  clusterId: 'one',
  reader,
  checkpointIntervalMs: 0,
});

/** Runs until the disk refuses. @returns how many entries were committed, the last of which the store may lack */
function commitUntilFull(): number {
  const bytes = openBytes(state, task);
  for (let number = 1; ; number += 1) {
    bytes.put(Buffer.from(`key-${number}`), Buffer.alloc(50_000, 'v'));
    try {
      writeCommitted(state, changelogs);
    } catch (cause) {
      if (!(cause instanceof LogError)) throw cause;
      writeSync(1, `${cause.code}\n`);
      return number;
    }
  }
}

await state.restore(task);
const committed = commitUntilFull();
state.discard();
state.close(task);
for (;;) {
  try {
    await state.restore(task);
    break;
  } catch (cause) {
    if (!(cause instanceof LogError)) throw cause;
    writeSync(1, `${cause.code}\n`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
if (contentOf(openBytes(state, task)).length !== committed) throw new Error('a committed change is missing');
writeSync(1, 'restored\n');
await state.shutdown();
process.exit(0);
