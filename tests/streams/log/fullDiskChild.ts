/** Sends until the disk takes no more, waits until it does, sends again: `fullDiskChild.js <directory>`. Prints what it sees. */
import { writeSync } from 'node:fs';
import { EmbeddedLog } from '../../../streams/log/embedded/index.ts';

const log = await EmbeddedLog.open({
  directory: process.argv[2]!,
  maintenanceIntervalMs: null,
  memoryBudgetBytes: 64 * 2 ** 20,
});
const producer = log.createProducer();
const filler = 'x'.repeat(100_000);
let failed = false;
for (let number = 0; ; number++) {
  try {
    await producer.send([
      { topic: 'in', partition: 0, key: null, value: Buffer.from(`${number} ${filler}`), timestamp: number },
    ]);
  } catch {
    if (!failed) writeSync(1, 'failed\n');
    failed = true;
    await new Promise((resolve) => setTimeout(resolve, 50));
    continue;
  }
  writeSync(1, `${number}\n`);
  if (failed) break;
}
writeSync(1, 'recovered\n');
await log.close();
