/** Branded identifiers: strings that cannot be mistaken for one another. They cost nothing at run time. */
declare const id: unique symbol;
type Id<Name extends string> = string & { readonly [id]: Name };

/** UUID of an account, made at the edge (a house account's derives from its symbol). */
export type AccountId = Id<'AccountId'>;
/** UUID of an order, made at the edge. */
export type OrderId = Id<'OrderId'>;
/** UUID of a command, made at the edge; a second command of the same id is ignored. */
export type CommandId = Id<'CommandId'>;
/** The client's own name of an order, unique within the account, at most 128 characters. */
export type ClientOrderId = Id<'ClientOrderId'>;
/** `<symbol>:<n>`: one match between two orders. Both sides of a trade carry it. */
export type TradeId = Id<'TradeId'>;
/** A ticker, in capitals: `AAPL`, `BRK.B`. */
export type Ticker = Id<'Ticker'>;
