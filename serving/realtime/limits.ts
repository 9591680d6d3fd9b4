/** Bounds of the live streams, in one place; the README names them. */
export const LIMITS = {
  /** Connections of each kind at once. */
  socketConnections: 10_000,
  streamConnections: 2_000,
  /** Connections to the trading stream by one account. */
  streamConnectionsOfAccount: 32,
  /** Bytes of one message from a client. */
  messageBytes: 128 * 1024,
  /** Bytes that wait for a client before public channels hold back and keep the newest only. */
  publicBufferBytes: 256 * 1024,
  /** Bytes that wait for a client before a private stream ends the connection. */
  privateBufferBytes: 1024 * 1024,
  /** Symbols of one connection. */
  quoteSymbols: 10_000,
  depthSymbols: 100,
  candleSeries: 100,
  /** Requests of one connection in ten seconds; between two pings on a plain WebSocket. */
  requests: 200,
  /** Each symbol is looked up, so a list counts as one request more for every so many of them. */
  symbolsOfRequest: 200,
  /** Symbols that an account, or an address without credentials, may name in the same time: connections cost nothing. */
  symbolsOfCaller: 50_000,
  /** A book or a history is as much work as the quotes of so many symbols. */
  symbolsOfSeries: 10,
  requestsWindowMs: 10_000,
  /** Failed authentications from one address in a minute. */
  failedAuthentications: 60,
  authenticationTimeoutMs: 10_000,
  pingIntervalMs: 10_000,
  /** How long a connection that was told to end may take to do so. */
  closeTimeoutMs: 5_000,
  /** Records looked through to find where an order stream goes on. */
  resumeRecords: 2_000_000,
  /** Streams that read the log at once; others wait. */
  resumesAtOnce: 8,
} as const;
