/**
 * Packs streams/ and stores/ as a package of their own, dist/opentape-streams-VERSION.tgz, which npm installs: `npm run pack:streams`. With
 * `--to` it is put into another folder.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import ts from 'typescript-api';
import { writeReference } from './reference.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: options } = parseArgs({ options: { to: { type: 'string', default: join(root, 'dist') } } });
const target = mkdtempSync(join(tmpdir(), 'opentape-streams-'));
const library = join(target, 'lib');
/** What may be imported of the package, by the source of each. */
const ENTRIES = {
  '.': 'streams/index',
  './stores': 'stores/index',
  './log': 'streams/log/log',
  './log/embedded': 'streams/log/embedded/index',
  './log/kafka': 'streams/log/kafka/index',
};
/** Loaded when Kafka is asked for, and only then: compiled on installation. Its version stands with what development uses. */
const KAFKA_CLIENT = 'node-rdkafka';

function run(command, args) {
  const result = spawnSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: root });
  if (result.status !== 0) throw new Error(`${command} failed: ${result.stdout ?? result.error}`);
  return String(result.stdout);
}

function filesOf(folder) {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => /\.(js|d\.ts)$/.test(name));
}

/** Declarations name the files that are there, and the types of the binding, which ships none. */
function mendDeclarations() {
  const binding = join(library, 'stores/rocksdb/rocksdb.d.ts');
  cpSync(join(root, 'stores/rocksdb/rocksdb.d.ts'), binding);
  for (const name of filesOf(library).filter((each) => each.endsWith('.d.ts'))) {
    const file = join(library, name);
    const text = readFileSync(file, 'utf8');
    const mended = text.replace(/((?:from|import\()\s*')(\.[^']*)\.ts'/g, "$1$2.js'");
    const path = relative(dirname(file), binding).replaceAll('\\', '/');
    const reference = /'rocksdb'/.test(text) && file !== binding ? `/// <reference path="${path}" />\n` : '';
    writeFileSync(file, reference + mended);
  }
}

/** The packages that the library imports, with the versions of this repository. */
function dependencies({ dependencies: versions }) {
  const imported = new Set();
  for (const name of filesOf(library)) {
    const text = readFileSync(join(library, name), 'utf8');
    for (const { fileName } of ts.preProcessFile(text).importedFiles) {
      const parts = fileName.split('/');
      if (!/^(\.|node:)/.test(fileName))
        imported.add(parts.slice(0, fileName.startsWith('@') ? 2 : 1).join('/'));
    }
  }
  const unknown = [...imported].filter((name) => versions[name] === undefined);
  if (unknown.length > 0) throw new Error(`imported, but no dependency: ${unknown.join(', ')}`);
  // The declarations speak of Buffer.
  const names = ['@types/node', ...imported].sort();
  const client = JSON.parse(readFileSync(join(root, 'infra/kafka/client/package.json'), 'utf8'));
  return {
    dependencies: Object.fromEntries(names.map((name) => [name, versions[name]])),
    peerDependencies: { [KAFKA_CLIENT]: client.dependencies[KAFKA_CLIENT] },
    peerDependenciesMeta: { [KAFKA_CLIENT]: { optional: true } },
  };
}

function manifest(contents) {
  const exports = Object.entries(ENTRIES).map(([name, path]) => [
    name,
    { types: `./${posix.join('lib', path)}.d.ts`, default: `./${posix.join('lib', path)}.js` },
  ]);
  return {
    name: 'opentape-streams',
    version: contents.version,
    description:
      'Stream processing with the semantics of Kafka Streams, in TypeScript: on an embedded log, or on Kafka',
    license: contents.license,
    type: 'module',
    engines: contents.engines,
    exports: Object.fromEntries(exports),
    sideEffects: false,
    ...dependencies(contents),
  };
}

function pack() {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  run(process.execPath, [compiler, '-p', 'tsconfig.streams.json', '--outDir', library]);
  mendDeclarations();
  cpSync(join(root, 'streams/README.md'), join(target, 'README.md'));
  cpSync(join(root, 'streams/docs'), join(target, 'docs'), { recursive: true });
  cpSync(join(root, 'LICENSE'), join(target, 'LICENSE'));
  const contents = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(manifest(contents), null, 2)}\n`);
  writeReference(library, join(target, 'docs/reference'));
  mkdirSync(options.to, { recursive: true });
  const args = ['pack', target, '--pack-destination', options.to, '--json', '--ignore-scripts'];
  const packed = JSON.parse(run('npm', args));
  const [{ filename }] = Array.isArray(packed) ? packed : Object.values(packed);
  console.log(join(options.to, filename));
}

try {
  pack();
} finally {
  rmSync(target, { recursive: true, force: true });
}
