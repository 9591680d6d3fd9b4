// Generated from schemas/avro by scripts/generate.mjs. Do not edit.
import type { AccountId, ClientOrderId, CommandId, OrderId, Ticker, TradeId } from '../ids.ts';
import type { CashMicros, PriceTicks, QuantityMicros } from '../units.ts';

/** Cash and holds of an account. Held cash is part of cash. A store value. */
export interface AccountState {
  /** The account. */
  readonly accountId: AccountId;
  /** Type. */
  readonly accountType: AccountType;
  /** Cash, holds included. */
  readonly cashMicros: CashMicros;
  /** Reserved for open orders. */
  readonly heldCashMicros: CashMicros;
  /** Fees paid in all. */
  readonly feesMicros: CashMicros;
  /** Deposits in all. */
  readonly depositedMicros: CashMicros;
  /** Withdrawals in all. */
  readonly withdrawnMicros: CashMicros;
  /** When it was opened. */
  readonly openedAtMs: number;
  /** accountSequence of the last update. */
  readonly updatesSequence: number;
  /** Orders not in a final state. */
  readonly openOrders: number;
  /** The greatest order id of all the SUBMIT commands the account has had: a greater one comes for the first time. */
  readonly newestOrderId: OrderId | null;
}

/** A house account makes markets: it may be short and its cash may be negative. */
export type AccountType = 'CUSTOMER' | 'HOUSE';

/** The outcome of a command about an account itself. Keyed by account id. */
export interface AccountUpdate {
  /** What happened. */
  readonly kind: AccountUpdateKind;
  /** The command. */
  readonly commandId: CommandId;
  /** The account. */
  readonly accountId: AccountId;
  /** Amount moved. */
  readonly amountMicros: CashMicros;
  /** Cash after it. */
  readonly cashMicros: CashMicros;
  /** REJECTED: a code of topologies/orders/rejections.ts. */
  readonly rejectCode: string | null;
  /** The same as a sentence. */
  readonly rejectReason: string | null;
}

/** What happened. */
export type AccountUpdateKind = 'OPENED' | 'DEPOSITED' | 'WITHDRAWN' | 'REJECTED';

/** A security that can be traded. Keyed by symbol; compacted. */
export interface Asset {
  /** The ticker. */
  readonly symbol: Ticker;
  /** UUID, derived from the symbol. */
  readonly assetId: string;
  /** Name of the company or fund. */
  readonly name: string;
  /** Listing exchange in Alpaca's words: NASDAQ, NYSE, ARCA ... */
  readonly exchange: string;
  /** Whether orders are taken. */
  readonly tradable: boolean;
  /** Whether fractions of a share are taken. */
  readonly fractionable: boolean;
  /** Close of the session before, where the source knows it. */
  readonly previousCloseTicks: PriceTicks | null;
}

/** An order that passed validation and whose value is reserved, or a change to one in the book. Keyed by symbol. */
export interface BookCommand {
  /** What to do in the book. */
  readonly kind: BookCommandKind;
  /** The command that led here. */
  readonly commandId: CommandId;
  /** The order meant. */
  readonly orderId: OrderId;
  /** The account. */
  readonly accountId: AccountId;
  /** The ticker. */
  readonly symbol: Ticker;
  /** Side. */
  readonly side: Side;
  /** Type of the order. */
  readonly orderType: OrderType;
  /** Time in force. */
  readonly timeInForce: TimeInForce;
  /** NEW: total quantity; REPLACE: the new total of the replacement, counting what the old order has filled. Millionths of a share. */
  readonly quantityMicros: QuantityMicros;
  /** Limit; null for a market order. */
  readonly limitPriceTicks: PriceTicks | null;
  /** Market order: the worst price it may trade at; the rest is cancelled. */
  readonly collarPriceTicks: PriceTicks | null;
  /** REPLACE: id the order has from now on. */
  readonly replacementOrderId: OrderId | null;
  /** CANCEL: why. */
  readonly cancelReason: CancelReason | null;
}

/** What to do in the book. */
export type BookCommandKind = 'NEW' | 'CANCEL' | 'REPLACE';

