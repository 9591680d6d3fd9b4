import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fingerprint, runProgram } from '../support/program.ts';
import { startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/** A user who may not write what belongs to others, on every Unix. */
const NOBODY = 65_534;

let folder: string;
/** A data directory that was in use and closed, twice: it has tables and a write-ahead log. */
let used: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'opentape-start-'));
  used = join(folder, 'used');
  for (let life = 0; life < 3; life += 1) {
    const server = await startServer({ OPENTAPE_DATA_DIR: used, OPENTAPE_SIMULATOR_SYMBOLS: 'AAPL,KO' });
    assert.equal(await server.stop(), 0);
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

let copies = 0;
function copyOfUsed(): string {
  copies += 1;
  const copy = join(folder, `copy-${copies}`);
  cpSync(used, copy, { recursive: true });
  return copy;
}

/** The program ends at once with one line that matches, and has touched nothing below `directory`. */
async function refuses(
  settings: Readonly<Record<string, string>>,
  message: RegExp,
  directory: string | null,
  userId?: number,
): Promise<void> {
  const earlier = directory === null ? null : fingerprint(directory);
  const { code, signal, stdout, stderr } = await runProgram({ PORT: '0', ...settings }, userId);
  assert.deepEqual({ code, signal, stdout }, { code: 1, signal: null, stdout: '' }, stderr);
  assert.match(stderr, /^opentape: [^\n]+\n$/, 'one line');
  assert.match(stderr, message);
  if (directory !== null) assert.deepEqual(fingerprint(directory), earlier, 'nothing was touched');
}

test('a port in use: says which, and does not make the data directory', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  const directory = join(folder, 'never-made');
  try {
    await refuses(
      { PORT: String(port), OPENTAPE_DATA_DIR: directory },
      new RegExp(`SERVING_PORT_IN_USE: port ${port} on 127\\.0\\.0\\.1 is in use; .*PORT`),
      folder,
    );
    assert.ok(!existsSync(directory));
  } finally {
    taken.close();
  }
});

test("an address that is not this machine's is named", async () => {
  await refuses(
    { PORT: '8080', OPENTAPE_HOST: '203.0.113.1', OPENTAPE_DATA_DIR: join(folder, 'never-made') },
    /cannot listen on 203\.0\.113\.1:8080/,
    folder,
  );
  // Any free port will do, but there is no such address to look for one on.
  await refuses(
    { PORT: '0', OPENTAPE_HOST: '203.0.113.1', OPENTAPE_DATA_DIR: join(folder, 'never-made') },
    /cannot listen on 203\.0\.113\.1/,
    folder,
  );
});

test('a data directory in use by a running instance: says so, and the instance goes on', async () => {
  const directory = copyOfUsed();
  const server = await startServer({ OPENTAPE_DATA_DIR: directory, OPENTAPE_SOURCE: 'none' });
  try {
    await refuses(
      { OPENTAPE_DATA_DIR: directory },
      /LOG_DIRECTORY_IN_USE: the data directory .* is in use by another process/,
      null,
    );
    assert.equal((await fetch(`${server.url}/ready`)).status, 200);
  } finally {
    assert.equal(await server.stop(), 0);
  }
});

test('a folder of other files is refused, whatever they are called', async () => {
  const foreign = join(folder, 'foreign');
  mkdirSync(join(foreign, 'log'), { recursive: true });
  writeFileSync(join(foreign, 'thesis.txt'), 'precious');
  writeFileSync(join(foreign, 'credentials.json'), "somebody else's");
  writeFileSync(join(foreign, 'log', 'CURRENT'), 'MANIFEST-000001\n');
  await refuses(
    { OPENTAPE_DATA_DIR: foreign },
    /LOG_DIRECTORY_FOREIGN: .* is not empty and not a data/,
    foreign,
  );
  await refuses({ OPENTAPE_DATA_DIR: join(foreign, 'thesis.txt') }, /thesis\.txt cannot be used/, foreign);
  await refuses({ OPENTAPE_DATA_DIR: join(foreign, 'thesis.txt', 'data') }, /thesis\.txt/, foreign);
});

test('a directory of a newer version is refused', async () => {
  const newer = copyOfUsed();
  writeFileSync(join(newer, 'opentape-data.json'), '{"format":99,"engine":"embedded"}\n');
  await refuses({ OPENTAPE_DATA_DIR: newer }, /LOG_VERSION_NEWER: .* format 99 by a newer version/, newer);
});

