import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createSerdes } from '../../../schemas/avroSerdes.ts';
import { SchemaError, type SchemaErrorCode } from '../../../schemas/errors.ts';
import { SCHEMA_CATALOG } from '../../../schemas/generated/catalog.ts';
import type { MarketQuote } from '../../../schemas/generated/types.ts';
import type { Ticker } from '../../../schemas/ids.ts';
import { ConfluentSchemaRegistry } from '../../../schemas/registry/confluent.ts';
import { EmbeddedSchemaRegistry } from '../../../schemas/registry/embedded.ts';
import type { SchemaRegistry } from '../../../schemas/registry/registry.ts';
import type { PriceTicks, QuantityMicros } from '../../../schemas/units.ts';
import { MARKET_QUOTES } from '../../../topologies/quotes/topics.ts';
import { TOPICS } from '../../../topologies/topics.ts';
import { LogUnderTest } from '../../streams/log/support.ts';
import { Apicurio } from './apicurio.ts';
import { ConfluentProtocolServer } from './confluentProtocol.ts';

/** A registry that keeps what it has, and clients of it. */
interface Keeper {
  /** A client that has seen nothing yet. */
  open(): Promise<SchemaRegistry>;
  stop(): Promise<void>;
}

async function embedded(): Promise<Keeper> {
  const under = new LogUnderTest();
  await under.open();
  return { open: () => EmbeddedSchemaRegistry.open(under.log), stop: () => under.dispose() };
}

async function confluent(server: { readonly url: string; stop(): Promise<void> }): Promise<Keeper> {
  return { open: async () => new ConfluentSchemaRegistry(server.url), stop: () => server.stop() };
}

const KEEPERS: readonly {
  readonly name: string;
  readonly start: () => Promise<Keeper>;
  readonly skip: string | false;
}[] = [
  { name: 'the embedded registry', start: embedded, skip: false },
  {
    name: "Confluent's protocol",
    start: async () => confluent(await ConfluentProtocolServer.start()),
    skip: false,
  },
  {
    name: 'Apicurio Registry',
    start: async () => confluent(await Apicurio.start()),
    skip: Apicurio.missing(),
  },
];

const schema = (...fields: readonly object[]): string =>
  JSON.stringify({ type: 'record', name: 'Reading', namespace: 'test', fields });
const ID = { name: 'id', type: 'string' };
const FIRST = schema(ID);
const SECOND = schema(ID, { name: 'level', type: 'long', default: 0 });

const refusedAs = (code: SchemaErrorCode, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SchemaError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  assert.doesNotMatch(error.message, /\n/);
  return true;
};