/** Counters of one symbol's book. A store value. */
export interface BookState {
  /** The ticker. */
  readonly symbol: Ticker;
  /** Last time priority given. */
  readonly prioritySequence: number;
  /** Last trade number. */
  readonly tradeSequence: number;
  /** Last depth update. */
  readonly depthSequence: number;
  /** Last trade. */
  readonly lastPriceTicks: PriceTicks | null;
}

/** Why. */
export type CancelReason = 'USER' | 'EXPIRED';

/** One bar. Keyed by symbol. */
export interface Candle {
  /** The ticker. */
  readonly symbol: Ticker;
  /** Length of the bar. */
  readonly interval: CandleInterval;
  /** Start of the bar; a day starts at midnight in New York. */
  readonly startMs: number;
  /** End of the bar, exclusive. */
  readonly endMs: number;
  /** First price. */
  readonly openTicks: PriceTicks;
  /** Highest price. */
  readonly highTicks: PriceTicks;
  /** Lowest price. */
  readonly lowTicks: PriceTicks;
  /** Last price. */
  readonly closeTicks: PriceTicks;
  /** Shares traded, millionths. */
  readonly volumeMicros: QuantityMicros;
  /** Trades. */
  readonly tradeCount: number;
  /** Sum of price times shares in 1/10,000 dollar; divided by the shares it is the VWAP. */
  readonly notionalTicks: number;
  /** Whether the bar is final. */
  readonly closed: boolean;
}

/** Length of the bar. */
export type CandleInterval = 'M1' | 'M5' | 'M15' | 'H1' | 'D1';

/** All that rests at one price. */
export interface DepthLevel {
  /** Price. */
  readonly priceTicks: PriceTicks;
  /** Quantity at that price now; 0 when the level is gone. */
  readonly quantityMicros: QuantityMicros;
}

/** The levels of a book that one command changed. Keyed by symbol. Sequences are contiguous. */
export interface DepthUpdate {
  /** The ticker. */
  readonly symbol: Ticker;
  /** Follows the one before without a gap. */
  readonly sequence: number;
  /** Changed bid levels. */
  readonly bids: readonly DepthLevel[];
  /** Changed ask levels. */
  readonly asks: readonly DepthLevel[];
  /** CRC-32 of the ten best levels of each side after the update; see topologies/matching/depthChecksum.ts. */
  readonly checksum: number;
}

/** BOOKED: taken by the book (before any trade). */
export type ExecutionKind = 'BOOKED' | 'TRADE' | 'CANCELED' | 'EXPIRED' | 'REPLACED' | 'CANCEL_REJECTED' | 'REPLACE_REJECTED';

/** What the book made of an order. Keyed by account id. Every book command has at least one. */
export interface ExecutionReport {
  /** What happened. */
  readonly kind: ExecutionKind;
  /** The command that caused it; of the counterparty for a resting order. */
  readonly commandId: CommandId;
  /** The order. */
  readonly orderId: OrderId;
  /** The account. */
  readonly accountId: AccountId;
  /** The ticker. */
  readonly symbol: Ticker;
  /** Side. */
  readonly side: Side;
  /** TRADE. */
  readonly tradeId: TradeId | null;
  /** TRADE: price. */
  readonly lastPriceTicks: PriceTicks | null;
  /** TRADE: quantity. */
  readonly lastQuantityMicros: QuantityMicros | null;
  /** TRADE. */
  readonly liquidity: Liquidity | null;
  /** Filled so far. */
  readonly cumulativeQuantityMicros: QuantityMicros;
  /** Open after it. */
  readonly leavesQuantityMicros: QuantityMicros;
  /** REPLACED: the id the order has from now on. */
  readonly replacementOrderId: OrderId | null;
  /** Why it was cancelled or refused. */
  readonly reason: string | null;
}

/** An order of the house. */
export interface HouseOrder {
  /** The order, and the command that made it. */
  readonly orderId: OrderId;
  /** Its price. */
  readonly priceTicks: PriceTicks;
  /** Ordered in all. */
  readonly quantityMicros: QuantityMicros;
  /** Filled of it. */
  readonly filledMicros: QuantityMicros;
  /** The order it is to take the place of, while the answer is awaited. */
  readonly replaces: OrderId | null;
}

