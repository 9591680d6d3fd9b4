import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { newYorkDate, newYorkMidnight } from '../../topologies/domain/calendar.ts';
import type { ServingContext } from '../context.ts';
import { AccountQueries } from '../queries/accounts.ts';
import type { Valuation } from '../queries/valuation.ts';
import { apiError } from './apiError.ts';
import { callerOf } from './authenticate.ts';
import { documented } from './docs.ts';
import { accountJson } from './json/account.ts';

/** What holds for every account here: cash only, long only, fractions, no mails. */
const CONFIGURATIONS = {
  dtbp_check: 'entry',
  fractional_trading: true,
  max_margin_multiplier: '1',
  max_options_trading_level: 0,
  no_shorting: true,
  pdt_check: 'entry',
  ptp_no_exception_entry: false,
  suspend_trade: false,
  trade_confirm_email: 'none',
} as const;

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], {
  error: 'must be a string, a number or a boolean',
});
/** Body of PATCH /v2/account/configurations. */
export const configurationsBody = z.record(z.string(), z.unknown(), {
  error: 'request body must be a JSON object',
});

/** The account and what is set for it. */
export function registerAccount(
  server: FastifyInstance,
  context: ServingContext,
  valuation: Valuation,
): void {
  const queries = new AccountQueries(context.stores);
  server.get('/v2/account', documented('The account', { tag: 'account' }), async (request) => {
    const { accountId } = callerOf(request);
    const value = await valuation.account(accountId);
    // Read after the last wait, so that cash and positions are of one commit.
    const account = await queries.account(accountId);
    if (account === null) throw apiError('NOT_FOUND', 'account not found');
    const lastDay = newYorkDate(newYorkMidnight(context.clock.nowMs()) - 1);
    return accountJson(account, value, lastDay);
  });
  server.get(
    '/v2/account/configurations',
    documented('What is set for the account', { tag: 'account' }),
    async () => CONFIGURATIONS,
  );
  server.patch(
    '/v2/account/configurations',
    documented('Confirm what is set; nothing of it can be changed', {
      tag: 'account',
      body: configurationsBody,
    }),
    async (request) => {
      const body = configurationsBody.parse(request.body ?? {});
      for (const [name, fixed] of Object.entries(CONFIGURATIONS)) {
        if (body[name] === undefined) continue;
        const asked = scalar.safeParse(body[name]);
        if (!asked.success) throw apiError('PARAMETER', `${name}: ${asked.error.issues[0]!.message}`);
        if (asked.data !== null && String(asked.data) !== String(fixed))
          throw apiError(
            'INVALID',
            `${name} cannot be changed here: it is ${String(fixed)} for every account`,
          );
      }
      return CONFIGURATIONS;
    },
  );
}
