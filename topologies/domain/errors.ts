/** What can be wrong with an amount. */
export type AmountErrorCode =
  | 'AMOUNT_MALFORMED'
  | 'AMOUNT_NEGATIVE'
  | 'AMOUNT_TOO_MANY_DECIMALS'
  | 'AMOUNT_TOO_LARGE'
  | 'AMOUNT_OUT_OF_RANGE';

/** A text that is no amount, or an amount that cannot be held exactly. The message says what is wrong, without the name of the field. */
export class AmountError extends Error {
  readonly code: AmountErrorCode;

  constructor(code: AmountErrorCode, message: string) {
    super(message);
    this.name = 'AmountError';
    this.code = code;
  }
}