/** What the house has in one symbol's book, and the venues it follows. A store value. */
export interface HouseQuote {
  /** The ticker. */
  readonly symbol: Ticker;
  /** Number of the next order or command. */
  readonly nextNumber: number;
  /** What the venues of the reference market quote. */
  readonly venues: readonly VenueQuote[];
  /** Its bids, the best first. */
  readonly bids: readonly HouseOrder[];
  /** Its asks, the best first. */
  readonly asks: readonly HouseOrder[];
  /** The venues moved while an answer was awaited: the house quotes anew once it is there. */
  readonly behind: boolean;
}

/** FIX tag 851. */
export type Liquidity = 'MAKER' | 'TAKER';

/** A quote of one venue. Keyed by symbol. A null side is unchanged; a size of 0 takes it away. */
export interface MarketQuote {
  /** The ticker. */
  readonly symbol: Ticker;
  /** Venue code: one letter as in the SIP feeds; OT for our own book. */
  readonly exchange: string;
  /** Bid. */
  readonly bidPriceTicks: PriceTicks | null;
  /** Bid size, millionths of a share. */
  readonly bidSizeMicros: QuantityMicros | null;
  /** Ask. */
  readonly askPriceTicks: PriceTicks | null;
  /** Ask size. */
  readonly askSizeMicros: QuantityMicros | null;
}

/** A trade on the tape. Keyed by symbol. */
export interface MarketTrade {
  /** The ticker. */
  readonly symbol: Ticker;
  /** Price. */
  readonly priceTicks: PriceTicks;
  /** Size, millionths of a share. */
  readonly sizeMicros: QuantityMicros;
  /** Venue code; OT for our own book. */
  readonly exchange: string;
  /** Number within symbol and venue. */
  readonly tradeNumber: number;
  /** Sale conditions as the feed gives them. */
  readonly conditions: string;
  /** Whether it counts for candles and as the last price: not where the feed flags it as suspicious or reports an official price. */
  readonly eligible: boolean;
}

/** An order and its state. */
export interface Order {
  /** UUID. */
  readonly orderId: OrderId;
  /** The account. */
  readonly accountId: AccountId;
  /** The client's name of the order. */
  readonly clientOrderId: ClientOrderId;
  /** The ticker. */
  readonly symbol: Ticker;
  /** Side. */
  readonly side: Side;
  /** Type. */
  readonly orderType: OrderType;
  /** Time in force. */
  readonly timeInForce: TimeInForce;
  /** May trade outside the regular session. */
  readonly extendedHours: boolean;
  /** Ordered quantity, millionths of a share. */
  readonly quantityMicros: QuantityMicros;
  /** Ordered amount, where the order was given by amount. */
  readonly notionalMicros: CashMicros | null;
  /** Limit price. */
  readonly limitPriceTicks: PriceTicks | null;
  /** Market order: worst price it may trade at. */
  readonly collarPriceTicks: PriceTicks | null;
  /** Executed so far. */
  readonly filledQuantityMicros: QuantityMicros;
  /** Cash of all executions so far; divided by the quantity it is the average price. */
  readonly filledCashMicros: CashMicros;
  /** State. */
  readonly status: OrderStatus;
  /** Cash still reserved for this order. */
  readonly heldCashMicros: CashMicros;
  /** Shares still reserved for this order. */
  readonly heldQuantityMicros: QuantityMicros;
  /** Market time. */
  readonly submittedAtMs: number;
  /** Market time. */
  readonly updatedAtMs: number;
  /** DAY orders: when they expire. */
  readonly expiresAtMs: number | null;
  /** When it was filled. */
  readonly filledAtMs: number | null;
  /** When it was cancelled. */
  readonly canceledAtMs: number | null;
  /** When it expired. */
  readonly expiredAtMs: number | null;
  /** When it was rejected. */
  readonly failedAtMs: number | null;
  /** When it was replaced. */
  readonly replacedAtMs: number | null;
  /** The order that took its place. */
  readonly replacedBy: OrderId | null;
  /** The order whose place it took. */
  readonly replaces: OrderId | null;
  /** Why it was rejected. */
  readonly rejectReason: string | null;
}

