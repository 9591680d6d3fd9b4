import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Stores, stringSerde } from '../../../../../stores/index.ts';
import { LogError } from '../../../../../streams/log/errors.ts';
import { changelogTopicName, KafkaState } from '../../../../../streams/log/kafka/state/index.ts';
import { TemporaryDirectory } from '../../../../support/temporary.ts';
import { contentOf, openBytes, writeCommitted } from './committing.ts';
import { taskOf } from './kafkaWriter.ts';
import { MemoryChangelogs } from './memoryChangelogs.ts';

const STORE = Stores.keyValueStore({ name: 'plain', keySerde: stringSerde, valueSerde: stringSerde });
const TASK = taskOf('app', [STORE]);
const ENTRIES = 2000;
/** So that more is written than memory is given: tables come to be on disk. */
const VALUE_BYTES = 4000;

let temporary: TemporaryDirectory;
let directory: string;
let changelogs: MemoryChangelogs;
let notices: string[];
let state: KafkaState | null = null;

beforeEach(() => {
  temporary = new TemporaryDirectory();
  directory = join(temporary.path, 'state');
  changelogs = new MemoryChangelogs();
  changelogs.create(changelogTopicName('app', 'plain'), 2);
  notices = [];
});
afterEach(async () => {
  await state?.shutdown();
  state = null;
  temporary.remove();
});

async function open(
  options: { readonly clusterId?: string; readonly nowMs?: number } = {},
): Promise<KafkaState> {
  state = await KafkaState.over({
    directory,
    memoryBudgetBytes: 8 * 2 ** 20,
    clusterId: options.clusterId ?? 'one',
    reader: changelogs.reader(),
    checkpointIntervalMs: 0,
    wallClock: () => options.nowMs ?? 1_000,
    onNotice: (line) => void notices.push(line),
  });
  return state;
}

async function close(): Promise<void> {
  await state?.shutdown();
  state = null;
}

/** A directory with a store that has been written. */
async function fill(): Promise<void> {
  const opened = await open();
  await opened.restore(TASK);
  const bytes = openBytes(opened, TASK);
  for (let index = 0; index < ENTRIES; index += 1) {
    bytes.put(Buffer.from(`key-${index}`), Buffer.alloc(VALUE_BYTES, 'v'));
    if (index % 100 === 99) writeCommitted(opened, changelogs);
  }
  await close();
}

async function restoredRecords(opened: KafkaState): Promise<number> {
  let records = -1;
  await opened.restore(TASK, (progress) => {
    records = progress.records;
  });
  assert.equal(contentOf(openBytes(opened, TASK)).length, ENTRIES);
  return records;
}

test('refuses a directory with something else in it', async () => {
  mkdirSync(directory);
  writeFileSync(join(directory, 'letter.txt'), 'dear');
  await assert.rejects(open(), { code: 'LOG_DIRECTORY_FOREIGN', message: /no opentape-state\.json/ });
  assert.deepEqual(readdirSync(directory), ['letter.txt']);
});

test('refuses the state of another cluster, and of a newer version', async () => {
  await fill();
  await assert.rejects(open({ clusterId: 'two' }), {
    code: 'LOG_DIRECTORY_FOREIGN',
    message: /belongs to the cluster one, but this is two/,
  });
  writeFileSync(join(directory, 'opentape-state.json'), JSON.stringify({ format: 99 }));
  await assert.rejects(open(), { code: 'LOG_VERSION_NEWER' });
});

test('refuses a directory that another process has open', async () => {
  await open();
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./openStateChild.js', import.meta.url)), directory],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exit = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  await exit;
  assert.deepEqual(lines, ['LOG_DIRECTORY_IN_USE']);
});

test('wipes a database that does not open, says so, and restores it', async () => {
  await fill();
  for (const name of readdirSync(join(directory, 'state'))) {
    if (name.startsWith('MANIFEST')) truncateSync(join(directory, 'state', name), 10);
  }
  const opened = await open();
  assert.match(notices.join('\n'), /is wiped and will be restored/);
  assert.equal(await restoredRecords(opened), ENTRIES);
});

test('begins anew where the directory or its marker is gone or unreadable', async () => {
  await fill();
  writeFileSync(join(directory, 'opentape-state.json'), '{');
  assert.equal(await restoredRecords(await open()), ENTRIES);
  assert.match(notices.join('\n'), /opentape-state\.json cannot be read/);
  await close();
  rmSync(directory, { recursive: true });
  assert.equal(await restoredRecords(await open()), ENTRIES);
});

test('wipes a database in which damage is met, once its tasks are closed', async () => {
  await fill();
  const tables = readdirSync(join(directory, 'state')).filter((name) => name.endsWith('.sst'));
  assert.ok(tables.length > 0);
  for (const name of tables) {
    const path = join(directory, 'state', name);
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 100, Math.min(4000, bytes.length >> 1));
    writeFileSync(path, bytes);
  }
  const opened = await open();
  // Whether it is a read or a compaction that meets it first is not known.
  const met = async (): Promise<never> => {
    await opened.restore(TASK);
    const bytes = openBytes(opened, TASK);
    contentOf(bytes);
    throw new Error('nothing was met');
  };
  await assert.rejects(
    met(),
    (cause) => cause instanceof LogError && /^LOG_(RECORD_CORRUPT|IO)$/.test(cause.code),
  );
  assert.throws(() => opened.drain(() => undefined), LogError);
  opened.discard();
  opened.close(TASK);
  assert.equal(await restoredRecords(opened), ENTRIES);
  assert.match(notices.join('\n'), /damage was met in it/);
});

test('does not trust a checkpoint that is older than deletions are kept', async () => {
  await fill();
  assert.equal(await restoredRecords(await open({ nowMs: 24 * 60 * 60 * 1000 })), ENTRIES);
  assert.match(notices.join('\n'), /older than the changelog keeps deletions/);
});

const limits = spawnSync('prlimit', ['--version']).status === 0;
test('stops at a full disk, and goes on from the changelog when there is room again', {
  skip: limits ? false : 'prlimit is not there to limit the size of files',
}, async () => {
  const child = spawn(
    'prlimit',
    [
      '--fsize=2000000:unlimited',
      process.execPath,
      fileURLToPath(new URL('./fullStateDiskChild.js', import.meta.url)),
      directory,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exit = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line === 'LOG_IO') spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:unlimited']);
  }
  const [code] = await exit;
  assert.equal(code, 0);
  assert.deepEqual([...new Set(lines)], ['LOG_IO', 'restored']);
});
