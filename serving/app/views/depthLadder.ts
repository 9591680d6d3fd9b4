import type { DepthBook, DepthLevel } from '../market/depthBook.ts';
import { formatPercent, formatPrice, formatQuantity } from '../market/format.ts';
import { byId, make, show } from './dom.ts';

const LEVELS_MAX = 25;

export interface LadderEvents {
  /** A level was clicked. */
  pick(priceTicks: number): void;
}

interface Rung {
  readonly button: HTMLButtonElement;
  readonly bar: HTMLElement;
  readonly price: HTMLElement;
  readonly size: HTMLElement;
  readonly total: HTMLElement;
  priceTicks: number;
}

/** One symbol's book: asks above the spread, bids below, each with its size and the sum up to it. */
export class DepthLadder {
  readonly #asks: readonly Rung[];
  readonly #bids: readonly Rung[];
  readonly #spread = byId('ladder-spread', HTMLDivElement);
  readonly #note = byId('depth-note', HTMLSpanElement);
  readonly #asksBox = byId('ladder-asks', HTMLFieldSetElement);
  readonly #spreadPrice = make('b');
  readonly #spreadText = make('span');

  constructor(events: LadderEvents) {
    this.#asks = rungs(this.#asksBox, events);
    this.#bids = rungs(byId('ladder-bids', HTMLFieldSetElement), events);
    this.#spread.replaceChildren(this.#spreadPrice, this.#spreadText);
  }

  /**
   * @param own prices of the account's open orders
   * @param lastTicks shown between the sides
   */
  draw(book: DepthBook | null, own: ReadonlySet<number>, lastTicks: number | null, note: string): void {
    const room = Math.floor(this.#asksBox.clientHeight / (this.#asks[0]!.button.offsetHeight || 1));
    const count = Math.max(1, Math.min(LEVELS_MAX, room));
    const asks = book?.asks.slice(0, count) ?? [];
    const bids = book?.bids.slice(0, count) ?? [];
    const largest = Math.max(total(asks), total(bids), 1);
    drawSide(this.#asks, asks, own, largest);
    drawSide(this.#bids, bids, own, largest);
    const spread =
      asks[0] !== undefined && bids[0] !== undefined ? asks[0].priceTicks - bids[0].priceTicks : null;
    show(this.#spreadPrice, formatPrice(lastTicks));
    show(
      this.#spreadText,
      spread === null
        ? 'one side only'
        : `spread ${formatPrice(spread, true).replace('+', '')} (${formatPercent(spread / asks[0]!.priceTicks).replace('+', '')})`,
    );
    if (spread === null && asks.length + bids.length === 0)
      show(this.#spreadText, book === null ? '' : 'no orders');
    show(this.#note, note);
  }
}

function rungs(box: HTMLElement, events: LadderEvents): Rung[] {
  const made = Array.from({ length: LEVELS_MAX }, () => {
    const [bar, price, size, sum] = [make('i'), make('span'), make('span'), make('span')];
    const button = make('button', {
      className: 'level',
      attributes: { type: 'button', disabled: '' },
      children: [bar, price, size, sum],
    });
    const rung: Rung = { button, bar, price, size, total: sum, priceTicks: 0 };
    button.addEventListener('click', () => events.pick(rung.priceTicks));
    return rung;
  });
  box.replaceChildren(...made.map(({ button }) => button));
  return made;
}

function total(levels: readonly DepthLevel[]): number {
  return levels.reduce((sum, { quantityMicros }) => sum + quantityMicros, 0);
}

function drawSide(
  side: readonly Rung[],
  levels: readonly DepthLevel[],
  own: ReadonlySet<number>,
  largestMicros: number,
): void {
  let sum = 0;
  for (const [index, rung] of side.entries()) {
    const level = levels[index];
    rung.button.disabled = level === undefined;
    if (level === undefined) continue;
    sum += level.quantityMicros;
    rung.priceTicks = level.priceTicks;
    show(rung.price, formatPrice(level.priceTicks));
    show(rung.size, formatQuantity(level.quantityMicros));
    show(rung.total, formatQuantity(sum));
    rung.bar.style.width = `${((sum / largestMicros) * 100).toFixed(1)}%`;
    rung.button.classList.toggle('own', own.has(level.priceTicks));
    rung.button.title = own.has(level.priceTicks)
      ? 'You have an order here'
      : 'Take this price into the order';
  }
}
