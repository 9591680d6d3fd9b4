import type { Candle, Interval } from '../market/candleSeries.ts';
import { formatCompact, formatPrice } from '../market/format.ts';
import { dayAndMinute, dayText, minuteTime } from '../market/time.ts';
import type { PriceLine } from '../trading/linesOf.ts';
import { priceRange, roundFigures } from './chartScale.ts';

const AXIS_WIDTH = 64;
const AXIS_HEIGHT = 22;
const TOP = 8;
const VOLUME_PART = 0.17;
const TIME_LABEL_WIDTH = 84;
const PRICE_LABEL_HEIGHT = 44;
const TICKS_PER_DOLLAR = 10_000;
const TICKS_PER_CENT = 100;

/** Colours of the chart; the same as in styles/base.css. */
const COLOURS = {
  up: '#2fbf8a',
  down: '#f0616d',
  upVolume: 'rgb(47 191 138 / 32%)',
  downVolume: 'rgb(240 97 109 / 32%)',
  grid: '#1b2330',
  text: '#97a3b6',
  strong: '#e3e8f0',
  cross: '#5b6b85',
  tag: '#354157',
  order: '#6ea8fe',
  ground: '#11161f',
} as const;

/** Everything a drawing is made from. */
export interface ChartScene {
  readonly candles: readonly Candle[];
  /** How many candles fit; there may be fewer. */
  readonly count: number;
  readonly interval: Interval;
  readonly lastTicks: number | null;
  readonly lines: readonly PriceLine[];
  /** Where the crosshair is: which candle (null beside them), and how far down (null when it is led by the keyboard). */
  readonly cross: { readonly index: number | null; readonly y: number | null } | null;
  readonly width: number;
  readonly height: number;
}

/** Where things lie on the canvas. */
interface Frame {
  readonly context: CanvasRenderingContext2D;
  readonly scene: ChartScene;
  readonly plotWidth: number;
  readonly plotHeight: number;
  readonly slot: number;
  readonly firstX: number;
  readonly yOf: (ticks: number) => number;
  readonly ticksOf: (y: number) => number;
}

/** Width of one candle with its gap. */
export function slotWidth(width: number, count: number): number {
  return Math.max(1, (width - AXIS_WIDTH - 6) / count);
}

/** The candle under a place on the canvas; null beside the candles. */
export function candleAt(x: number, scene: Pick<ChartScene, 'candles' | 'count' | 'width'>): number | null {
  const slot = slotWidth(scene.width, scene.count);
  const firstX = (scene.count - scene.candles.length) * slot;
  const index = Math.floor((x - firstX) / slot);
  return index >= 0 && index < scene.candles.length ? index : null;
}

function frameOf(context: CanvasRenderingContext2D, scene: ChartScene): Frame {
  const plotWidth = scene.width - AXIS_WIDTH;
  const plotHeight = scene.height - AXIS_HEIGHT;
  const { low, high } = priceRange(scene.candles);
  const priceHeight = plotHeight * (1 - VOLUME_PART) - TOP;
  const slot = slotWidth(scene.width, scene.count);
  return {
    context,
    scene,
    plotWidth,
    plotHeight,
    slot,
    firstX: (scene.count - scene.candles.length) * slot,
    yOf: (ticks) => TOP + ((high - ticks) / (high - low)) * priceHeight,
    ticksOf: (y) => high - ((y - TOP) / priceHeight) * (high - low),
  };
}

function text(frame: Frame, words: string, x: number, y: number, colour: string): void {
  frame.context.fillStyle = colour;
  frame.context.fillText(words, x, y);
}

function horizontal(frame: Frame, y: number, colour: string, dash: readonly number[]): void {
  const { context, plotWidth } = frame;
  context.strokeStyle = colour;
  context.setLineDash([...dash]);
  context.beginPath();
  context.moveTo(0, Math.round(y) + 0.5);
  context.lineTo(plotWidth, Math.round(y) + 0.5);
  context.stroke();
  context.setLineDash([]);
}

function priceTag(frame: Frame, ticks: number, background: string, colour: string): void {
  const { context, plotWidth, scene, yOf } = frame;
  const y = yOf(ticks);
  if (y < 0 || y > frame.plotHeight) return;
  context.fillStyle = background;
  context.fillRect(plotWidth, Math.round(y) - 9, scene.width - plotWidth, 18);
  text(frame, formatPrice(Math.round(ticks)), plotWidth + 6, y, colour);
}

function drawPriceAxis(frame: Frame): void {
  const { plotHeight, plotWidth, ticksOf, yOf } = frame;
  const bottom = plotHeight * (1 - VOLUME_PART);
  for (const ticks of roundFigures(ticksOf(bottom), ticksOf(TOP), Math.floor(bottom / PRICE_LABEL_HEIGHT))) {
    horizontal(frame, yOf(ticks), COLOURS.grid, []);
    text(frame, formatPrice(Math.round(ticks)), plotWidth + 6, yOf(ticks), COLOURS.text);
  }
}

function drawTimeAxis(frame: Frame): void {
  const { context, scene, plotHeight, slot, firstX } = frame;
  const every = Math.max(1, Math.ceil(TIME_LABEL_WIDTH / slot));
  context.textAlign = 'center';
  let dayShown = '';
  for (let index = scene.candles.length - 1 - Math.floor(every / 2); index >= 0; index -= every) {
    const { startMs } = scene.candles[index]!;
    const x = firstX + (index + 0.5) * slot;
    if (x < TIME_LABEL_WIDTH / 2) break;
    context.fillStyle = COLOURS.grid;
    context.fillRect(Math.round(x), 0, 1, plotHeight);
    const day = dayText(startMs);
    const label =
      scene.interval === 'D1'
        ? day
        : day === dayShown || dayShown === ''
          ? minuteTime(startMs)
          : dayAndMinute(startMs);
    dayShown = day;
    text(frame, label, x, plotHeight + AXIS_HEIGHT / 2, COLOURS.text);
  }
  context.textAlign = 'left';
}

