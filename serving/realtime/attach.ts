import type { Server } from 'node:http';
import type { ServingContext } from '../context.ts';
import { AccountChannel } from './account.ts';
import { Authenticator } from './authenticate.ts';
import { CandlesChannel } from './candles.ts';
import { DepthChannel } from './depth.ts';
import { Flusher } from './flusher.ts';
import { MarketFeed } from './marketFeed.ts';
import { createMarketStream, MARKET_STREAM_PATHS } from './marketStream.ts';
import { OrderFeed } from './orderFeed.ts';
import { QuotesChannel } from './quotes.ts';
import { SOCKET_IO_PATH, SocketServer } from './socketServer.ts';
import { StatusChannel } from './status.ts';
import { createTradingStream, TRADING_STREAM_PATH } from './tradingStream.ts';
import { Turns } from './turns.ts';
import { routeUpgrades, type UpgradeHandler } from './upgrades.ts';
import type { WebSockets } from './webSockets.ts';

/** The live streams of a server. */
export interface Realtime {
  /** Tells every client that the server goes, and ends their connections. Call it before the HTTP server is closed, which waits for them. */
  close(): void;
}

/** Serves the live streams (README.md in this folder) on the HTTP server's port. */
export function attachRealtime(server: Server, context: ServingContext): Realtime {
  const authenticator = new Authenticator(context);
  const flusher = new Flusher();
  const turns = new Turns();
  const orders = new OrderFeed(context);
  const channels = {
    quotes: new QuotesChannel(context, flusher, turns),
    depth: new DepthChannel(context, flusher, turns),
    candles: new CandlesChannel(context, flusher, turns),
    account: new AccountChannel(context, flusher),
    status: new StatusChannel(context),
    orders,
  };
  const sockets = new SocketServer(server, context, authenticator, channels);
  const trading = createTradingStream(context, authenticator, orders);
  const marketFeed = new MarketFeed(context);
  const market = createMarketStream(marketFeed, authenticator);
  const upgradeTo =
    (sockets: WebSockets): UpgradeHandler =>
    (request, socket, head, query) =>
      sockets.upgrade(request, socket, head, query);
  const routes = new Map<string, UpgradeHandler>([
    [TRADING_STREAM_PATH, upgradeTo(trading)],
    ...MARKET_STREAM_PATHS.map((path) => [path, upgradeTo(market)] as const),
  ]);
  const upgrades = routeUpgrades(server, SOCKET_IO_PATH, routes);
  return {
    close: () => {
      upgrades.close();
      sockets.close();
      trading.close();
      market.close();
      marketFeed.close();
      flusher.close();
      for (const channel of Object.values(channels)) channel.close();
    },
  };
}