/** What somebody asks of an account. Keyed by account id. The fields a kind does not use are null. */
export interface OrderCommand {
  /** What is asked. */
  readonly kind: OrderCommandKind;
  /** UUID; a command id seen before is ignored. */
  readonly commandId: CommandId;
  /** The account. */
  readonly accountId: AccountId;
  /** OPEN_ACCOUNT: the type of the account. */
  readonly accountType: AccountType | null;
  /** DEPOSIT, WITHDRAW, OPEN_ACCOUNT (initial deposit): millionths of a dollar. */
  readonly amountMicros: CashMicros | null;
  /** SUBMIT: the new order; CANCEL, REPLACE: the order meant. */
  readonly orderId: OrderId | null;
  /** REPLACE: id of the order that takes its place. */
  readonly replacementOrderId: OrderId | null;
  /** SUBMIT, REPLACE: the client's name of the new order. */
  readonly clientOrderId: ClientOrderId | null;
  /** The ticker. */
  readonly symbol: Ticker | null;
  /** Side. */
  readonly side: Side | null;
  /** SUBMIT. */
  readonly orderType: OrderType | null;
  /** SUBMIT; REPLACE where it changes. */
  readonly timeInForce: TimeInForce | null;
  /** SUBMIT: total quantity; REPLACE: the new total, null leaves it. Millionths of a share. */
  readonly quantityMicros: QuantityMicros | null;
  /** SUBMIT of a market order by amount instead of quantity: millionths of a dollar. */
  readonly notionalMicros: CashMicros | null;
  /** SUBMIT of a limit order; REPLACE where it changes. 1/10,000 dollar. */
  readonly limitPriceTicks: PriceTicks | null;
  /** Whether the order may trade outside the regular session. */
  readonly extendedHours: boolean;
}

/** What is asked. */
export type OrderCommandKind = 'OPEN_ACCOUNT' | 'DEPOSIT' | 'WITHDRAW' | 'SUBMIT' | 'CANCEL' | 'REPLACE';

/** FIX tag 39. FILLED, CANCELED, EXPIRED, REPLACED and REJECTED are final. */
export type OrderStatus = 'PENDING_NEW' | 'NEW' | 'PARTIALLY_FILLED' | 'FILLED' | 'CANCELED' | 'EXPIRED' | 'REPLACED' | 'REJECTED' | 'PENDING_CANCEL' | 'PENDING_REPLACE';

/** FIX tag 40. */
export type OrderType = 'MARKET' | 'LIMIT';

/** The outcome of a command or an execution, with the order as it is after it. Keyed by account id; what trade_updates carries. */
export interface OrderUpdate {
  /** What happened. */
  readonly event: OrderUpdateEvent;
  /** Counts the updates of the account from 1, without gaps. */
  readonly accountSequence: number;
  /** The account. */
  readonly accountId: AccountId;
  /** The command this is the outcome of; for an execution the one that submitted the order. */
  readonly commandId: CommandId | null;
  /** The order after the event; null where a cancel or replace names an order that is not there. */
  readonly order: Order | null;
  /** The order meant, or asked for. */
  readonly orderId: OrderId;
  /** PARTIAL_FILL, FILL: the trade. */
  readonly executionId: TradeId | null;
  /** Price of this execution. */
  readonly priceTicks: PriceTicks | null;
  /** Quantity of this execution. */
  readonly quantityMicros: QuantityMicros | null;
  /** Signed position after this execution. */
  readonly positionQuantityMicros: QuantityMicros | null;
  /** *_REJECTED, REJECTED: a code of topologies/orders/rejections.ts. */
  readonly rejectCode: string | null;
  /** The same as a sentence. */
  readonly rejectReason: string | null;
  /** Figures of the rejection, as decimal strings: buying_power, cost_basis, available ... */
  readonly rejectDetails: Readonly<Record<string, string>>;
}

/** What happened. */
export type OrderUpdateEvent = 'NEW' | 'PARTIAL_FILL' | 'FILL' | 'CANCELED' | 'EXPIRED' | 'REPLACED' | 'REJECTED' | 'CANCEL_REJECTED' | 'REPLACE_REJECTED';

