import { directionOf, formatPercent, formatPrice } from '../market/format.ts';
import type { QuoteBoard, WatchColumn, WatchFigures } from '../market/quoteBoard.ts';
import { byId, flash, make, show } from './dom.ts';

const COLUMNS: readonly (readonly [WatchColumn, string])[] = [
  ['symbol', 'Symbol'],
  ['last', 'Last'],
  ['change', 'Chg %'],
  ['bid', 'Bid'],
  ['ask', 'Ask'],
  ['spread', 'Sprd'],
];
/** Rows drawn beyond what is seen, so that scrolling does not show gaps. */
const OVERSCAN = 6;
/** The order by a figure that moves is not taken anew more often than this, or rows would jump under the pointer. */
const RESORT_MS = 1_000;

interface Row {
  readonly element: HTMLTableRowElement;
  readonly cells: Readonly<Record<WatchColumn, HTMLTableCellElement>>;
  shown: WatchFigures | null;
}

export interface WatchEvents {
  select(symbol: string): void;
}

/** Quotes of all symbols, sorted and filtered. Only the rows in sight exist, so thousands of symbols cost no more than a screen. */
export class WatchTable {
  readonly #board: QuoteBoard;
  readonly #events: WatchEvents;
  readonly #scroll = byId('watch-scroll', HTMLElement);
  readonly #body = byId('watch-body', HTMLTableSectionElement);
  readonly #head = byId('watch-head', HTMLTableSectionElement);
  readonly #filter = byId('watch-filter', HTMLInputElement);
  readonly #empty = byId('watch-empty', HTMLParagraphElement);
  readonly #above = spacer();
  readonly #below = spacer();
  readonly #rows = new Map<string, Row>();
  #column: WatchColumn = 'symbol';
  #descending = false;
  #order: readonly string[] = [];
  #sortedAtMs = Number.NEGATIVE_INFINITY;
  #selected: string | null = null;