function newest(directory: string, pattern: RegExp): string {
  const names = readdirSync(join(directory, 'log')).filter((name) => pattern.test(name));
  assert.ok(names.length > 0, `${pattern} is there`);
  return join(directory, 'log', names.sort().at(-1)!);
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 0x40;
  writeFileSync(path, bytes);
}

const DAMAGES: Readonly<Record<string, (directory: string) => void>> = {
  'CURRENT is empty': (directory) => truncateSync(join(directory, 'log', 'CURRENT')),
  'CURRENT is gone': (directory) => rmSync(join(directory, 'log', 'CURRENT')),
  'a bit of the manifest is flipped': (directory) => {
    const manifest = newest(directory, /^MANIFEST/);
    flip(manifest, statSync(manifest).size >> 1);
  },
  'the manifest is gone': (directory) => rmSync(newest(directory, /^MANIFEST/)),
  'a table is cut short': (directory) => {
    const table = newest(directory, /\.sst$/);
    truncateSync(table, statSync(table).size - 100);
  },
  "a bit of a table's footer is flipped": (directory) => {
    const table = newest(directory, /\.sst$/);
    flip(table, statSync(table).size - 3);
  },
  "a bit of a table's properties is flipped": (directory) => {
    const table = newest(directory, /\.sst$/);
    flip(table, statSync(table).size - 600);
  },
  'a table is gone': (directory) => rmSync(newest(directory, /\.sst$/)),
  'the write-ahead log has lost its beginning': (directory) => flip(newest(directory, /\.log$/), 8),
  'the write-ahead log is gone': (directory) => rmSync(newest(directory, /\.log$/)),
  'the marker is cut short': (directory) => truncateSync(join(directory, 'opentape-data.json'), 5),
  'what was promised is not known': (directory) => truncateSync(join(directory, 'acknowledged'), 3),
};

for (const [name, damage] of Object.entries(DAMAGES)) {
  test(`a damaged directory is refused and left alone: ${name}`, async () => {
    const damaged = copyOfUsed();
    damage(damaged);
    await refuses(
      { OPENTAPE_DATA_DIR: damaged },
      /LOG_DIRECTORY_DAMAGED: the data directory .* is damaged/,
      damaged,
    );
  });
}

test('damage that is met only when the records are read is refused with its place', async () => {
  const damaged = copyOfUsed();
  const tables = readdirSync(join(damaged, 'log')).filter((name) => name.endsWith('.sst'));
  for (const table of tables) {
    const path = join(damaged, 'log', table);
    flip(path, statSync(path).size >> 2);
  }
  await refuses(
    { OPENTAPE_DATA_DIR: damaged },
    /LOG_DIRECTORY_DAMAGED: .* is damaged|LOG_RECORD_CORRUPT: the records of \S+, partition \d+, from offset \d+/,
    null,
  );
});

test('damaged credentials are named before the log is opened', async () => {
  const damaged = copyOfUsed();
  for (const text of ['{"version":1,"keys":[{"keyId"', '{"version":2,"keys":[]}', '[]', '']) {
    writeFileSync(join(damaged, 'credentials.json'), text);
    await refuses(
      { OPENTAPE_DATA_DIR: damaged },
      /SERVING_CREDENTIALS: .*credentials\.json is damaged; remove it to have a new demo key made/,
      damaged,
    );
  }
});

test('a directory that may not be written is named', {
  skip: process.getuid?.() === 0 ? false : 'only root can start the program as somebody else',
}, async () => {
  chmodSync(folder, 0o755);
  const closed = join(folder, 'closed');
  mkdirSync(closed, { mode: 0o755 });
  await refuses(
    { OPENTAPE_DATA_DIR: join(closed, 'data') },
    /LOG_IO: .*closed\/data cannot be made/,
    closed,
    NOBODY,
  );
  await refuses({ OPENTAPE_DATA_DIR: closed }, /LOG_IO: .*closed cannot be made/, closed, NOBODY);
  const own = copyOfUsed();
  chownSync(own, NOBODY, NOBODY);
  await refuses({ OPENTAPE_DATA_DIR: own }, /SERVING_CREDENTIALS: .* cannot be read; .*EACCES/, own, NOBODY);
  chmodSync(join(own, 'credentials.json'), 0o644);
  await refuses({ OPENTAPE_DATA_DIR: own }, /LOG_IO: /, own, NOBODY);
  const unreadable = copyOfUsed();
  chmodSync(unreadable, 0o700);
  await refuses(
    { OPENTAPE_DATA_DIR: unreadable },
    /cannot be used as data directory: EACCES/,
    unreadable,
    NOBODY,
  );
});

