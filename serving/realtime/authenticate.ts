import type { Principal } from '../auth/credentials.ts';
import type { ServingContext } from '../context.ts';
import { RateWindow } from '../rateWindow.ts';
import { RealtimeError } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { HandshakeCredentials } from './requests.ts';

const MINUTE_MS = 60_000;

/** Checks keys and tokens of the live streams; guessing is slowed by address. */
export class Authenticator {
  readonly #context: Pick<ServingContext, 'credentials' | 'wallClock'>;
  readonly #failures: RateWindow;

  constructor(context: Pick<ServingContext, 'credentials' | 'wallClock'>) {
    this.#context = context;
    this.#failures = new RateWindow(LIMITS.failedAuthentications, MINUTE_MS, context.wallClock);
  }

  /** @throws RealtimeError UNAUTHORIZED, RATE_LIMIT */
  check(given: HandshakeCredentials, address: string): Principal {
    if (this.#failures.isUsedUp(address)) throw new RealtimeError('RATE_LIMIT');
    const { credentials } = this.#context;
    const principal =
      'token' in given ? credentials.session(given.token) : credentials.authenticate(given.key, given.secret);
    if (principal !== null) return principal;
    this.#failures.count(address);
    throw new RealtimeError('UNAUTHORIZED');
  }
}
