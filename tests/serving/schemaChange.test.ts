import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { SCHEMA_CATALOG } from '../../schemas/generated/catalog.ts';
import type { SchemaName } from '../../schemas/generated/types.ts';
import { EmbeddedSchemaRegistry } from '../../schemas/registry/embedded.ts';
import { EmbeddedLog } from '../../streams/log/embedded/index.ts';
import { ConfluentProtocolServer } from '../schemas/registry/confluentProtocol.ts';
import { runProgram } from '../support/program.ts';
import { call, startServer } from '../support/server.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';

type Field = Readonly<Record<string, unknown>>;

/** A schema of the catalogue as an earlier version had it. */
function earlier(name: SchemaName, change: (fields: readonly Field[]) => readonly Field[]): string {
  const schema = JSON.parse(SCHEMA_CATALOG[name]) as { readonly fields: readonly Field[] };
  return JSON.stringify({ ...schema, fields: change(schema.fields) });
}

/** A data directory that an earlier version left, with its schema under a subject. */
async function leftBehind(directory: string, subject: string, schema: string): Promise<void> {
  const log = await EmbeddedLog.open({ directory });
  await (await EmbeddedSchemaRegistry.open(log)).register(subject, schema);
  await log.close();
}

const CASES: readonly {
  readonly name: string;
  readonly subject: string;
  readonly schema: string;
  readonly message: RegExp;
}[] = [
  {
    name: 'a field that is gone and had no default',
    subject: 'market.quotes-value',
    schema: earlier('opentape.quotes.MarketQuote', (fields) => [...fields, { name: 'mid', type: 'long' }]),
    message: /schema of market\.quotes-value .*field mid is gone and had no default/,
  },
  {
    name: 'a type that has changed',
    subject: 'opentape.orders.OrderCommand',
    schema: earlier('opentape.orders.OrderCommand', (fields) =>
      fields.map((field) => (field.name === 'commandId' ? { ...field, type: 'long' } : field)),
    ),
    message: /schema of opentape\.orders\.OrderCommand .*field commandId: it was long and is string now/,
  },
  {
    name: 'a new field without a default',
    subject: 'trade.events-value',
    schema: earlier('opentape.orders.TradeEvent', (fields) =>
      fields.filter(({ name }) => name !== 'feeMicros'),
    ),
    message: /schema of trade\.events-value .*field feeMicros is new and has no default; give it one/,
  },
];

for (const { name, subject, schema, message } of CASES) {
  test(`refuses to start on ${name}, and names it`, async () => {
    await withTemporaryDirectory(async (folder) => {
      const directory = join(folder, 'data');
      await leftBehind(directory, subject, schema);
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const { code, stdout, stderr } = await runProgram({ PORT: '0', OPENTAPE_DATA_DIR: directory });
        assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
        assert.match(stderr, /^opentape: SCHEMA_INCOMPATIBLE: [^\n]+\n$/);
        assert.match(stderr, message);
      }
    });
  });
}

test('goes on from a version that lacked a field with a default', async () => {
  await withTemporaryDirectory(async (folder) => {
    const directory = join(folder, 'data');
    const schema = earlier('opentape.quotes.MarketQuote', (fields) => [
      ...fields,
      { name: 'note', type: 'string', default: '' },
    ]);
    await leftBehind(directory, 'market.quotes-value', schema);
    const server = await startServer({ OPENTAPE_DATA_DIR: directory, OPENTAPE_SIMULATOR_SYMBOLS: 'KO' });
    assert.equal((await fetch(`${server.url}/ready`)).status, 200);
    assert.equal(await server.stop(), 0);
  });
});

test('keeps its schemas in a registry elsewhere where it is told to, and does not start without it', async () => {
  await withTemporaryDirectory(async (folder) => {
    const registry = await ConfluentProtocolServer.start();
    const settings = {
      OPENTAPE_DATA_DIR: join(folder, 'data'),
      OPENTAPE_SIMULATOR_SYMBOLS: 'KO',
      SCHEMA_REGISTRY_URL: registry.url,
    };
    for (let life = 0; life < 2; life += 1) {
      const server = await startServer(settings);
      assert.equal((await fetch(`${server.url}/ready`)).status, 200);
      assert.equal((await call(server, 'GET', '/v2/account')).status, 200);
      assert.equal(await server.stop(), 0);
    }
    const subjects = (await (await fetch(`${registry.url}/subjects`)).json()) as readonly string[];
    assert.ok(subjects.includes('orders.commands-value'));
    const versions = await fetch(`${registry.url}/subjects/orders.commands-value/versions`);
    assert.deepEqual(await versions.json(), [1], 'a second start registers nothing again');
    const { url } = registry;
    await registry.stop();
    const { code, stdout, stderr } = await runProgram({ PORT: '0', ...settings });
    assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
    assert.match(stderr, new RegExp(`^opentape: SCHEMA_REGISTRY: [^\\n]*${url}[^\\n]*\\n$`));
  });
});