test('a place where no directory can be made is named at once', {
  skip: existsSync('/proc/self') ? false : 'there is no /proc here',
}, async () => {
  await refuses(
    { OPENTAPE_DATA_DIR: '/proc/x' },
    /LOG_IO: the data directory \/proc\/x cannot be made: ENOENT/,
    null,
  );
  await refuses(
    { OPENTAPE_DATA_DIR: '/proc/x/y' },
    /LOG_IO: the data directory \/proc\/x\/y cannot be made/,
    null,
  );
});

test('a schema registry that does not answer is named, and no data directory is made', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as { port: number };
  await new Promise((resolve) => closed.close(resolve));
  const empty = join(folder, 'no-registry');
  mkdirSync(empty);
  await refuses(
    { OPENTAPE_DATA_DIR: join(empty, 'data'), SCHEMA_REGISTRY_URL: `http://127.0.0.1:${port}` },
    new RegExp(`SCHEMA_REGISTRY: .* at http://127\\.0\\.0\\.1:${port} failed`),
    empty,
  );
});

test('a failure after the server listens ends the process with its line, and nothing stays open', async () => {
  const directory = copyOfUsed();
  const inTheWay = join(directory, 'instance.json');
  rmSync(inTheWay, { force: true });
  mkdirSync(inTheWay);
  await refuses({ OPENTAPE_DATA_DIR: directory, OPENTAPE_SOURCE: 'none' }, /instance\.json/, null);
  rmSync(inTheWay, { recursive: true });
  const server = await startServer({ OPENTAPE_DATA_DIR: directory, OPENTAPE_SOURCE: 'none' });
  assert.equal(await server.stop(), 0);
});

test('each class of wrong setting is named with what would be right, and nothing is made', async () => {
  const wrong: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ PORT: 'http' }, /PORT: "http"/],
    [{ OPENTAPE_SOURCE: 'random' }, /OPENTAPE_SOURCE: "random".*simulator/],
    [{ OPENTAPE_MEMORY_BUDGET_MB: '1' }, /OPENTAPE_MEMORY_BUDGET_MB: "1".*32/],
    [
      { OPENTAPE_SESION: 'always' },
      /OPENTAPE_SESION is not a setting of Opentape; did you mean OPENTAPE_SESSION\?/,
    ],
    [{ OPENTAPE_DEMO_KEY: 'DEMO-KEY-1' }, /OPENTAPE_DEMO_KEY and OPENTAPE_DEMO_SECRET go together/],
    [{ OPENTAPE_ENGINE: 'kafka' }, /OPENTAPE_ENGINE=kafka needs KAFKA_BROKERS/],
    [{ OPENTAPE_SOURCE: 'lean', OPENTAPE_LEAN_DIR: '/nowhere' }, /\/nowhere/],
  ];
  const directory = join(folder, 'never-made');
  for (const [settings, message] of wrong)
    await refuses({ OPENTAPE_DATA_DIR: directory, ...settings }, message, null);
  assert.ok(!existsSync(directory));
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends the process well: exit code 0, and the next start goes on`, async () => {
    const directory = copyOfUsed();
    const settings = { OPENTAPE_DATA_DIR: directory, OPENTAPE_SIMULATOR_SYMBOLS: 'AAPL,KO' };
    const first = await startServer(settings);
    assert.equal(await first.stop(signal), 0, first.output());
    assert.ok(!readdirSync(directory).some((name) => name.includes('before-open')));
    const second = await startServer(settings);
    assert.equal((await fetch(`${second.url}/ready`)).status, 200);
    assert.equal(await second.stop(), 0);
  });
}

test('a signal during the start is obeyed once the start is through, and nothing is left half open', async () => {
  const directory = join(folder, 'stopped-early');
  const ended = runProgram({ PORT: '0', OPENTAPE_DATA_DIR: directory }, undefined, async (child) => {
    await until(
      'the data directory is made',
      () => existsSync(join(directory, 'opentape-data.json')) || child.exitCode !== null,
    );
    child.kill('SIGTERM');
  });
  const { code, signal, stdout } = await ended;
  assert.deepEqual({ code, signal, stdout }, { code: 0, signal: null, stdout: '' });
  assert.deepEqual(readdirSync(directory).sort().slice(0, 3), ['acknowledged', 'credentials.json', 'log']);
  const server = await startServer({ OPENTAPE_DATA_DIR: directory, OPENTAPE_SOURCE: 'none' });
  assert.equal(await server.stop(), 0);
});