  constructor(board: QuoteBoard, events: WatchEvents, redraw: () => void) {
    this.#board = board;
    this.#events = events;
    this.#scroll.tabIndex = 0;
    this.#drawHead(redraw);
    this.#filter.addEventListener('input', () => {
      this.#resort();
      this.#scroll.scrollTop = 0;
      redraw();
    });
    this.#filter.addEventListener('keydown', (event) => this.#onFilterKey(event, redraw));
    this.#scroll.addEventListener('scroll', redraw, { passive: true });
    this.#scroll.addEventListener('keydown', (event) => {
      if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
      event.preventDefault();
      this.step(event.key === 'ArrowDown' ? 1 : -1);
    });
    this.#body.addEventListener('click', (event) => {
      const symbol = (event.target as Element).closest<HTMLElement>('tr[data-symbol]')?.dataset.symbol;
      if (symbol !== undefined) events.select(symbol);
    });
    new ResizeObserver(redraw).observe(this.#scroll);
  }

  focusFilter(): void {
    this.#filter.focus();
    this.#filter.select();
  }

  setSelected(symbol: string): void {
    this.#selected = symbol;
  }

  /** Selects the symbol so many rows further and scrolls it into sight. */
  step(by: number): void {
    const at = this.#selected === null ? -1 : this.#order.indexOf(this.#selected);
    const index = Math.min(this.#order.length - 1, Math.max(0, at + by));
    const symbol = this.#order[index];
    if (symbol === undefined) return;
    const height = this.#rowHeight();
    const room = this.#scroll.clientHeight - height;
    if (index * height < this.#scroll.scrollTop) this.#scroll.scrollTop = index * height;
    if ((index + 1) * height > this.#scroll.scrollTop + room)
      this.#scroll.scrollTop = (index + 1) * height - room;
    this.#events.select(symbol);
  }

  readonly draw = (): void => {
    const nowMs = performance.now();
    if (nowMs - this.#sortedAtMs >= RESORT_MS || this.#order.length === 0) this.#resort();
    const height = this.#rowHeight();
    const first = Math.max(0, Math.floor(this.#scroll.scrollTop / height) - OVERSCAN);
    const last = Math.min(
      this.#order.length,
      first + Math.ceil(this.#scroll.clientHeight / height) + 2 * OVERSCAN,
    );
    const symbols = this.#order.slice(first, last);
    this.#place(symbols);
    this.#above.style.height = `${first * height}px`;
    this.#below.style.height = `${(this.#order.length - last) * height}px`;
    for (const symbol of symbols) this.#drawRow(symbol);
    this.#empty.hidden = this.#order.length > 0;
    show(this.#empty, this.#board.size === 0 ? 'Waiting for quotes…' : 'No symbol has this in its name');
  };

  #rowHeight(): number {
    for (const { element } of this.#rows.values()) return element.offsetHeight || 24;
    return 24;
  }

  #resort(): void {
    this.#order = this.#board.list(this.#filter.value, this.#column, this.#descending);
    this.#sortedAtMs = performance.now();
  }

  #onFilterKey(event: KeyboardEvent, redraw: () => void): void {
    if (event.key === 'Escape') {
      this.#filter.value = '';
      this.#resort();
      redraw();
      this.#scroll.focus();
    } else if (event.key === 'Enter' && this.#order[0] !== undefined) {
      this.#events.select(this.#order[0]);
      this.#scroll.focus();
    } else if (event.key === 'ArrowDown') {
      event.preventDefault();
      this.#scroll.focus();
      this.step(this.#selected !== null && this.#order.includes(this.#selected) ? 1 : 0);
    }
  }

  /** Puts the rows of these symbols, and no others, in this order; touches the document only where that changes it. */
  #place(symbols: readonly string[]): void {
    const wanted = new Set(symbols);
    for (const [symbol, { element }] of this.#rows) {
      if (wanted.has(symbol)) continue;
      element.remove();
      this.#rows.delete(symbol);
    }
    if (this.#body.firstChild !== this.#above) this.#body.prepend(this.#above);
    let before: Element = this.#above;
    for (const symbol of symbols) {
      const row = this.#rows.get(symbol) ?? this.#makeRow(symbol);
      if (before.nextElementSibling !== row.element) before.after(row.element);
      before = row.element;
    }
    if (before.nextElementSibling !== this.#below) before.after(this.#below);
  }

  #makeRow(symbol: string): Row {
    const cells = Object.fromEntries(COLUMNS.map(([column]) => [column, make('td')])) as Record<
      WatchColumn,
      HTMLTableCellElement
    >;
    cells.symbol.textContent = symbol;
    const element = make('tr', { attributes: { 'data-symbol': symbol }, children: Object.values(cells) });
    const row: Row = { element, cells, shown: null };
    this.#rows.set(symbol, row);
    return row;
  }

  #drawRow(symbol: string): void {
    const row = this.#rows.get(symbol)!;
    const selected = String(symbol === this.#selected);
    if (row.element.getAttribute('aria-current') !== selected)
      row.element.setAttribute('aria-current', selected);
    const figures = this.#board.figures(symbol);
    if (figures === null) return;
    const { quote, spreadTicks, changeTicks, changeRatio } = figures;
    const before = row.shown?.quote;
    const price = (column: WatchColumn, now: number | null, was: number | null | undefined): void => {
      const cell = row.cells[column];
      if (show(cell, formatPrice(now)) && now !== null && was !== null && was !== undefined && now !== was)
        flash(cell, now > was);
    };
    price('last', quote.lastTicks, before?.lastTicks);
    price('bid', quote.bidTicks, before?.bidTicks);
    price('ask', quote.askTicks, before?.askTicks);
    show(row.cells.change, formatPercent(changeRatio), directionOf(changeTicks));
    show(row.cells.spread, formatPrice(spreadTicks, true).replace('+', ''), 'dim');
    row.shown = figures;
  }

  #drawHead(redraw: () => void): void {
    const cells = COLUMNS.map(([column, label]) => {
      const button = make('button', { text: label, attributes: { type: 'button' } });
      const cell = make('th', { attributes: { scope: 'col' }, children: [button] });
      button.addEventListener('click', () => {
        this.#descending = this.#column === column ? !this.#descending : column !== 'symbol';
        this.#column = column;
        for (const other of cells) other.removeAttribute('aria-sort');
        cell.setAttribute('aria-sort', this.#descending ? 'descending' : 'ascending');
        this.#resort();
        redraw();
      });
      return cell;
    });
    cells[0]!.setAttribute('aria-sort', 'ascending');
    this.#head.replaceChildren(make('tr', { children: cells }));
  }
}

function spacer(): HTMLTableRowElement {
  return make('tr', {
    className: 'spacer',
    attributes: { 'aria-hidden': 'true' },
    children: [make('td', { attributes: { colspan: String(COLUMNS.length) } })],
  });
}