function drawCandles(frame: Frame): void {
  const { context, scene, slot, firstX, yOf, plotHeight } = frame;
  const body = Math.max(1, Math.min(13, Math.floor(slot * 0.7)));
  const volumeHeight = plotHeight * VOLUME_PART - 6;
  const volumeMax = scene.candles.reduce((max, { volumeMicros }) => Math.max(max, volumeMicros), 1);
  for (const [index, candle] of scene.candles.entries()) {
    const rose = candle.closeTicks >= candle.openTicks;
    const middle = Math.round(firstX + (index + 0.5) * slot);
    const left = middle - Math.floor(body / 2);
    const volume = Math.round((candle.volumeMicros / volumeMax) * volumeHeight);
    context.fillStyle = rose ? COLOURS.upVolume : COLOURS.downVolume;
    context.fillRect(left, plotHeight - volume, body, volume);
    const [high, low] = [Math.round(yOf(candle.highTicks)), Math.round(yOf(candle.lowTicks))];
    const top = Math.round(yOf(Math.max(candle.openTicks, candle.closeTicks)));
    const bottom = Math.round(yOf(Math.min(candle.openTicks, candle.closeTicks)));
    context.fillStyle = rose ? COLOURS.up : COLOURS.down;
    context.fillRect(middle, high, 1, Math.max(1, low - high));
    context.fillRect(left, top, body, Math.max(1, bottom - top));
    // The bar that still forms is drawn hollow.
    if (!candle.closed && body > 4 && bottom - top > 3) {
      context.fillStyle = COLOURS.ground;
      context.fillRect(left + 1, top + 1, body - 2, bottom - top - 2);
    }
  }
}

function drawLines(frame: Frame): void {
  const { scene, yOf } = frame;
  for (const { priceTicks, label, kind } of scene.lines) {
    const y = yOf(priceTicks);
    if (y < 0 || y > frame.plotHeight * (1 - VOLUME_PART)) continue;
    const colour = kind === 'order' ? COLOURS.order : COLOURS.text;
    horizontal(frame, y, colour, kind === 'order' ? [6, 4] : [2, 4]);
    text(frame, label, 6, y - 8, colour);
    priceTag(frame, priceTicks, kind === 'order' ? '#1f3354' : '#2a3344', COLOURS.strong);
  }
  const last = scene.candles.at(-1);
  if (scene.lastTicks === null || last === undefined) return;
  const colour = last.closeTicks >= last.openTicks ? COLOURS.up : COLOURS.down;
  horizontal(frame, yOf(scene.lastTicks), colour, [1, 3]);
  priceTag(frame, scene.lastTicks, colour, '#08111f');
}

function drawCross(frame: Frame): void {
  const { context, scene, slot, firstX, plotHeight, plotWidth, ticksOf } = frame;
  if (scene.cross === null) return;
  if (scene.cross.y !== null && scene.cross.y < plotHeight * (1 - VOLUME_PART)) {
    horizontal(frame, scene.cross.y, COLOURS.cross, [3, 3]);
    const ticks = ticksOf(scene.cross.y);
    const step = ticks >= TICKS_PER_DOLLAR ? TICKS_PER_CENT : 1;
    priceTag(frame, Math.round(ticks / step) * step, COLOURS.tag, COLOURS.strong);
  }
  const candle = scene.cross.index === null ? undefined : scene.candles[scene.cross.index];
  if (scene.cross.index === null || candle === undefined) return;
  const x = Math.round(firstX + (scene.cross.index + 0.5) * slot);
  context.fillStyle = COLOURS.cross;
  context.fillRect(x, 0, 1, plotHeight);
  const label = scene.interval === 'D1' ? dayText(candle.startMs) : dayAndMinute(candle.startMs);
  const width = context.measureText(label).width + 14;
  const left = Math.max(0, Math.min(plotWidth - width, x - width / 2));
  context.fillStyle = COLOURS.tag;
  context.fillRect(left, plotHeight + 2, width, AXIS_HEIGHT - 4);
  text(frame, label, left + 7, plotHeight + AXIS_HEIGHT / 2, COLOURS.strong);
}

/** Draws grid, axes, volume, candles, marked prices and crosshair; the context's unit is a CSS pixel. */
export function drawChart(context: CanvasRenderingContext2D, scene: ChartScene): void {
  context.clearRect(0, 0, scene.width, scene.height);
  if (scene.candles.length === 0) return;
  context.font = '11px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif';
  context.textBaseline = 'middle';
  context.lineWidth = 1;
  const frame = frameOf(context, scene);
  drawPriceAxis(frame);
  drawTimeAxis(frame);
  drawCandles(frame);
  const volumeMax = scene.candles.reduce((max, { volumeMicros }) => Math.max(max, volumeMicros), 0);
  text(
    frame,
    `Vol ${formatCompact(volumeMax)}`,
    frame.plotWidth + 6,
    frame.plotHeight * (1 - VOLUME_PART) + 10,
    COLOURS.text,
  );
  drawLines(frame);
  drawCross(frame);
}