/** A position with its cost and profit. Keyed by account id; also the store value. */
export interface PortfolioPosition {
  /** The account. */
  readonly accountId: AccountId;
  /** The ticker. */
  readonly symbol: Ticker;
  /** Signed quantity. */
  readonly quantityMicros: QuantityMicros;
  /** Cost of what is held (negative when short); divided by the quantity it is the average price. */
  readonly costMicros: CashMicros;
  /** Realised profit or loss in all. */
  readonly realizedProfitMicros: CashMicros;
  /** Price it was valued at when this was written. */
  readonly markPriceTicks: PriceTicks | null;
  /** Unrealised profit or loss at that price. */
  readonly unrealizedProfitMicros: CashMicros | null;
  /** Bought in all. */
  readonly boughtQuantityMicros: QuantityMicros;
  /** Sold in all. */
  readonly soldQuantityMicros: QuantityMicros;
  /** Executions. */
  readonly tradeCount: number;
  /** Time of the last execution. */
  readonly updatedAtMs: number;
}

/** Shares of an account, and how many open sell orders hold. A store value. */
export interface PositionState {
  /** The account. */
  readonly accountId: AccountId;
  /** The ticker. */
  readonly symbol: Ticker;
  /** Signed quantity. */
  readonly quantityMicros: QuantityMicros;
  /** Reserved for open sell orders. */
  readonly heldQuantityMicros: QuantityMicros;
}

/** Latest quotes of each venue and the consolidated one. A store value. */
export interface QuoteState {
  /** By venue, in order of venue code. */
  readonly venues: readonly VenueQuote[];
  /** The consolidated quote now. */
  readonly latest: QuoteUpdate;
  /** When an update was last sent; -1 for never. */
  readonly emittedAtMs: number;
  /** Whether it changed since. */
  readonly pending: boolean;
}

/** The consolidated quote of a symbol, at most ten a second. Keyed by symbol. */
export interface QuoteUpdate {
  /** The ticker. */
  readonly symbol: Ticker;
  /** Counts the updates of the symbol. */
  readonly sequence: number;
  /** Best bid. */
  readonly bidPriceTicks: PriceTicks | null;
  /** Size there. */
  readonly bidSizeMicros: QuantityMicros | null;
  /** Venue of the best bid. */
  readonly bidExchange: string | null;
  /** Best ask. */
  readonly askPriceTicks: PriceTicks | null;
  /** Size there. */
  readonly askSizeMicros: QuantityMicros | null;
  /** Venue of the best ask. */
  readonly askExchange: string | null;
  /** Last trade. */
  readonly lastPriceTicks: PriceTicks | null;
  /** Its size. */
  readonly lastSizeMicros: QuantityMicros | null;
  /** Its venue. */
  readonly lastExchange: string | null;
  /** Its time. */
  readonly lastTradeAtMs: number | null;
  /** Time of the newest quote in it. */
  readonly quotedAtMs: number | null;
  /** Number of the last trade within symbol and venue. */
  readonly lastTradeNumber: number | null;
  /** Its sale conditions as the feed gives them. */
  readonly lastConditions: string | null;
}

/** An order in the book. A store value; the key orders by symbol and arrival. */
export interface RestingOrder {
  /** The order. */
  readonly orderId: OrderId;
  /** The account. */
  readonly accountId: AccountId;
  /** The ticker. */
  readonly symbol: Ticker;
  /** Side. */
  readonly side: Side;
  /** Price. */
  readonly priceTicks: PriceTicks;
  /** Ordered in all. */
  readonly quantityMicros: QuantityMicros;
  /** Still open. */
  readonly leavesQuantityMicros: QuantityMicros;
  /** Time priority: smaller is older. */
  readonly prioritySequence: number;
  /** Time in force. */
  readonly timeInForce: TimeInForce;
  /** The command that submitted it. */
  readonly commandId: CommandId;
}

/** Side of an order, as FIX tag 54. */
export type Side = 'BUY' | 'SELL';

