import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { PortfolioPosition } from '../../schemas/generated/types.ts';
import type { AccountId, Ticker } from '../../schemas/ids.ts';
import type { CommandSender } from '../commands/commandSender.ts';
import type { ServingContext } from '../context.ts';
import { AccountQueries } from '../queries/accounts.ts';
import type { Valuation } from '../queries/valuation.ts';
import { apiError, toApiError } from './apiError.ts';
import { callerOf } from './authenticate.ts';
import { documented } from './docs.ts';
import { orderJson } from './json/order.ts';
import { positionJson } from './json/position.ts';
import { cancelAll, placeOrder } from './orders.ts';
import { closePositionQuery, quantityToClose } from './requests/closePosition.ts';
import { closingCommand } from './requests/order.ts';
import { flag } from './requests/values.ts';

type BySymbol = { Params: { symbol: string } };

/** Query of DELETE /v2/positions. */
export const closeAllQuery = z.object({ cancel_orders: flag.default(false) });

/** Positions: read, and close by a market order. */
export function registerPositions(
  server: FastifyInstance,
  context: ServingContext,
  commands: CommandSender,
  valuation: Valuation,
): void {
  const queries = new AccountQueries(context.stores);

  /** The symbol that a path means, which may also be an asset's id. */
  const symbolOf = async (text: string): Promise<Ticker> =>
    (await queries.asset(text))?.symbol ?? (text.toUpperCase() as Ticker);

  const positionOf = async (accountId: AccountId, text: string): Promise<PortfolioPosition> => {
    const position = await queries.position(accountId, await symbolOf(text));
    if (position === null) throw apiError('NOT_FOUND', 'position does not exist');
    return position;
  };

  const close = (request: FastifyRequest, { accountId, symbol, quantityMicros }: PortfolioPosition) =>
    placeOrder(commands, queries, request, closingCommand(accountId, symbol, quantityMicros, context));

  server.get('/v2/positions', documented('Open positions', { tag: 'positions' }), async (request) =>
    (await valuation.positions(callerOf(request).accountId)).map(positionJson),
  );
  server.get<BySymbol>(
    '/v2/positions/:symbol',
    documented('A position by symbol or asset id', { tag: 'positions' }),
    async (request) => {
      const { accountId } = callerOf(request);
      const { symbol } = await positionOf(accountId, request.params.symbol);
      const valued = await valuation.position(accountId, symbol);
      if (valued === null) throw apiError('NOT_FOUND', 'position does not exist');
      return positionJson(valued);
    },
  );
  server.delete<BySymbol>(
    '/v2/positions/:symbol',
    documented('Close a position, or a part of it', { tag: 'positions', query: closePositionQuery }),
    async (request) => {
      const position = await positionOf(callerOf(request).accountId, request.params.symbol);
      const quantityMicros = quantityToClose(request.query, position.quantityMicros);
      return orderJson(await close(request, { ...position, quantityMicros }));
    },
  );
  server.delete(
    '/v2/positions',
    documented('Close all positions', {
      tag: 'positions',
      query: closeAllQuery,
      success: [207, 'what came of each'],
    }),
    async (request, reply) => {
      const { cancel_orders: cancels } = closeAllQuery.parse(request.query);
      const { accountId } = callerOf(request);
      if (cancels) await cancelAll(context, commands, queries, request);
      const closeOne = async (position: PortfolioPosition) => {
        const { symbol } = position;
        try {
          const order = orderJson(await close(request, position));
          return { symbol, status: 200, order_id: order.id, body: order };
        } catch (thrown) {
          const error = toApiError(thrown);
          return { symbol, status: error.status, body: error.body() };
        }
      };
      const positions = await queries.positions(accountId);
      return reply.status(207).send(await Promise.all(positions.map(closeOne)));
    },
  );
}
