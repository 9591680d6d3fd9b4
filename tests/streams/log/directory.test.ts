import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EmbeddedLog } from '../../../streams/log/embedded/index.ts';
import { isLogError, record } from './conformance.ts';
import { LogUnderTest } from './support.ts';

const COMMITS = 6;
let under: LogUnderTest;
beforeEach(() => {
  under = new LogUnderTest();
});
afterEach(() => under.dispose());

/** Every file of a directory with its bytes; RocksDB's lock file has none that matter. */
function contentsOf(directory: string): Map<string, string> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.endsWith('LOCK') && statSync(join(directory, name)).isFile())
    .sort();
  return new Map(files.map((name) => [name, readFileSync(join(directory, name)).toString('base64')]));
}

async function refusesUntouched(directory: string, ...error: Parameters<typeof isLogError>): Promise<void> {
  const before = contentsOf(directory);
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(EmbeddedLog.open({ directory }), isLogError(...error));
    assert.deepEqual(contentsOf(directory), before, 'nothing was touched');
  }
}

async function write(commits: number): Promise<void> {
  const log = await under.open();
  await log.admin.createTopics([{ name: 'in', partitions: 1, retentionMs: null, cleanupPolicy: 'delete' }]);
  const producer = log.createProducer();
  for (let commit = 1; commit <= commits; commit++) await producer.send([record('in', 0, `v${commit}`)]);
}

test('a directory it makes is open to its owner only', async () => {
  const directory = join(under.directory, 'deep', 'inside');
  await (await EmbeddedLog.open({ directory })).close();
  assert.equal(statSync(directory).mode & 0o777, 0o700);
});

test('refuses a directory that is not empty and not its own, or a file', async () => {
  mkdirSync(under.directory, { recursive: true });
  writeFileSync(join(under.directory, 'thesis.txt'), 'precious');
  await refusesUntouched(under.directory, 'LOG_DIRECTORY_FOREIGN', /not empty and not a data directory/);
  const file = join(under.directory, 'thesis.txt');
  await assert.rejects(EmbeddedLog.open({ directory: file }), isLogError('LOG_DIRECTORY_FOREIGN'));
  assert.equal(readFileSync(file, 'utf8'), 'precious');
});

test('refuses a directory of a newer version', async () => {
  await write(1);
  await under.close();
  writeFileSync(join(under.directory, 'opentape-data.json'), '{"format":2,"engine":"embedded"}\n');
  await refusesUntouched(
    under.directory,
    'LOG_VERSION_NEWER',
    /format 2 by a newer version; this one reads up to format 1/,
  );
});

test('says which of its own files is damaged or missing', async () => {
  await write(2);
  await under.close();
  const saved = `${under.directory}.saved`;
  cpSync(under.directory, saved, { recursive: true });
  const damages: [RegExp, () => void][] = [
    [
      /opentape-data\.json cannot be read/,
      () => writeFileSync(join(under.directory, 'opentape-data.json'), '{"form'),
    ],
    [
      /opentape-data\.json names no format/,
      () => writeFileSync(join(under.directory, 'opentape-data.json'), '{}'),
    ],
    [/'acknowledged'/, () => rmSync(join(under.directory, 'acknowledged'))],
    [/'acknowledged'/, () => writeFileSync(join(under.directory, 'acknowledged'), Buffer.alloc(32, 7))],
    [
      /folder 'log' is missing, though 2 commits/,
      () => rmSync(join(under.directory, 'log'), { recursive: true }),
    ],
  ];
  for (const [message, damage] of damages) {
    rmSync(under.directory, { recursive: true });
    cpSync(saved, under.directory, { recursive: true });
    damage();
    await refusesUntouched(under.directory, 'LOG_DIRECTORY_DAMAGED', message);
  }
});

test('refuses a directory that another process has open, and opens it once that one ended', async () => {
  await write(1);
  await under.close();
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./crashChild.js', import.meta.url)), under.directory, 'hold', '0'],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  await once(child.stdout, 'data');
  await assert.rejects(under.open(), isLogError('LOG_DIRECTORY_IN_USE', /in use by another process/));
  child.kill('SIGKILL');
  await once(child, 'exit');
  const log = await under.open();
  assert.equal(log.committedEnd('in', 0), 1);
});

test('refuses a second log on the same directory in one process', async () => {
  await write(1);
  await assert.rejects(EmbeddedLog.open({ directory: under.directory }), isLogError('LOG_DIRECTORY_IN_USE'));
  await under.log.createProducer().send([record('in', 0, 'still works')]);
});

/**
 * What a kill leaves at the moment when the last commit is in the write-ahead log and nobody has been told of it:
 * a copy of the directory, and where in the log that commit begins.
 */
