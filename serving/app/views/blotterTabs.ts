import { readMicros, readPrice } from '../market/decimal.ts';
import {
  directionOf,
  formatCash,
  formatPercent,
  formatPrice,
  formatQuantity,
  NONE,
} from '../market/format.ts';
import { clockTime, dayAndMinute } from '../market/time.ts';
import { type ApiOrder, type Fill, isOpen } from '../trading/orderBlotter.ts';
import type { ValuedPosition } from '../trading/positionBook.ts';
import { byId, show } from './dom.ts';
import { type Cell, type Column, RowTable } from './rowTable.ts';

export interface BlotterEvents {
  select(symbol: string): void;
  cancel(orderId: string): void;
  cancelAll(): void;
  /** Fills the ticket in to close a position. */
  close(position: ValuedPosition): void;
}

/** What the tables show. */
export interface BlotterData {
  readonly signedIn: boolean;
  /** Whether orders and positions have come since the sign-in. */
  readonly loaded: boolean;
  readonly positions: readonly ValuedPosition[];
  readonly open: readonly ApiOrder[];
  readonly orders: readonly ApiOrder[];
  readonly fills: readonly Fill[];
  /** Orders whose cancel is under way. */
  readonly cancelling: ReadonlySet<string>;
}

const TABS = ['positions', 'open', 'fills', 'history'] as const;
type Tab = (typeof TABS)[number];

const hide: Pick<Column, 'className'> = { className: 'narrow-hide' };
const COLUMNS: Readonly<Record<Tab, readonly Column[]>> = {
  positions: [
    { title: 'Symbol' },
    { title: 'Qty' },
    { title: 'Avg price', ...hide },
    { title: 'Last', ...hide },
    { title: 'Market value' },
    { title: 'Unrealised P&L' },
    { title: '%', ...hide },
    { title: '' },
  ],
  open: [
    { title: 'Symbol' },
    { title: 'Side', className: 'left' },
    { title: 'Type', className: 'left narrow-hide' },
    { title: 'Qty' },
    { title: 'Filled' },
    { title: 'Limit' },
    { title: 'TIF', ...hide },
    { title: 'Placed', ...hide },
    { title: '' },
  ],
  fills: [
    { title: 'Symbol' },
    { title: 'Side', className: 'left' },
    { title: 'Qty' },
    { title: 'Price' },
    { title: 'Value' },
    { title: 'Time' },
  ],
  history: [
    { title: 'Symbol' },
    { title: 'Side', className: 'left' },
    { title: 'Type', className: 'left narrow-hide' },
    { title: 'Qty' },
    { title: 'Filled', ...hide },
    { title: 'Limit', ...hide },
    { title: 'Avg fill' },
    { title: 'Status', className: 'left' },
    { title: 'Placed', ...hide },
  ],
};

/** Positions, open orders, fills and all orders, a tab each. */
export class BlotterTabs {
  readonly #events: BlotterEvents;
  readonly #tables = {} as Record<Tab, RowTable>;
  readonly #cancelAll = byId('cancel-all', HTMLButtonElement);
  #tab: Tab = 'positions';
  #data: BlotterData | null = null;

  constructor(events: BlotterEvents) {
    this.#events = events;
    for (const tab of TABS) {
      const button = byId(`tab-${tab}`, HTMLButtonElement);
      this.#tables[tab] = new RowTable(byId(`pane-${tab}`, HTMLDivElement), button.textContent, COLUMNS[tab]);
      button.addEventListener('click', () => this.open(tab));
      button.addEventListener('keydown', (event) => {
        const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
        if (step === 0) return;
        event.preventDefault();
        const next = TABS[(TABS.indexOf(tab) + step + TABS.length) % TABS.length]!;
        this.open(next);
        byId(`tab-${next}`, HTMLButtonElement).focus();
      });
    }
    this.#cancelAll.addEventListener('click', () => events.cancelAll());
  }

