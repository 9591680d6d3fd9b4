/** Most orders an account may have open at a time. */
export const OPEN_ORDERS_MAX = 5_000;
/** How often, in stream time, DAY orders are looked through for expired ones. */
export const EXPIRY_INTERVAL_MS = 1_000;
/** Most DAY orders expired in one look. */
export const EXPIRED_BATCH_MAX = 5_000;
/** Longest name a client may give an order, in characters. */
export const CLIENT_ORDER_ID_MAX = 128;