for (const { name, start, skip } of KEEPERS) {
  describe(`a schema registry: ${name}`, { skip }, () => {
    let keeper: Keeper;
    before(async () => {
      keeper = await start();
    });
    after(() => keeper?.stop());

    test('gives a text one id, whatever its subject, and a changed text another', async () => {
      const registry = await keeper.open();
      const first = await registry.register('ids-a', FIRST);
      assert.equal(await registry.register('ids-a', FIRST), first);
      assert.equal(await registry.register('ids-b', FIRST), first);
      const second = await registry.register('ids-a', SECOND);
      assert.notEqual(second, first);
      assert.deepEqual(
        [JSON.parse(await registry.getById(first)), JSON.parse(await registry.getById(second))],
        [JSON.parse(FIRST), JSON.parse(SECOND)],
      );
      const latest = await registry.latest('ids-a');
      assert.deepEqual([latest?.id, latest?.subject, latest?.version], [second, 'ids-a', 2]);
      assert.equal((await registry.latest('ids-b'))?.version, 1);
    });

    test('tells another client what the first registered', async () => {
      await (await keeper.open()).register('shared', FIRST);
      const registry = await keeper.open();
      assert.ok((await registry.subjects()).includes('shared'));
      assert.deepEqual(await registry.subjects(), [...(await registry.subjects())].sort());
      const found = (await registry.all()).filter(({ subject }) => subject === 'shared');
      assert.deepEqual(
        found.map(({ version, schema: text }) => [version, JSON.parse(text)]),
        [[1, JSON.parse(FIRST)]],
      );
    });

    test('takes what several processes register at the same moment', async () => {
      for (let round = 0; round < 5; round++) {
        const registries = await Promise.all([1, 2, 3, 4].map(() => keeper.open()));
        const ids = await Promise.all(
          registries.map((registry) => registry.register(`at-once-${round}`, FIRST)),
        );
        assert.equal(new Set(ids).size, 1);
        assert.equal((await registries[0]!.latest(`at-once-${round}`))?.id, ids[0]);
      }
    });

    test('knows what it does not have', async () => {
      const registry = await keeper.open();
      assert.equal(await registry.latest('nobody'), null);
      await assert.rejects(registry.getById(987_654), refusedAs('SCHEMA_UNKNOWN_ID', /987654/));
    });

    test('refuses a schema that cannot follow, names the field, and keeps what it had', async () => {
      const registry = await keeper.open();
      await registry.register('guarded', SECOND);
      for (const [changed, message] of [
        [schema({ name: 'level', type: 'long', default: 0 }), /guarded.*field id is gone/],
        [schema({ ...ID, type: 'long' }), /guarded.*field id: it was string and is long now/],
        [schema(ID, { name: 'unit', type: 'string' }), /guarded.*field unit is new and has no default/],
      ] as const) {
        await assert.rejects(
          registry.register('guarded', changed),
          refusedAs('SCHEMA_INCOMPATIBLE', message),
        );
      }
      assert.equal((await registry.latest('guarded'))?.version, 1);
    });

    test('lets records that were written under an older schema be read', async () => {
      const registry = await keeper.open();
      const catalogued = JSON.parse(SCHEMA_CATALOG['opentape.quotes.MarketQuote']) as {
        readonly fields: readonly object[];
      };
      const older = JSON.stringify({
        ...catalogued,
        fields: [...catalogued.fields, { name: 'note', type: 'string', default: 'none' }],
      });
      const id = await registry.register('market.quotes-value', older);
      const serdes = await createSerdes(await keeper.open(), TOPICS);
      const quote: MarketQuote = {
        symbol: 'KO' as Ticker,
        exchange: 'N',
        bidPriceTicks: 600_000 as PriceTicks,
        bidSizeMicros: 1_000_000 as QuantityMicros,
        askPriceTicks: null,
        askSizeMicros: null,
      };
      const serde = serdes.value(MARKET_QUOTES);
      const bytes = serde.serialize(MARKET_QUOTES.name, quote);
      assert.deepEqual({ ...serde.deserialize(MARKET_QUOTES.name, bytes) }, quote);
      const written = Buffer.concat([bytes, Buffer.from([8]), Buffer.from('none')]);
      written.writeUInt32BE(id, 1);
      assert.deepEqual({ ...serde.deserialize(MARKET_QUOTES.name, written) }, quote);
    });
  });
}

test('a registry that is not there is named with its address', async () => {
  const server = await ConfluentProtocolServer.start();
  const { url } = server;
  await server.stop();
  await assert.rejects(
    createSerdes(new ConfluentSchemaRegistry(url), TOPICS),
    refusedAs('SCHEMA_REGISTRY', new RegExp(`at ${url} failed`)),
  );
});

test('a registry that asks for a login gets the one of its address, which no error shows', async () => {
  const server = await ConfluentProtocolServer.start('reader:s%cret:1');
  const { host } = new URL(server.url);
  try {
    const registry = new ConfluentSchemaRegistry(`http://reader:s%25cret%3A1@${host}`);
    assert.equal(await registry.register('behind-a-login', FIRST), 1);
    await assert.rejects(
      new ConfluentSchemaRegistry(`http://reader:wrong-one@${host}`).subjects(),
      (error: unknown) => {
        refusedAs('SCHEMA_REGISTRY', new RegExp(`subjects at ${server.url} failed$`))(error);
        const { cause } = error as Error;
        assert.equal((cause as Error).message, 'GET /subjects: 401');
        return true;
      },
    );
  } finally {
    await server.stop();
  }
});
