/**
 * Every reason for which a command of an account is refused: what goes into the reject code of an update, and how it is told over HTTP
 * in Alpaca's terms. `{name}` in a message stands for the detail of that name.
 */
export interface RejectionDefinition {
  /** HTTP status. */
  readonly status: 403 | 404 | 422;
  /** Alpaca's error code. */
  readonly code: number;
  readonly message: string;
}

const NOT_FOUND = { status: 404, code: 40410000 } as const;
const FORBIDDEN = { status: 403, code: 40310000 } as const;
const PARAMETER = { status: 422, code: 40010001 } as const;
const INVALID = { status: 422, code: 42210000 } as const;

export const REJECTIONS = {
  ACCOUNT_UNKNOWN: { ...NOT_FOUND, message: 'account not found' },
  ORDER_UNKNOWN: { ...NOT_FOUND, message: 'order not found for {order_id}' },

  COMMAND_MISKEYED: { ...PARAMETER, message: 'the key of a command must be its account id' },
  PARAMETER_MISSING: { ...PARAMETER, message: '{parameter} is required' },
  QUANTITY_OR_NOTIONAL: { ...PARAMETER, message: 'exactly one of qty and notional is required' },
  LIMIT_PRICE_MISSING: { ...PARAMETER, message: 'limit orders require limit_price' },
  LIMIT_PRICE_UNEXPECTED: { ...PARAMETER, message: 'market orders must not have a limit_price' },
  CLIENT_ORDER_ID_DUPLICATE: { ...PARAMETER, message: 'client_order_id must be unique' },
  CLIENT_ORDER_ID_TOO_LONG: { ...PARAMETER, message: 'client_order_id must have at most 128 characters' },
  ORDER_ID_DUPLICATE: { ...PARAMETER, message: 'order id must be unique' },

  ASSET_UNKNOWN: { ...INVALID, message: 'asset "{symbol}" not found' },
  ASSET_NOT_TRADABLE: { ...INVALID, message: 'asset "{symbol}" is not tradable' },
  ASSET_NOT_FRACTIONABLE: { ...INVALID, message: 'asset "{symbol}" is not fractionable' },
  QUANTITY_NOT_POSITIVE: { ...INVALID, message: 'qty must be > 0' },
  QUANTITY_TOO_LARGE: { ...INVALID, message: 'qty must be at most {max}' },
  NOTIONAL_NOT_POSITIVE: { ...INVALID, message: 'notional must be > 0' },
  NOTIONAL_TOO_SMALL: { ...INVALID, message: 'notional buys less than a millionth of a share' },
  NOTIONAL_TOO_LARGE: { ...INVALID, message: 'the value of an order must be at most {max}' },
  NOTIONAL_NOT_MARKET_DAY: { ...INVALID, message: 'notional orders must be market orders and DAY orders' },
  LIMIT_PRICE_NOT_POSITIVE: { ...INVALID, message: 'limit_price must be > 0' },
  LIMIT_PRICE_TOO_LARGE: { ...INVALID, message: 'limit_price must be at most {max}' },
  LIMIT_PRICE_SUB_PENNY: {
    ...INVALID,
    message:
      'invalid limit_price {limit_price}. sub-penny increment does not fulfill minimum pricing criteria',
  },
  FRACTIONAL_NOT_DAY: { ...INVALID, message: 'fractional orders must be DAY orders' },
  EXTENDED_HOURS_NOT_LIMIT: {
    ...INVALID,
    message: 'extended hours orders must be limit orders and DAY or GTC orders',
  },
  NO_QUOTE: { ...INVALID, message: 'no quote is available for "{symbol}" to price a market order' },

  ORDER_NOT_OPEN: { ...INVALID, message: 'order is already in "{status}" state' },
  ORDER_NOT_REPLACEABLE: { ...INVALID, message: 'unable to replace order, order is in "{status}" state' },
  REPLACE_NOT_LIMIT: { ...INVALID, message: 'unable to replace order, only limit orders can be replaced' },
  REPLACE_NOT_ABOVE_FILLED: {
    ...INVALID,
    message: 'unable to replace order, qty must be greater than filled_qty {filled_qty}',
  },
  REPLACE_TIME_IN_FORCE: { ...INVALID, message: 'unable to replace order, time_in_force must be day or gtc' },
  REPLACE_TOO_LATE: { ...INVALID, message: 'unable to replace order, it has traded or gone meanwhile' },

  INSUFFICIENT_BUYING_POWER: { ...FORBIDDEN, message: 'insufficient buying power' },
  INSUFFICIENT_QUANTITY: {
    ...FORBIDDEN,
    message: 'insufficient qty available for order (requested: {requested}, available: {available})',
  },
  SHORT_NOT_ALLOWED: { ...FORBIDDEN, message: 'account is not allowed to short' },
  WASH_TRADE: { ...FORBIDDEN, message: 'potential wash trade detected. use complex orders' },
  TOO_MANY_OPEN_ORDERS: { ...FORBIDDEN, message: 'an account may have at most {max} open orders' },

  AMOUNT_NOT_POSITIVE: { ...INVALID, message: 'amount must be > 0' },
  CASH_TOO_LARGE: { ...INVALID, message: 'cash of an account must be at most {max}' },
  INSUFFICIENT_CASH: {
    ...FORBIDDEN,
    message: 'insufficient cash (requested: {requested}, available: {available})',
  },
} as const satisfies Readonly<Record<string, RejectionDefinition>>;

export type RejectCode = keyof typeof REJECTIONS;

/** Why a command is refused. */
export interface Rejection {
  readonly code: RejectCode;
  /** The message with its details filled in. */
  readonly reason: string;
  /** Figures as decimal text, by Alpaca's names. */
  readonly details: Readonly<Record<string, string>>;
}

const NO_DETAILS: Readonly<Record<string, string>> = Object.freeze({});

/** Makes a rejection; placeholders of the message are taken from the details. */
export function reject(code: RejectCode, details: Readonly<Record<string, string>> = NO_DETAILS): Rejection {
  const reason = REJECTIONS[code].message.replace(/\{(\w+)\}/g, (_, name: string) => details[name] ?? '');
  return { code, reason, details };
}

/** Whether a text is a code of the catalogue: codes of records written by a later version may not be. */
export function isRejectCode(text: string): text is RejectCode {
  return Object.hasOwn(REJECTIONS, text);
}
