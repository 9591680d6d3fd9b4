import { type Candle, type CandleSeries, INTERVALS, type Interval } from '../market/candleSeries.ts';
import { formatCompact, formatPrice } from '../market/format.ts';
import type { PriceLine } from '../trading/linesOf.ts';
import { type ChartScene, candleAt, drawChart, slotWidth } from './chartDrawing.ts';
import { type ChartWindow, clampWindow, inSight } from './chartScale.ts';
import { byId, make, show } from './dom.ts';

const LABELS: Readonly<Record<Interval, readonly [short: string, long: string]>> = {
  M1: ['1m', '1 minute'],
  M5: ['5m', '5 minutes'],
  M15: ['15m', '15 minutes'],
  H1: ['1h', '1 hour'],
  D1: ['1D', '1 day'],
};
/** Until somebody zooms, candles are as wide as fits those there are, between these many pixels and this many candles. */
const SLOT_FIRST = 8;
const COUNT_FIRST_MIN = 40;
const ZOOM_STEP = 1.15;

export interface ChartEvents {
  interval(interval: Interval): void;
  redraw(): void;
}

/** The candle chart: wheel zooms, dragging and the arrow keys move in time, the crosshair reads single candles. */
export class CandleChart {
  readonly #events: ChartEvents;
  readonly #canvas = byId('chart-canvas', HTMLCanvasElement);
  readonly #box = byId('chart-box', HTMLDivElement);
  readonly #empty = byId('chart-empty', HTMLParagraphElement);
  readonly #legend = byId('chart-legend', HTMLOutputElement);
  readonly #title = byId('chart-title', HTMLHeadingElement);
  readonly #buttons = new Map<Interval, HTMLButtonElement>();
  #window: ChartWindow = { count: COUNT_FIRST_MIN, skipped: 0 };
  #zoomed = false;
  #cross: ChartScene['cross'] = null;
  #scene: ChartScene | null = null;
  #series: CandleSeries | null = null;
  #drag: { readonly x: number; readonly skipped: number } | null = null;

