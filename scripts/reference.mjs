/**
 * Writes the API reference of streams/ and stores/ as Markdown, from the docstrings in the declarations that the compiler emits.
 * `npm run docs` writes dist/reference, or the folder after `--to`; with `--check` nothing is written, and exports without a docstring are
 * named.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
// The compiler of this repository is native and has no API for programs: an older one reads the declarations.
import ts from 'typescript-api';

const root = fileURLToPath(new URL('..', import.meta.url));
const ENTRIES = [
  'streams/index',
  'stores/index',
  'streams/log/log',
  'streams/log/embedded/index',
  'streams/log/kafka/index',
];
/** The pages, each with the folders whose exports it tells of: the longest that fits counts. */
const PAGES = {
  dsl: { title: 'Streams, tables, joins and windows', folders: ['streams/dsl'] },
  topology: { title: 'Topologies', folders: ['streams/graph'] },
  processors: { title: 'Processors, records and the runtime', folders: ['streams'] },
  queries: { title: 'Interactive queries', folders: ['streams/query'] },
  errors: { title: 'Error handling', folders: ['streams/task'] },
  testing: { title: 'Testing', folders: ['streams/testing'] },
  log: { title: 'The log', folders: ['streams/log'] },
  stores: { title: 'State stores', folders: ['stores'] },
};

function sourceOf(file) {
  return ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);
}

function resolve(from, specifier) {
  const base = join(dirname(from), specifier.replace(/\.[jt]s$/, ''));
  return `${base}.d.ts`;
}

function isExported(node) {
  return (
    ts.canHaveModifiers(node) &&
    ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
  );
}

/** The declarations of a file by name; what a statement names twice, as overloads do, is a list. */
function declarationsOf(source) {
  const found = new Map();
  const add = (name, node) => found.set(name, [...(found.get(name) ?? []), node]);
  for (const statement of source.statements) {
    if (ts.isVariableStatement(statement))
      for (const { name } of statement.declarationList.declarations) add(name.text, statement);
    else if (statement.name !== undefined) add(statement.name.text, statement);
  }
  return found;
}

/** What a file imports by name: from where, and what it is called there. */
function importsOf(source, file) {
  const found = new Map();
  for (const statement of source.statements) {
    const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : undefined;
    if (bindings === undefined || !ts.isNamedImports(bindings)) continue;
    const from = resolve(file, statement.moduleSpecifier.text);
    for (const { name, propertyName } of bindings.elements)
      found.set(name.text, { from, origin: (propertyName ?? name).text });
  }
  return found;
}

/** What a module exports: by name the file and the declarations. */
function exportsOf(file, cache = new Map()) {
  const known = cache.get(file);
  if (known !== undefined) return known;
  const exported = new Map();
  cache.set(file, exported);
  const source = sourceOf(file);
  const own = declarationsOf(source);
  const imports = importsOf(source, file);
  for (const [name, nodes] of own) if (nodes.some(isExported)) exported.set(name, { file, nodes });
  for (const statement of source.statements) {
    if (!ts.isExportDeclaration(statement)) continue;
    const from =
      statement.moduleSpecifier === undefined ? null : resolve(file, statement.moduleSpecifier.text);
    const theirs = from === null ? null : exportsOf(from, cache);
    if (statement.exportClause === undefined) for (const [name, each] of theirs) exported.set(name, each);
    else
      for (const { name, propertyName } of statement.exportClause.elements) {
        const origin = (propertyName ?? name).text;
        const imported = own.has(origin) ? undefined : imports.get(origin);
        const found =
          theirs?.get(origin) ??
          (imported === undefined ? undefined : exportsOf(imported.from, cache).get(imported.origin));
        exported.set(name.text, found ?? { file, nodes: own.get(origin) ?? [] });
      }
  }
  return exported;
}

/** The docstring of a declaration as text, with its tags below. */
function docOf(node) {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).slice(-1);
  if (doc === undefined) return '';
  const text = (comment) => (ts.getTextOfJSDocComment(comment) ?? '').replaceAll(/\s*\n\s*/g, ' ').trim();
  const tags = (doc.tags ?? []).map((tag) => {
    const name = ts.isJSDocParameterTag(tag) ? `\`${tag.name.getText()}\`` : `${tag.tagName.text}:`;
    return `- ${name} ${text(tag.comment)}`;
  });
  return [text(doc.comment), ...(tags.length === 0 ? [] : [tags.join('\n')])]
    .filter((part) => part !== '')
    .join('\n\n');
}

