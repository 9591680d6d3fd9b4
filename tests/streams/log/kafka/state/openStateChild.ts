/** Opens a state directory and prints what came of it: `openStateChild.js <directory>`. */

import { LogError } from '../../../../../streams/log/errors.ts';
import { KafkaState } from '../../../../../streams/log/kafka/state/index.ts';
import { MemoryChangelogs } from './memoryChangelogs.ts';

try {
  await KafkaState.over({
    directory: process.argv[2]!,
    memoryBudgetBytes: 8 * 2 ** 20,
    clusterId: 'one',
    reader: new MemoryChangelogs().reader(),
  });
  console.log('opened');
} catch (cause) {
  console.log(cause instanceof LogError ? cause.code : String(cause));
}
process.exit(0);