async function killedBeforeAcknowledge(): Promise<{
  image: string;
  wal: string;
  lastCommitAt: number;
  size: number;
}> {
  const image = `${under.directory}.image`;
  const walOf = (directory: string): string =>
    join(
      directory,
      'log',
      readdirSync(join(directory, 'log'))
        .filter((name) => name.endsWith('.log'))
        .sort()
        .at(-1)!,
    );
  let commits = 0;
  let lastCommitAt = 0;
  const log = await under.open({
    faults: {
      at: (point) => {
        if (point === 'commit:before-write' && ++commits === COMMITS)
          lastCommitAt = statSync(walOf(under.directory)).size;
        if (point === 'commit:after-write' && commits === COMMITS)
          cpSync(under.directory, image, { recursive: true });
      },
    },
  });
  await log.admin.createTopics([{ name: 'in', partitions: 1, retentionMs: null, cleanupPolicy: 'delete' }]);
  const producer = log.createProducer();
  for (let commit = 1; commit <= COMMITS; commit++) await producer.send([record('in', 0, `v${commit}`)]);
  await under.close();
  const wal = walOf(image);
  return { image, wal, lastCommitAt, size: statSync(wal).size };
}

async function reopened(
  image: string,
  damage: (wal: string) => void,
  wal: string,
): Promise<readonly string[]> {
  rmSync(under.directory, { recursive: true, force: true });
  cpSync(image, under.directory, { recursive: true });
  damage(join(under.directory, wal.slice(image.length)));
  const log = await under.open();
  const values = log.readSync('in', 0, 0, 100).map(({ value }) => String(value));
  await under.close();
  return values;
}

const upTo = (commits: number): string[] => Array.from({ length: commits }, (_, index) => `v${index + 1}`);

test('repairs a tail that was torn anywhere in a commit nobody was promised', async () => {
  const { image, wal, lastCommitAt, size } = await killedBeforeAcknowledge();
  assert.deepEqual(await reopened(image, () => undefined, wal), upTo(COMMITS));
  for (let length = lastCommitAt; length < size; length += 5) {
    assert.deepEqual(
      await reopened(image, (file) => truncateSync(file, length), wal),
      upTo(COMMITS - 1),
      `cut at ${length}`,
    );
  }
  assert.deepEqual(
    await reopened(image, (file) => appendFileSync(file, Buffer.alloc(300, 0xab)), wal),
    upTo(COMMITS),
  );
});

test('a flipped bit costs the promised nothing: repaired in the last commit, refused in the middle', async () => {
  const { image, wal, lastCommitAt, size } = await killedBeforeAcknowledge();
  const flip = (at: number) => (file: string) => {
    const bytes = readFileSync(file);
    bytes[at]! ^= 0x10;
    writeFileSync(file, bytes);
  };
  for (const at of [lastCommitAt, lastCommitAt + 9, (lastCommitAt + size) >> 1, size - 1]) {
    assert.deepEqual(await reopened(image, flip(at), wal), upTo(COMMITS - 1), `bit at ${at}`);
  }
  for (const at of [2, lastCommitAt >> 2, lastCommitAt >> 1, lastCommitAt - 1]) {
    await assert.rejects(
      reopened(image, flip(at), wal),
      isLogError('LOG_DIRECTORY_DAMAGED', /acknowledged/),
      `bit at ${at}`,
    );
    await refusesUntouched(under.directory, 'LOG_DIRECTORY_DAMAGED', /commits? \d+/);
  }
});

test('refuses where a write-ahead log that held acknowledged commits was cut or is gone', async () => {
  const { image, wal, lastCommitAt } = await killedBeforeAcknowledge();
  await assert.rejects(
    reopened(image, (file) => truncateSync(file, lastCommitAt - 1), wal),
    isLogError('LOG_DIRECTORY_DAMAGED', new RegExp(`commit ${COMMITS - 1}, which had been acknowledged`)),
  );
  await assert.rejects(
    reopened(image, (file) => rmSync(file), wal),
    isLogError('LOG_DIRECTORY_DAMAGED'),
  );
});

test('opens what a process left that ended while it made the directory or opened it', async () => {
  mkdirSync(under.directory, { recursive: true });
  writeFileSync(join(under.directory, 'opentape-data.json.draft'), '{');
  writeFileSync(join(under.directory, 'acknowledged'), '');
  await write(2);
  await under.close();
  const database = join(under.directory, 'log');
  cpSync(database, join(under.directory, 'log.before-open.2'), { recursive: true });
  cpSync(database, join(under.directory, 'log.before-open.1'), { recursive: true });
  mkdirSync(join(under.directory, 'log.before-open.draft'));
  let log = await under.open();
  assert.equal(log.committedEnd('in', 0), 2);
  await under.close();
  const own = ['acknowledged', 'log', 'opentape-data.json'];
  assert.deepEqual(readdirSync(under.directory).sort(), own);
  renameSync(database, join(under.directory, 'log.before-open.2'));
  log = await under.open();
  assert.equal(log.committedEnd('in', 0), 2, 'a restoring that was cut short is finished');
  assert.deepEqual(readdirSync(under.directory).sort(), own);
});