  open(tab: Tab): void {
    this.#tab = tab;
    for (const each of TABS) {
      const button = byId(`tab-${each}`, HTMLButtonElement);
      button.setAttribute('aria-selected', String(each === tab));
      button.tabIndex = each === tab ? 0 : -1;
      byId(`pane-${each}`, HTMLDivElement).hidden = each !== tab;
    }
    if (this.#data !== null) this.draw(this.#data);
  }

  /** Draws what follows from prices alone. */
  revalue(positions: readonly ValuedPosition[]): void {
    if (this.#data === null) return;
    this.#data = { ...this.#data, positions };
    if (this.#tab === 'positions') this.draw(this.#data);
  }

  draw(given: BlotterData): void {
    // What a session that ended had loaded is kept to go on from, but not shown.
    const data = given.signedIn ? given : { ...given, open: [], orders: [], fills: [] };
    this.#data = data;
    show(
      byId('count-positions', HTMLSpanElement),
      data.positions.length > 0 ? String(data.positions.length) : '',
    );
    show(byId('count-open', HTMLSpanElement), data.open.length > 0 ? String(data.open.length) : '');
    show(byId('count-fills', HTMLSpanElement), data.fills.length > 0 ? String(data.fills.length) : '');
    this.#cancelAll.hidden = data.open.length === 0 || this.#tab !== 'open';
    this.#cancelAll.disabled = data.open.every(({ id }) => data.cancelling.has(id));
    const empty = (text: string): string =>
      !data.signedIn ? 'Sign in to see your orders and positions' : data.loaded ? text : 'Loading…';
    if (this.#tab === 'positions')
      this.#tables.positions.draw(this.#positionRows(data), empty('No positions'));
    if (this.#tab === 'open') this.#tables.open.draw(this.#openRows(data), empty('No open orders'));
    if (this.#tab === 'fills')
      this.#tables.fills.draw(
        data.fills.map((fill) => ({ key: fill.executionId, cells: this.#fill(fill) })),
        empty('No fills yet'),
      );
    if (this.#tab === 'history')
      this.#tables.history.draw(
        data.orders.map((order) => ({ key: order.id, cells: this.#history(order) })),
        empty('No orders yet'),
      );
  }

  #symbol(symbol: string): Cell {
    return {
      text: symbol,
      action: { label: `Show ${symbol}`, run: () => this.#events.select(symbol) },
    };
  }

  #positionRows({ positions }: BlotterData) {
    return positions.map((position) => ({
      key: position.symbol,
      cells: [
        this.#symbol(position.symbol),
        { text: formatQuantity(position.quantityMicros) },
        { text: formatPrice(readPrice(position.averageEntryText)) },
        { text: formatPrice(position.markTicks) },
        { text: formatCash(position.marketValueMicros) },
        {
          text: formatCash(position.unrealizedMicros, true),
          className: directionOf(position.unrealizedMicros),
        },
        { text: formatPercent(position.unrealizedRatio), className: directionOf(position.unrealizedMicros) },
        {
          text: 'Close…',
          action: {
            label: `Fill in an order that closes ${position.symbol}`,
            run: () => this.#events.close(position),
          },
        },
      ],
    }));
  }

  #openRows({ open, cancelling }: BlotterData) {
    return open.map((order) => ({
      key: order.id,
      cells: [
        this.#symbol(order.symbol),
        sideCell(order.side),
        { text: order.type },
        { text: amountText(order) },
        { text: formatQuantity(readMicros(order.filled_qty)) },
        { text: formatPrice(readPrice(order.limit_price)) },
        { text: order.time_in_force.toUpperCase() },
        timeCell(order.submitted_at),
        {
          text: cancelling.has(order.id) ? 'Canceling…' : 'Cancel',
          action: {
            label: `Cancel ${order.side} ${amountText(order)} ${order.symbol}`,
            run: () => this.#events.cancel(order.id),
            busy: cancelling.has(order.id),
          },
        },
      ],
    }));
  }

  #history(order: ApiOrder): readonly Cell[] {
    return [
      this.#symbol(order.symbol),
      sideCell(order.side),
      { text: order.type },
      { text: amountText(order) },
      { text: formatQuantity(readMicros(order.filled_qty)) },
      { text: formatPrice(readPrice(order.limit_price)) },
      { text: formatPrice(readPrice(order.filled_avg_price)) },
      { text: order.status.replaceAll('_', ' '), className: isOpen(order) ? '' : 'dim' },
      timeCell(order.submitted_at),
    ];
  }

  #fill(fill: Fill): readonly Cell[] {
    return [
      this.#symbol(fill.symbol),
      sideCell(fill.side),
      { text: formatQuantity(fill.quantityMicros) },
      { text: formatPrice(fill.priceTicks) },
      { text: formatCash(fill.cashMicros) },
      { text: clockTime(fill.timestampMs), className: 'dim' },
    ];
  }
}

function sideCell(side: 'buy' | 'sell'): Cell {
  return { text: side === 'buy' ? 'Buy' : 'Sell', className: side === 'buy' ? 'up' : 'down' };
}

function amountText(order: ApiOrder): string {
  return order.qty !== null ? formatQuantity(readMicros(order.qty)) : formatCash(readMicros(order.notional));
}

function timeCell(time: string | null): Cell {
  const timestampMs = time === null ? Number.NaN : Date.parse(time);
  return { text: Number.isNaN(timestampMs) ? NONE : dayAndMinute(timestampMs), className: 'dim' };
}
