/**
 * A process that writes to a log until it is killed: `crashChild.js <directory> <fault point | hold> <occurrence> <sends under way>`. With
 * more than one send under way, another thread writes every commit. Each send puts the
 * same number into two topics, and the participant adds it to a sum in a store; what was acknowledged is printed, a number a line.
 */
import { writeSync } from 'node:fs';
import { EmbeddedLog } from '../../../streams/log/embedded/index.ts';
import { NO_HEADERS } from '../../../streams/record.ts';
import { participantOf } from './support.ts';

const [directory, killAt, occurrence, underWay = '1'] = process.argv.slice(2);
const underWayMax = Number(underWay);
let left = Number(occurrence);
const log = await EmbeddedLog.open({
  directory: directory!,
  memoryBudgetBytes: 16 * 2 ** 20,
  maintenanceIntervalMs: 5,
  compactAfterRecords: 50,
  ...(underWayMax > 1 ? { backgroundCommitBytes: 1 } : {}),
  faults: {
    at: (point) => {
      if (point === killAt && left-- <= 0) process.kill(process.pid, 'SIGKILL');
    },
  },
});
const delete_ = { partitions: 1, retentionMs: 100, cleanupPolicy: 'delete' } as const;
await log.admin.createTopics([
  { ...delete_, name: 'in', retentionMs: null },
  { ...delete_, name: 'twin', retentionMs: null },
  { ...delete_, name: 'out', retentionMs: null },
  { ...delete_, name: 'short' },
  { name: 'newest', partitions: 1, retentionMs: null, cleanupPolicy: 'compact' },
]);
if (killAt === 'hold') {
  writeSync(1, 'open\n');
  process.stdin.resume();
  await new Promise(() => undefined);
}
const store = log.state.open({ applicationId: 'app', storeName: 'sum', partition: 0 }, 'persistent');
const SUM = Buffer.from('sum');
let position = 0;
log.attach(
  participantOf({
    onAppended: ([appended]) => {
      if (appended!.topic !== 'in') return;
      const sum = Number(store.get(SUM) ?? 0) + Number(appended!.value);
      store.put(SUM, Buffer.from(String(sum)));
      log.appender('out', 0).append(appended!.timestamp, null, Buffer.from(String(sum)), NO_HEADERS);
      position = appended!.offset + 1;
    },
    beforeCommit: (writer) => {
      if (position > 0)
        writer.putPosition({
          applicationId: 'app',
          topic: 'in',
          partition: 0,
          offset: position,
          partitionTimeMs: 0,
        });
    },
  }),
);
const producer = log.createProducer();
const pending: Promise<void>[] = [];
for (let number = log.committedEnd('in', 0); ; number++) {
  const value = Buffer.from(String(number));
  const key = Buffer.from(String(number % 5));
  const sent = producer
    .send(
      ['in', 'twin', 'short', 'newest'].map((topic) => ({
        topic,
        partition: 0,
        key,
        value,
        timestamp: number,
      })),
    )
    .then(() => void writeSync(1, `${number}\n`));
  pending.push(sent);
  if (pending.length >= underWayMax) await pending.shift();
}