function isPublic(member) {
  const hidden = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword];
  if (member.name !== undefined && ts.isPrivateIdentifier(member.name)) return false;
  return !(ts.canHaveModifiers(member) && ts.getModifiers(member)?.some(({ kind }) => hidden.includes(kind)));
}

/** The text of a declaration without comments, members that are private, and the words that only the compiler needs. */
function signatureOf(node) {
  const printer = ts.createPrinter({ removeComments: true });
  return printer
    .printNode(ts.EmitHint.Unspecified, node, node.getSourceFile())
    .replace(/^export (declare )?/, '')
    .replace(/;$/, '');
}

function headOf(node) {
  if (!ts.isClassDeclaration(node) && !ts.isInterfaceDeclaration(node)) return signatureOf(node);
  return signatureOf(node).split(/\s*\{\n|\s*\{\}/)[0];
}

function membersOf(node) {
  if (!ts.isClassDeclaration(node) && !ts.isInterfaceDeclaration(node)) return [];
  return node.members
    .filter(isPublic)
    .filter((member) => !/^(#|\[[A-Z_]+\])/.test(member.name?.getText() ?? ''));
}

function entryText(name, { nodes }) {
  const docs = nodes.map(docOf).filter((doc) => doc !== '');
  const members = nodes.flatMap(membersOf);
  const lines = [
    `## ${name}`,
    '',
    '```ts',
    ...nodes.map(headOf),
    '```',
    '',
    ...docs.flatMap((doc) => [doc, '']),
  ];
  for (const member of members) {
    lines.push('```ts', signatureOf(member), '```', '');
    const doc = docOf(member);
    if (doc !== '') lines.push(doc, '');
  }
  return lines.join('\n');
}

/** Everything that is public, by name: page, declarations, docstring. @param library folder of the emitted declarations */
function collect(library) {
  const cache = new Map();
  const all = new Map();
  for (const entry of ENTRIES)
    for (const [name, each] of exportsOf(join(library, `${entry}.d.ts`), cache)) all.set(name, each);
  const folders = Object.entries(PAGES).flatMap(([page, { folders: of }]) =>
    of.map((folder) => ({ page, folder })),
  );
  folders.sort((a, b) => b.folder.length - a.folder.length);
  return [...all]
    .map(([name, each]) => {
      const path = relative(library, each.file);
      return { name, ...each, path, page: folders.find(({ folder }) => path.startsWith(`${folder}/`)).page };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @returns the exports without a docstring, each with its file */
function undocumented(library) {
  return collect(library)
    .filter(({ nodes }) => nodes.every((node) => docOf(node) === ''))
    .map(({ name, path }) => `${path.replace('.d.ts', '.ts')}: ${name}`);
}

function firstSentence(doc) {
  return /^.*?[.:](?=\s|$)/s.exec(doc)?.[0].replace(/:$/, '.') ?? doc;
}

export function writeReference(library, target) {
  const entries = collect(library);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const index = ['# API reference', '', 'Written from the docstrings of the sources.', ''];
  for (const [page, { title }] of Object.entries(PAGES)) {
    const own = entries.filter((entry) => entry.page === page);
    const text = [`# ${title}`, '', ...own.map((entry) => entryText(entry.name, entry))];
    writeFileSync(join(target, `${page}.md`), `${text.join('\n').trimEnd()}\n`);
    index.push(`## [${title}](${page}.md)`, '');
    for (const { name, nodes } of own) {
      const doc = nodes.map(docOf).find((each) => each !== '') ?? '';
      index.push(`- [\`${name}\`](${page}.md#${name.toLowerCase()}) ${firstSentence(doc)}`.trimEnd());
    }
    index.push('');
  }
  writeFileSync(join(target, 'README.md'), `${index.join('\n').trimEnd()}\n`);
  return entries.length;
}

function main() {
  const { values } = parseArgs({ options: { check: { type: 'boolean' }, to: { type: 'string' } } });
  const library = mkdtempSync(join(tmpdir(), 'opentape-declarations-'));
  try {
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const args = [compiler, '-p', 'tsconfig.streams.json', '--emitDeclarationOnly', '--outDir', library];
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', cwd: root });
    if (status !== 0) throw new Error('the declarations were not emitted');
    const missing = undocumented(library);
    for (const each of missing) console.error(`no docstring: ${each}`);
    if (values.check === true) {
      process.exitCode = missing.length === 0 ? 0 : 1;
      return;
    }
    const target = values.to ?? join(root, 'dist/reference');
    console.log(`${writeReference(library, target)} exports in ${target}/README.md`);
  } finally {
    rmSync(library, { recursive: true, force: true });
  }
}

if (fileURLToPath(import.meta.url) === process.argv[1]) main();
