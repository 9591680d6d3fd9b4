import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import type { Asset } from '../../schemas/generated/types.ts';
import { formatPrice } from '../../topologies/domain/decimal.ts';
import type { ServingContext } from '../context.ts';
import { AccountQueries } from '../queries/accounts.ts';
import { MarketQueries } from '../queries/market.ts';
import { documented } from './docs.ts';

const PAGE = fileURLToPath(new URL('../app/', import.meta.url));
const SOCKET_CLIENT = 'socket.io.msgpack.min.js';

/** Nothing but what this server hands out runs, loads or is talked to; nobody may frame the page. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self' ws: wss:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** What every answer of a page carries. */
export const PAGE_HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  // The files keep their names from version to version, so a browser asks whether its copy is good; an ETag makes that cheap.
  'cache-control': 'no-cache',
} as const;

/** How long the list of markets is good for, and how many symbols are looked up between two turns of the event loop. */
const MARKETS_FRESH_MS = 10_000;
const SYMBOLS_A_TURN = 200;

/** One symbol of the list of markets. */
interface MarketJson {
  readonly symbol: string;
  readonly name: string;
  readonly fractionable: boolean;
  /** Decimal text in dollars; null where it is not known. */
  readonly previous_close: string | null;
}

/** What can be traded, for visitors too: they see the market, and quotes are asked for by symbol. */
class MarketList {
  readonly #context: ServingContext;
  readonly #accounts: AccountQueries;
  readonly #market: MarketQueries;
  #list: Promise<readonly MarketJson[]> | null = null;
  #madeAtMs = 0;

  constructor(context: ServingContext) {
    this.#context = context;
    this.#accounts = new AccountQueries(context.stores);
    this.#market = new MarketQueries(context.stores);
  }

  /** The tradable symbols in order, made anew at most every ten seconds. */
  get(): Promise<readonly MarketJson[]> {
    const nowMs = this.#context.wallClock();
    if (this.#list !== null && nowMs - this.#madeAtMs < MARKETS_FRESH_MS) return this.#list;
    this.#madeAtMs = nowMs;
    const list = this.#make();
    this.#list = list;
    list.then(
      // Before the market source has named its symbols there is nothing worth keeping.
      (markets) => {
        if (markets.length === 0) this.#list = null;
      },
      () => {
        this.#list = null;
      },
    );
    return list;
  }

  async #make(): Promise<readonly MarketJson[]> {
    const marketTimeMs = this.#context.clock.nowMs();
    const marketOf = async (asset: Asset): Promise<MarketJson> => {
      const previousClose = await this.#market.previousClose(asset.symbol, asset, marketTimeMs);
      return {
        symbol: asset.symbol,
        name: asset.name,
        fractionable: asset.fractionable,
        previous_close: previousClose === null ? null : formatPrice(previousClose),
      };
    };
    const tradable = (await this.#accounts.assets()).filter((asset) => asset.tradable);
    const markets: MarketJson[] = [];
    for (let index = 0; index < tradable.length; index += SYMBOLS_A_TURN) {
      if (index > 0) await nextTurn();
      markets.push(...(await Promise.all(tradable.slice(index, index + SYMBOLS_A_TURN).map(marketOf))));
    }
    return markets.sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
  }
}

/** Page, files and the Socket.IO client, in a scope whose headers take the place of those of the API. */
async function registerFiles(server: FastifyInstance): Promise<void> {
  server.addHook('onRequest', async (_request, reply) => {
    reply.headers(PAGE_HEADERS);
  });
  // Each file is a route of its own; what is no file gets the answer of the API.
  await server.register(fastifyStatic, { root: PAGE, wildcard: false, cacheControl: false });
  const socketIo = dirname(createRequire(import.meta.url).resolve('socket.io/package.json'));
  server.get(`/vendor/${SOCKET_CLIENT}`, { schema: { hide: true } }, (_request, reply) =>
    reply.sendFile(SOCKET_CLIENT, join(socketIo, 'client-dist')),
  );
}

/** The first page at `/`, its files, the Socket.IO client it uses, and the list of what can be traded. */
export async function registerPage(server: FastifyInstance, context: ServingContext): Promise<void> {
  await server.register(registerFiles);
  const markets = new MarketList(context);
  server.get(
    '/app/markets',
    documented('Every tradable symbol with its previous close', { tag: 'assets', open: true }),
    async () => markets.get(),
  );
}
