import { MICRO_DECIMALS, PRICE_DECIMALS, unitsText } from '../market/decimal.ts';
import { formatCash, formatPrice, formatQuantity, NONE } from '../market/format.ts';
import {
  type AmountMode,
  type CheckedDraft,
  checkDraft,
  type OrderDraft,
  type OrderRequest,
  type OrderSide,
  type OrderType,
  sharesForPart,
  type TimeInForce,
  type TradingFacts,
} from '../trading/orderDraft.ts';
import { byId, FigureList, make, show } from './dom.ts';

export interface TicketEvents {
  submit(request: OrderRequest): void;
  signIn(): void;
  redraw(): void;
}

/** What the last order came to. */
export interface TicketOutcome {
  readonly kind: 'pending' | 'accepted' | 'rejected';
  readonly text: string;
}

const PARTS = [
  ['25%', 0.25],
  ['50%', 0.5],
  ['75%', 0.75],
  ['Max', 1],
] as const;

/** The form an order is placed with; checks as one types, and says why an order cannot be sent when one tries to. */
export class OrderTicket {
  readonly #events: TicketEvents;
  readonly #form = byId('ticket', HTMLFormElement);
  readonly #type = byId('ticket-type', HTMLSelectElement);
  readonly #timeInForce = byId('ticket-tif', HTMLSelectElement);
  readonly #amount = byId('ticket-amount', HTMLInputElement);
  readonly #mode = byId('ticket-mode', HTMLSelectElement);
  readonly #limit = byId('ticket-limit', HTMLInputElement);
  readonly #submit = byId('ticket-submit', HTMLButtonElement);
  readonly #outcome = byId('ticket-outcome', HTMLParagraphElement);
  readonly #estimate: FigureList;
  #symbol = '';
  #facts: TradingFacts = { quote: null, buyingPowerMicros: null, availableMicros: null, fractionable: true };
  #signedIn = false;
  #pending = false;
  /** Problems are shown once somebody tried to send the order, not while it is typed for the first time. */
  #tried = false;