/** How far a replay has come. Keyed by the name of the source; written in one piece with the records it covers. */
export interface SourcePosition {
  /** Name of the source, with what it replays. */
  readonly source: string;
  /** Day being replayed, as YYYYMMDD. */
  readonly day: string;
  /** Events of that day that are on the log. */
  readonly index: number;
  /** Events on the log in all. */
  readonly records: number;
  /** Time of the last of them. */
  readonly marketTimeMs: number;
}

/** FIX tag 59. */
export type TimeInForce = 'DAY' | 'GTC' | 'IOC' | 'FOK';

/** One side of a settled trade. Keyed by account id. */
export interface TradeEvent {
  /** The trade. */
  readonly executionId: TradeId;
  /** The account. */
  readonly accountId: AccountId;
  /** The order. */
  readonly orderId: OrderId;
  /** The client's name of it. */
  readonly clientOrderId: ClientOrderId;
  /** The ticker. */
  readonly symbol: Ticker;
  /** Side. */
  readonly side: Side;
  /** Price. */
  readonly priceTicks: PriceTicks;
  /** Quantity. */
  readonly quantityMicros: QuantityMicros;
  /** Cash that changed hands, fees apart. */
  readonly cashMicros: CashMicros;
  /** Fee charged. */
  readonly feeMicros: CashMicros;
  /** Filled of the order so far. */
  readonly cumulativeQuantityMicros: QuantityMicros;
  /** Left of the order. */
  readonly leavesQuantityMicros: QuantityMicros;
  /** Signed position after it. */
  readonly positionQuantityMicros: QuantityMicros;
  /** Whether this side rested in the book. */
  readonly liquidity: Liquidity;
}

/** Something a user did. Keyed by account id. */
export interface UserAction {
  /** The account. */
  readonly accountId: AccountId;
  /** What: order.submit, order.cancel, order.replace ... */
  readonly action: string;
  /** The command it led to. */
  readonly commandId: CommandId | null;
  /** What it was about: an order id, a symbol. */
  readonly target: string | null;
}

/** What one venue quotes now. */
export interface VenueQuote {
  /** Venue. */
  readonly exchange: string;
  /** Bid. */
  readonly bidPriceTicks: PriceTicks | null;
  /** Size. */
  readonly bidSizeMicros: QuantityMicros | null;
  /** Ask. */
  readonly askPriceTicks: PriceTicks | null;
  /** Size. */
  readonly askSizeMicros: QuantityMicros | null;
}

/** The TypeScript type of each schema, by full name. */
export interface SchemaTypes {
  readonly 'opentape.assets.Asset': Asset;
  readonly 'opentape.assets.SourcePosition': SourcePosition;
  readonly 'opentape.audit.UserAction': UserAction;
  readonly 'opentape.candles.Candle': Candle;
  readonly 'opentape.marketmaker.HouseQuote': HouseQuote;
  readonly 'opentape.matching.BookState': BookState;
  readonly 'opentape.matching.DepthUpdate': DepthUpdate;
  readonly 'opentape.matching.ExecutionReport': ExecutionReport;
  readonly 'opentape.matching.RestingOrder': RestingOrder;
  readonly 'opentape.orders.AccountState': AccountState;
  readonly 'opentape.orders.AccountUpdate': AccountUpdate;
  readonly 'opentape.orders.BookCommand': BookCommand;
  readonly 'opentape.orders.Order': Order;
  readonly 'opentape.orders.OrderCommand': OrderCommand;
  readonly 'opentape.orders.OrderUpdate': OrderUpdate;
  readonly 'opentape.orders.PositionState': PositionState;
  readonly 'opentape.orders.TradeEvent': TradeEvent;
  readonly 'opentape.portfolio.PortfolioPosition': PortfolioPosition;
  readonly 'opentape.quotes.MarketQuote': MarketQuote;
  readonly 'opentape.quotes.MarketTrade': MarketTrade;
  readonly 'opentape.quotes.QuoteState': QuoteState;
  readonly 'opentape.quotes.QuoteUpdate': QuoteUpdate;
  readonly 'opentape.quotes.VenueQuote': VenueQuote;
}

export type SchemaName = keyof SchemaTypes;
