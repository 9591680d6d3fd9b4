import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import * as streams from '../../../streams/index.ts';
import { ROOT } from '../../support/sources.ts';
import { withTemporaryDirectory } from '../../support/temporary.ts';
import { EXAMPLES, PROGRAMS } from './examples.ts';

const TIMEOUT_MS = 240_000;

function node(args: readonly string[], cwd: string): string {
  return execFileSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: TIMEOUT_MS });
}

/** Unpacks the tarball that npm packed, and puts the packages beside it that it depends on: as an installation, without a registry. */
function install(directory: string): void {
  const packed = node([join(ROOT, 'scripts/packStreams.mjs'), '--to', directory], ROOT).trim();
  const modules = join(directory, 'node_modules');
  mkdirSync(join(modules, 'opentape-streams'), { recursive: true });
  execFileSync('tar', ['-xzf', packed, '--strip-components=1', '-C', join(modules, 'opentape-streams')]);
  const manifest = JSON.parse(readFileSync(join(modules, 'opentape-streams/package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as typeof manifest;
  for (const [name, version] of Object.entries(manifest.dependencies)) {
    assert.equal(version, dependencies[name]);
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  assert.deepEqual(Object.keys(manifest.dependencies).sort(), [
    '@types/node',
    'kafkajs',
    'rocksdb',
    'sorted-btree',
  ]);
}

/** The examples of the guide as functions of a module, so that the compiler sees them. */
function moduleOfExamples(): string {
  const values = Object.keys(streams);
  const words = new Set(EXAMPLES.flatMap(({ code }) => code.match(/\b[A-Z]\w+/g) ?? []));
  const onlyTypes = ['ProcessorSupplier', 'KeyValueStore', 'ValueAndTimestamp', 'ApplicationDefinition'];
  const names = values.filter((name) => words.has(name) || ['Topology', 'StreamsRuntime'].includes(name));
  return [
    `import { ${[...new Set(names)].join(', ')}, ${onlyTypes.map((name) => `type ${name}`).join(', ')} } from 'opentape-streams';`,
    'const texts = { keySerde: Serdes.string, valueSerde: Serdes.string };',
    ...EXAMPLES.map(({ name, parameters, code }) => `export function ${name}(${parameters}) {\n${code}}`),
  ].join('\n');
}

test('the package installs into an empty folder, where the programs and examples of its guide compile and the programs run', async () => {
  await withTemporaryDirectory(async (directory) => {
    install(directory);
    writeFileSync(
      join(directory, 'package.json'),
      JSON.stringify({ name: 'user', private: true, type: 'module' }),
    );
    for (const { name, code } of PROGRAMS) writeFileSync(join(directory, name), code);
    writeFileSync(join(directory, 'examples.ts'), moduleOfExamples());
    const compilerOptions = {
      target: 'ES2022',
      lib: ['ES2023'],
      module: 'NodeNext',
      strict: true,
      types: ['node'],
      skipLibCheck: false,
      outDir: 'out',
    };
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    node([join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'], directory);
    assert.equal(node(['out/words.js'], directory).trim(), '{"to":2,"be":2,"or":1,"not":1}');
    assert.equal(node(['out/onALog.js'], directory).trim(), '2');
    assert.equal(node(['out/onALog.js'], directory).trim(), '4');
    const own = join(directory, 'node_modules/opentape-streams');
    for (const page of [
      'README.md',
      'docs/joins.md',
      'docs/reference/README.md',
      'docs/reference/dsl.md',
      'LICENSE',
    ])
      assert.ok(existsSync(join(own, page)), page);
    assert.deepEqual(readdirSync(join(own, 'lib')).sort(), ['stores', 'streams']);
  });
});

test('every public export has a docstring, and the reference tells of it', async () => {
  // Names the exports without one, and ends with 1 where there are any.
  assert.equal(node([join(ROOT, 'scripts/reference.mjs'), '--check'], ROOT), '');
  await withTemporaryDirectory(async (directory) => {
    node([join(ROOT, 'scripts/reference.mjs'), '--to', directory], ROOT);
    const index = readFileSync(join(directory, 'README.md'), 'utf8');
    for (const name of Object.keys(streams)) {
      const page = new RegExp(`- \\[\`${name}\`\\]\\((\\w+\\.md)#`).exec(index)?.[1];
      assert.ok(page, `${name} is not in the index`);
      assert.ok(readFileSync(join(directory, page), 'utf8').includes(`\n## ${name}\n`), name);
    }
  });
});
