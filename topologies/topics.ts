import type { TopicDefinition } from '../schemas/topic.ts';
import { REFERENCE_ASSETS, SOURCE_POSITIONS } from './assets/topics.ts';
import { USER_ACTIONS } from './audit/topics.ts';
import { CANDLE_UPDATES } from './candles/topics.ts';
import { HOUSE_COMMANDS } from './market-maker/topics.ts';
import { MARKET_DEPTH, ORDER_EVENTS } from './matching/topics.ts';
import {
  ACCOUNT_UPDATES,
  ORDER_COMMANDS,
  ORDER_UPDATES,
  ORDERS_ACCEPTED,
  TRADE_EVENTS,
} from './orders/topics.ts';
import { PORTFOLIO_UPDATES } from './portfolio/topics.ts';
import { MARKET_QUOTES, MARKET_TRADES, QUOTE_UPDATES } from './quotes/topics.ts';

/** Every topic of the trading flow, in the order of the flow. */
export const TOPICS: readonly TopicDefinition[] = [
  REFERENCE_ASSETS,
  SOURCE_POSITIONS,
  MARKET_QUOTES,
  MARKET_TRADES,
  USER_ACTIONS,
  ORDER_COMMANDS,
  HOUSE_COMMANDS,
  ORDERS_ACCEPTED,
  ORDER_EVENTS,
  ORDER_UPDATES,
  ACCOUNT_UPDATES,
  TRADE_EVENTS,
  PORTFOLIO_UPDATES,
  MARKET_DEPTH,
  QUOTE_UPDATES,
  CANDLE_UPDATES,
];

/** Topics written from outside: a replay of what isExternalRecord finds in them gives everything else. */
export const EXTERNAL_TOPICS: readonly TopicDefinition[] = [
  REFERENCE_ASSETS,
  SOURCE_POSITIONS,
  MARKET_QUOTES,
  MARKET_TRADES,
  USER_ACTIONS,
  ORDER_COMMANDS,
];
