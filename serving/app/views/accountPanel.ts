import { directionOf, formatCash } from '../market/format.ts';
import type { AccountFigures } from '../trading/account.ts';
import { byId, FigureList } from './dom.ts';

export interface AccountEvents {
  signIn(keyId: string, secret: string): Promise<void>;
  signOut(): void;
}

/** The account's figures, or the form to sign in with. */
export class AccountPanel {
  readonly #form = byId('sign-in', HTMLFormElement);
  readonly #key = byId('sign-in-key', HTMLInputElement);
  readonly #secret = byId('sign-in-secret', HTMLInputElement);
  readonly #submit = byId('sign-in-submit', HTMLButtonElement);
  readonly #problem = byId('sign-in-problem', HTMLParagraphElement);
  readonly #signOut = byId('sign-out', HTMLButtonElement);
  readonly #list = byId('account-summary', HTMLDListElement);
  readonly #summary: FigureList;

  constructor(events: AccountEvents) {
    this.#summary = new FigureList(this.#list, [
      ['equity', 'Equity'],
      ['day', 'Today'],
      ['power', 'Buying power'],
      ['cash', 'Cash'],
      ['value', 'Market value'],
      ['unrealized', 'Unrealised P&L'],
    ]);
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#onSubmit(events);
    });
    this.#signOut.addEventListener('click', () => events.signOut());
  }

  focusSignIn(): void {
    this.#key.focus();
  }

  /** Says why one has to sign in (again). */
  tell(text: string): void {
    this.#problem.textContent = text;
  }

  draw(signedIn: boolean, figures: AccountFigures | null): void {
    this.#form.hidden = signedIn;
    this.#list.hidden = !signedIn;
    this.#signOut.hidden = !signedIn;
    if (figures === null) {
      for (const name of ['equity', 'day', 'power', 'cash', 'value', 'unrealized'])
        this.#summary.set(name, '–');
      return;
    }
    this.#summary.set('equity', formatCash(figures.equityMicros));
    this.#summary.set('day', formatCash(figures.dayMicros, true), directionOf(figures.dayMicros));
    this.#summary.set('power', formatCash(figures.buyingPowerMicros));
    this.#summary.set('cash', formatCash(figures.cashMicros));
    this.#summary.set('value', formatCash(figures.marketValueMicros));
    this.#summary.set(
      'unrealized',
      formatCash(figures.unrealizedMicros, true),
      directionOf(figures.unrealizedMicros),
    );
  }

  async #onSubmit(events: AccountEvents): Promise<void> {
    this.tell('');
    this.#submit.disabled = true;
    try {
      await events.signIn(this.#key.value.trim(), this.#secret.value.trim());
      // The secret does not stay in the page's form.
      this.#secret.value = '';
    } catch (error) {
      this.tell(error instanceof Error ? error.message : String(error));
      this.#secret.focus();
      this.#secret.select();
    } finally {
      this.#submit.disabled = false;
    }
  }
}