  constructor(events: TicketEvents) {
    this.#events = events;
    this.#estimate = new FigureList(byId('ticket-estimate', HTMLDListElement), [
      ['price', 'Price'],
      ['quantity', 'Shares'],
      ['cash', 'Estimated cost'],
      ['power', 'Buying power'],
    ]);
    byId('ticket-parts', HTMLFieldSetElement).replaceChildren(
      ...PARTS.map(([label, part]) => {
        const button = make('button', { text: label, attributes: { type: 'button' } });
        button.addEventListener('click', () => this.#takePart(part));
        return button;
      }),
    );
    this.#form.addEventListener('input', () => this.#onInput());
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#onSubmit();
    });
  }

  setSymbol(symbol: string): void {
    if (symbol === this.#symbol) return;
    this.#symbol = symbol;
    this.#limit.value = '';
    this.#tried = false;
    this.setOutcome(null);
  }

  /** Turns to one side and puts the cursor into the amount. */
  focus(side: OrderSide): void {
    this.#setSide(side);
    this.#amount.focus();
    this.#amount.select();
    this.#events.redraw();
  }

  /** Makes it a limit order at a price, or at the market's where none is given. */
  limit(priceTicks: number | null): void {
    this.#type.value = 'limit';
    const { quote } = this.#facts;
    const ticks = priceTicks ?? (this.#draft().side === 'buy' ? quote?.bidTicks : quote?.askTicks) ?? null;
    if (ticks !== null) this.#limit.value = unitsText(ticks, PRICE_DECIMALS);
    if (this.#mode.value === 'dollars') this.#mode.value = 'shares';
    this.#onInput();
  }

  /** Fills in a market order of so many shares. */
  fill(side: OrderSide, quantityMicros: number): void {
    this.#setSide(side);
    this.#type.value = 'market';
    this.#mode.value = 'shares';
    this.#timeInForce.value = 'day';
    this.#amount.value = unitsText(quantityMicros, MICRO_DECIMALS);
    this.#amount.focus();
    this.#onInput();
  }

  setOutcome(outcome: TicketOutcome | null): void {
    this.#pending = outcome?.kind === 'pending';
    if (outcome?.kind === 'accepted') this.#tried = false;
    this.#outcome.dataset.kind = outcome?.kind ?? '';
    show(this.#outcome, outcome?.text ?? '');
  }

  draw(facts: TradingFacts, signedIn: boolean): void {
    this.#facts = facts;
    this.#signedIn = signedIn;
    const draft = this.#draft();
    const checked = checkDraft(draft, facts);
    this.#form.dataset.side = draft.side;
    byId('limit-field', HTMLDivElement).hidden = draft.type !== 'limit';
    this.#drawEstimate(draft, checked, facts);
    this.#drawProblems(checked);
    const { quote } = facts;
    show(
      byId('ticket-quote', HTMLSpanElement),
      quote === null ? '' : `${formatPrice(quote.bidTicks)} × ${formatPrice(quote.askTicks)}`,
    );
    show(byId('ticket-title', HTMLHeadingElement), `Order ${this.#symbol}`);
    show(this.#submit, this.#submitText(draft, checked));
    this.#submit.disabled = this.#pending;
  }

  #drawEstimate(draft: OrderDraft, checked: CheckedDraft, facts: TradingFacts): void {
    const price = checked.priceTicks === null ? NONE : formatPrice(checked.priceTicks);
    this.#estimate.set(
      'price',
      draft.type === 'market' && checked.priceTicks !== null ? `≈ ${price}` : price,
    );
    const shares = checked.quantityMicros === null ? NONE : formatQuantity(checked.quantityMicros);
    this.#estimate.set(
      'quantity',
      draft.mode === 'dollars' && checked.quantityMicros !== null ? `≈ ${shares}` : shares,
    );
    const cash = checked.cashMicros === null ? NONE : formatCash(checked.cashMicros);
    this.#estimate.set(
      'cash',
      draft.type === 'market' && draft.mode === 'shares' && checked.cashMicros !== null ? `≈ ${cash}` : cash,
    );
    const terms = byId('ticket-estimate', HTMLDListElement).querySelectorAll('dt');
    show(terms[2]!, draft.side === 'buy' ? 'Estimated cost' : 'Estimated proceeds');
    show(terms[3]!, draft.side === 'buy' ? 'Buying power' : 'Shares to sell');
    this.#estimate.set(
      'power',
      !this.#signedIn
        ? NONE
        : draft.side === 'buy'
          ? formatCash(facts.buyingPowerMicros)
          : formatQuantity(facts.availableMicros),
    );
  }

  #drawProblems(checked: CheckedDraft): void {
    const fields = { amount: this.#amount, limitPrice: this.#limit, timeInForce: this.#timeInForce } as const;
    for (const [field, input] of Object.entries(fields)) {
      const problem = this.#tried ? checked.problems.find((each) => each.field === field) : undefined;
      show(byId(`problem-${field}`, HTMLParagraphElement), problem?.message ?? '');
      input.setAttribute('aria-invalid', String(problem !== undefined));
    }
    show(byId('ticket-warning', HTMLParagraphElement), this.#signedIn ? (checked.warning ?? '') : '');
  }

  #submitText(draft: OrderDraft, checked: CheckedDraft): string {
    if (this.#pending) return 'Sending…';
    const side = draft.side === 'buy' ? 'Buy' : 'Sell';
    if (!this.#signedIn) return `Sign in to ${side.toLowerCase()}`;
    if (checked.request === null) return `${side} ${this.#symbol}`;
    const amount =
      draft.mode === 'dollars' ? formatCash(checked.cashMicros) : formatQuantity(checked.quantityMicros);
    const of = draft.mode === 'dollars' ? ' of' : '';
    return `${side} ${amount}${of} ${this.#symbol}`;
  }

  #draft(): OrderDraft {
    const side = new FormData(this.#form).get('side') === 'sell' ? 'sell' : 'buy';
    return {
      symbol: this.#symbol,
      side,
      type: this.#type.value as OrderType,
      mode: this.#mode.value as AmountMode,
      amount: this.#amount.value,
      limitPrice: this.#limit.value,
      timeInForce: this.#timeInForce.value as TimeInForce,
    };
  }

  #setSide(side: OrderSide): void {
    const input = this.#form.querySelector<HTMLInputElement>(`input[name="side"][value="${side}"]`);
    if (input !== null) input.checked = true;
  }

  #takePart(part: number): void {
    const micros = sharesForPart(this.#draft(), this.#facts, part);
    if (micros === null) {
      this.setOutcome({
        kind: 'rejected',
        text: this.#signedIn
          ? 'There is no price to reckon with yet'
          : 'Sign in first: this is a part of your account',
      });
      return;
    }
    this.#mode.value = 'shares';
    this.#amount.value = unitsText(micros, MICRO_DECIMALS);
    this.#onInput();
  }

  #onInput(): void {
    // A limit order that is begun takes the market's price to start from.
    if (this.#type.value === 'limit' && this.#limit.value === '' && document.activeElement === this.#type) {
      this.limit(null);
      return;
    }
    if (!this.#pending) this.setOutcome(null);
    this.#events.redraw();
  }

  #onSubmit(): void {
    if (this.#pending) return;
    if (!this.#signedIn) {
      this.#events.signIn();
      return;
    }
    const { request, problems } = checkDraft(this.#draft(), this.#facts);
    this.#tried = true;
    if (request !== null) {
      this.#events.submit(request);
      return;
    }
    const first = problems[0]!.field;
    ({ amount: this.#amount, limitPrice: this.#limit, timeInForce: this.#timeInForce })[first].focus();
    this.#events.redraw();
  }
}
