import {
  type Band,
  CAPTIONS,
  LINE_HEIGHT,
  type Shape,
  STORE_GAP,
  STORE_HEIGHT,
  STORE_INDENT,
  storeWidth,
} from './band.ts';
import type { Point } from './layout.ts';
import { bentPath } from './paths.ts';

export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

export function textAt(x: number, y: number, style: string, text: string): string {
  return `<text x="${x}" y="${y}" class="${style}">${escaped(text)}</text>`;
}

/** A cylinder lying in its box, with the name of the store. */
export function storeAt({ x, y }: Point, name: string): string {
  const width = storeWidth(name);
  const right = x + width;
  const bottom = y + STORE_HEIGHT;
  const body = `M${x} ${y + 4}v${STORE_HEIGHT - 8}a${width / 2} 4 0 0 0 ${width} 0V${y + 4}`;
  return [
    `<g><path class="store" d="${body}A${width / 2} 4 0 0 0 ${x} ${y + 4}A${width / 2} 4 0 0 0 ${right} ${y + 4}"/>`,
    `<path class="store rim" d="M${x} ${y + 4}A${width / 2} 4 0 0 1 ${right} ${y + 4}"/>`,
    textAt(x + 12, bottom - 7, 'name', name),
    '</g>',
  ].join('');
}

/** The outline, caption and name of a topic or node. */
export function shapeAt({ x, y }: Point, { kind, lines, width, height }: Shape): string {
  const radius = kind === 'topic' || kind === 'repartition' ? 14 : 5;
  const caption = CAPTIONS[kind];
  const accents = { source: x, sink: x + width - 4, processor: null, topic: null, repartition: null };
  const accent = accents[kind];
  const top = y + 7 + (caption === null ? 0 : 12);
  return [
    `<g><rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}"/>`,
    accent === null
      ? ''
      : `<rect class="accent" x="${accent}" y="${y}" width="4" height="${height}" rx="2"/>`,
    caption === null ? '' : textAt(x + 12, y + 14, 'caption', caption),
    ...lines.map((line, index) => textAt(x + 12, top + 12 + index * LINE_HEIGHT, 'name', line)),
    '</g>',
  ].join('');
}

/** Where the stores below a shape stand. */
function storeCorners({ x, y }: Point, { height, stores }: Shape): readonly Point[] {
  return stores.map((_, index) => ({
    x: x + STORE_INDENT,
    y: y + height + STORE_GAP + index * (STORE_HEIGHT + STORE_GAP),
  }));
}

function hangingStores(corner: Point, shape: Shape): string {
  const corners = storeCorners(corner, shape);
  const rail = corner.x + STORE_INDENT / 2;
  const ticks = corners.map(({ x, y }) => `M${rail} ${corner.y + shape.height}V${y + STORE_HEIGHT / 2}H${x}`);
  return [
    ticks.length === 0 ? '' : `<path class="uses" d="${ticks.at(-1)!}"/>`,
    ...ticks.slice(0, -1).map((tick) => `<path class="uses" d="${tick}"/>`),
    ...corners.map((at, index) => storeAt(at, shape.stores[index]!)),
  ].join('');
}

/** Lines from the processors that use a store of another processor to it: round the left side of those in one column. */
function borrowings({ shapes }: Band, cornerOf: (id: string) => Point): readonly string[] {
  const places = new Map<string, { readonly at: Point; readonly owner: Point }>();
  for (const [id, shape] of shapes) {
    const owner = cornerOf(id);
    for (const [index, at] of storeCorners(owner, shape).entries())
      places.set(shape.stores[index]!, { at, owner });
  }
  return [...shapes].flatMap(([id, { width, height, borrowed }]) =>
    borrowed.map((store) => {
      const { x, y } = cornerOf(id);
      const { at, owner } = places.get(store)!;
      const level = at.y + STORE_HEIGHT / 2;
      const right = at.x + storeWidth(store);
      const bottom = y + height;
      const path =
        owner.x === x
          ? `M${x} ${bottom - 6}C${x - 26} ${bottom - 6} ${x - 26} ${level} ${at.x} ${level}`
          : `M${x + width / 2} ${bottom}C${x + width / 2} ${bottom + 24} ${right + 24} ${level} ${right} ${level}`;
      return `<path class="uses shared" d="${path}"/>`;
    }),
  );
}

/** A band with its upper left corner at a point: the frame around the nodes first, so that all else is on top. */
export function drawBand(
  band: Band,
  { x, y }: Point,
  frame: { readonly top: number; readonly height: number },
): string {
  const { columns, corners, routes } = band.layout;
  const cornerOf = (id: string): Point => {
    const corner = corners.get(id)!;
    return { x: x + corner.x, y: y + corner.y };
  };
  const [first, last] = [columns[1]!, columns[band.lastColumn]!];
  const left = x + first.x - 16;
  const width = Math.max(last.x + last.width - first.x + 32, 24 + band.title.length * 7);
  return [
    `<rect class="frame" x="${left}" y="${frame.top}" width="${width}" height="${frame.height}" rx="8"/>`,
    textAt(left + 12, frame.top + 18, 'heading', band.title),
    ...routes.map((points) => {
      const moved = points.map((point) => ({ x: x + point.x, y: y + point.y }));
      return `<path class="flow" d="${bentPath(moved)}"/>`;
    }),
    ...borrowings(band, cornerOf),
    ...[...band.shapes].map(
      ([id, shape]) => hangingStores(cornerOf(id), shape) + shapeAt(cornerOf(id), shape),
    ),
  ].join('\n');
}
