import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Asset } from '../../schemas/generated/types.ts';
import type { ServingContext } from '../context.ts';
import { AccountQueries } from '../queries/accounts.ts';
import { apiError } from './apiError.ts';
import { documented } from './docs.ts';
import { list } from './requests/query.ts';

/** Query of GET /v2/assets. */
export const assetsQuery = z.object({
  status: z.enum(['active', 'inactive', 'all'], { error: 'must be active or inactive' }).optional(),
  asset_class: list.optional(),
  exchange: list.optional(),
  attributes: list.optional(),
});

/** An asset in Alpaca's terms. */
export function assetJson({ assetId, symbol, name, exchange, tradable, fractionable }: Asset) {
  const increment = fractionable ? '0.000001' : '1';
  return {
    id: assetId,
    class: 'us_equity',
    exchange,
    symbol,
    name,
    status: tradable ? 'active' : 'inactive',
    tradable,
    marginable: false,
    shortable: false,
    easy_to_borrow: false,
    fractionable,
    maintenance_margin_requirement: 100,
    attributes: fractionable ? ['fractional_eh_enabled'] : [],
    min_order_size: increment,
    min_trade_increment: increment,
    price_increment: '0.01',
  };
}

/** What can be traded. */
export function registerAssets(server: FastifyInstance, context: ServingContext): void {
  const queries = new AccountQueries(context.stores);
  server.get(
    '/v2/assets',
    documented('All assets', { tag: 'assets', query: assetsQuery }),
    async (request) => {
      const query = assetsQuery.parse(request.query);
      if (query.asset_class && !query.asset_class.includes('us_equity')) return [];
      return (await queries.assets())
        .filter(({ exchange }) => query.exchange === undefined || query.exchange.includes(exchange))
        .map(assetJson)
        .filter(
          ({ status, attributes }) =>
            (query.status === undefined || query.status === 'all' || status === query.status) &&
            (query.attributes === undefined ||
              query.attributes.every((wanted) => attributes.includes(wanted))),
        );
    },
  );
  server.get<{ Params: { symbol: string } }>(
    '/v2/assets/:symbol',
    documented('An asset by symbol or id', { tag: 'assets' }),
    async (request) => {
      const asset = await queries.asset(request.params.symbol);
      if (asset === null) throw apiError('NOT_FOUND', `asset not found for ${request.params.symbol}`);
      return assetJson(asset);
    },
  );
}