  constructor(events: ChartEvents) {
    this.#events = events;
    for (const interval of INTERVALS) {
      const [short, long] = LABELS[interval];
      const button = make('button', {
        text: short,
        attributes: {
          type: 'button',
          'aria-label': long,
          'data-interval': interval,
          'aria-pressed': 'false',
        },
      });
      button.addEventListener('click', () => events.interval(interval));
      this.#buttons.set(interval, button);
    }
    byId('intervals', HTMLFieldSetElement).replaceChildren(...this.#buttons.values());
    this.#listen();
    new ResizeObserver(() => events.redraw()).observe(this.#box);
  }

  /** Shows another series from its newest candle on. */
  show(series: CandleSeries): void {
    this.#series = series;
    this.#window = { ...this.#window, skipped: 0 };
    this.#cross = null;
    for (const [interval, button] of this.#buttons)
      button.setAttribute('aria-pressed', String(interval === series.interval));
    show(this.#title, series.symbol);
  }

  draw(lastTicks: number | null, lines: readonly PriceLine[]): void {
    const series = this.#series;
    const { clientWidth: width, clientHeight: height } = this.#box;
    if (series === null || width === 0 || height === 0) return;
    if (!this.#zoomed) {
      const most = Math.max(COUNT_FIRST_MIN, Math.round(width / SLOT_FIRST));
      const count = Math.min(most, Math.max(COUNT_FIRST_MIN, series.candles.length + 4));
      this.#window = { ...this.#window, count };
    }
    this.#window = clampWindow(this.#window, series.candles.length);
    this.#scene = {
      candles: inSight(series.candles, this.#window),
      count: this.#window.count,
      interval: series.interval,
      lastTicks,
      lines,
      cross: this.#cross,
      width,
      height,
    };
    const ratio = window.devicePixelRatio || 1;
    if (this.#canvas.width !== Math.round(width * ratio)) this.#canvas.width = Math.round(width * ratio);
    if (this.#canvas.height !== Math.round(height * ratio)) this.#canvas.height = Math.round(height * ratio);
    const context = this.#canvas.getContext('2d')!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawChart(context, this.#scene);
    this.#describe(series, this.#scene);
  }

  #describe(series: CandleSeries, { candles, cross }: ChartScene): void {
    this.#empty.hidden = candles.length > 0;
    show(this.#empty, series.loaded ? `No trades of ${series.symbol} yet` : 'Loading candles…');
    this.#canvas.dataset.candles = String(series.candles.length);
    const candle = candles[cross?.index ?? candles.length - 1] ?? candles.at(-1);
    this.#drawLegend(candle ?? null);
    const closed = series.candles.findLast((each) => each.closed) ?? candle;
    const label = `${series.symbol}, candles of ${LABELS[series.interval][1]}${closed ? `, last close ${formatPrice(closed.closeTicks)}` : ''}`;
    if (this.#canvas.getAttribute('aria-label') !== label) this.#canvas.setAttribute('aria-label', label);
  }

  #drawLegend(candle: Candle | null): void {
    if (candle === null) {
      this.#legend.replaceChildren();
      return;
    }
    const direction = candle.closeTicks >= candle.openTicks ? 'up' : 'down';
    const figures: readonly (readonly [string, string, string])[] = [
      ['O', formatPrice(candle.openTicks), direction],
      ['H', formatPrice(candle.highTicks), direction],
      ['L', formatPrice(candle.lowTicks), direction],
      ['C', formatPrice(candle.closeTicks), direction],
      ['V', formatCompact(candle.volumeMicros), ''],
    ];
    // Kept from frame to frame, so that only texts change.
    if (this.#legend.childElementCount !== figures.length)
      this.#legend.replaceChildren(
        ...figures.map(([name]) => make('span', { children: [new Text(name), make('b')] })),
      );
    for (const [index, [, text, className]] of figures.entries())
      show(this.#legend.children[index]!.lastElementChild as HTMLElement, text, className);
  }

  #listen(): void {
    const canvas = this.#canvas;
    canvas.addEventListener('pointermove', (event) => this.#onMove(event));
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#drag = { x: event.offsetX, skipped: this.#window.skipped };
    });
    canvas.addEventListener('pointerup', () => {
      this.#drag = null;
    });
    canvas.addEventListener('pointercancel', () => {
      this.#drag = null;
    });
    canvas.addEventListener('pointerleave', () => this.#setCross(null));
    canvas.addEventListener('blur', () => this.#setCross(null));
    canvas.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        this.#zoom(event.deltaY > 0 ? ZOOM_STEP : 1 / ZOOM_STEP);
      },
      { passive: false },
    );
    canvas.addEventListener('keydown', (event) => this.#onKey(event));
  }

  #onMove(event: PointerEvent): void {
    if (this.#scene === null) return;
    if (this.#drag !== null) {
      const slot = slotWidth(this.#scene.width, this.#scene.count);
      const moved = Math.round((event.offsetX - this.#drag.x) / slot);
      this.#window = { ...this.#window, skipped: this.#drag.skipped + moved };
    }
    this.#setCross({ index: candleAt(event.offsetX, this.#scene), y: event.offsetY });
  }

  #onKey(event: KeyboardEvent): void {
    const scene = this.#scene;
    if (scene === null) return;
    const at = this.#cross?.index ?? scene.candles.length;
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    if (step !== 0) {
      event.preventDefault();
      const index = at + step;
      if (index < 0) this.#window = { ...this.#window, skipped: this.#window.skipped + 1 };
      else if (index >= scene.candles.length)
        this.#window = { ...this.#window, skipped: this.#window.skipped - 1 };
      this.#setCross({ index: Math.max(0, Math.min(scene.candles.length - 1, index)), y: null });
    } else if (event.key === '+' || event.key === '-') {
      this.#zoom(event.key === '-' ? ZOOM_STEP : 1 / ZOOM_STEP);
    } else if (event.key === 'End') {
      this.#window = { ...this.#window, skipped: 0 };
      this.#setCross(null);
    }
  }

  #zoom(factor: number): void {
    this.#zoomed = true;
    const count = this.#window.count * factor;
    // Rounding must not swallow a small step.
    this.#window = { ...this.#window, count: factor > 1 ? Math.ceil(count) : Math.floor(count) };
    this.#events.redraw();
  }

  #setCross(cross: ChartScene['cross']): void {
    this.#cross = cross;
    this.#events.redraw();
  }
}
