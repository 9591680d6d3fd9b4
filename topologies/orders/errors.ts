/** What must not happen to the orders application: a record that breaks the contract between applications. */
export type OrdersErrorCode = 'EXECUTION_UNKNOWN_ORDER' | 'EXECUTION_BEYOND_ORDER';

export class OrdersError extends Error {
  readonly code: OrdersErrorCode;

  constructor(code: OrdersErrorCode, message: string) {
    super(message);
    this.name = 'OrdersError';
    this.code = code;
  }
}
