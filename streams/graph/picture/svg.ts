import type { TopologyDescription } from '../describe.ts';
import { type Band, bandsOf, type ShapeKind, STORE_HEIGHT, storeWidth, textWidth } from './band.ts';
import { drawBand, escaped, shapeAt, storeAt, textAt } from './drawBand.ts';
import type { Point } from './layout.ts';
import { squarePath } from './paths.ts';
import { STYLE } from './style.ts';

/** A topology with the name that stands above it. */
export interface TitledTopology {
  readonly title: string;
  readonly description: TopologyDescription;
}

const MARGIN = 24;
const TITLE_HEIGHT = 40;
const FRAME_TOP = 30;
const FRAME_BOTTOM = 14;
const BAND_GAP = 26;
const LANE = 9;
const LEGEND_HEIGHT = 64;

/** A topic that one band writes and one reads. */
interface Passage {
  readonly topic: string;
  readonly from: number;
  readonly to: number;
}

function passagesOf(bands: readonly Band[]): readonly Passage[] {
  return bands.flatMap(({ written }, from) =>
    [...written.keys()].flatMap((topic) =>
      bands.flatMap(({ read }, to) => (read.has(topic) ? [{ topic, from, to }] : [])),
    ),
  );
}

function widthOf({ layout: { columns } }: Band): number {
  const last = columns[columns.length - 1]!;
  return last.x + last.width;
}

interface Section {
  readonly body: string;
  readonly width: number;
  readonly bottom: number;
}

/** The bands of one topology below its title, and the ways of topics from one band to another: around the frames, each in a lane of its own. */
function section({ title, description }: TitledTopology, top: number): Section {
  const bands = bandsOf(description);
  const passages = passagesOf(bands);
  const left = MARGIN + (passages.length === 0 ? 0 : LANE * (passages.length + 1));
  const corners: Point[] = [];
  const gutters: number[] = [];
  const drawn: string[] = [];
  let y = top + TITLE_HEIGHT;
  for (const [index, band] of bands.entries()) {
    const corner = { x: left, y: y + FRAME_TOP };
    const height = FRAME_TOP + band.layout.height + FRAME_BOTTOM;
    corners.push(corner);
    gutters.push(y + height);
    drawn.push(drawBand(band, corner, { top: y, height }));
    y += height + BAND_GAP + LANE * passages.filter(({ from }) => from === index).length;
  }
  const edge = (band: number, id: string, side: 'left' | 'right'): Point => {
    const corner = bands[band]!.layout.corners.get(id)!;
    const shape = bands[band]!.shapes.get(id)!;
    const x = corners[band]!.x + corner.x + (side === 'right' ? shape.width : 0);
    return { x, y: corners[band]!.y + corner.y + shape.height / 2 };
  };
  const lanes = passages.map(({ topic, from, to }, lane) => {
    const start = edge(from, bands[from]!.written.get(topic)!, 'right');
    const end = edge(to, bands[to]!.read.get(topic)!, 'left');
    const own = passages.slice(0, lane).filter((other) => other.from === from).length;
    const right = left + widthOf(bands[from]!) + LANE * (own + 1);
    const gutter = gutters[from]! + BAND_GAP / 2 + LANE * own;
    const outer = left - LANE * (lane + 1);
    const points = [
      start,
      { x: right, y: start.y },
      { x: right, y: gutter },
      { x: outer, y: gutter },
      { x: outer, y: end.y },
      end,
    ];
    return `<path class="passage" d="${squarePath(points)}"/>`;
  });
  const lanesWide = LANE * (passages.length + 1);
  return {
    body: [textAt(MARGIN, top + 24, 'title', title), ...drawn, ...lanes].join('\n'),
    width: Math.max(...bands.map((band) => left + widthOf(band) + lanesWide), textWidth(title, 16) + MARGIN),
    bottom: y,
  };
}

/** What each shape stands for, in a row. */
function legend(top: number): { readonly body: string; readonly width: number } {
  const kinds: readonly (readonly [ShapeKind, string])[] = [
    ['topic', 'topic'],
    ['repartition', 'own'],
    ['source', 'reads'],
    ['processor', 'processor'],
    ['sink', 'writes'],
  ];
  let x = MARGIN;
  const parts = kinds.map(([kind, name]) => {
    const width =
      Math.max(textWidth(name), kind === 'repartition' ? textWidth('repartition topic', 10) : 0) + 24;
    const height = kind === 'topic' || kind === 'processor' ? 29 : 41;
    const shape = { kind, name, lines: [name], width, height, stores: [], borrowed: [] };
    const drawn = shapeAt({ x, y: top + (41 - height) / 2 }, shape);
    x += width + 16;
    return drawn;
  });
  parts.push(storeAt({ x, y: top + (41 - STORE_HEIGHT) / 2 }, 'store'));
  return { body: parts.join('\n'), width: x + storeWidth('store') };
}

function list(names: Iterable<string>): string {
  return [...names].join(', ') || 'nothing';
}

/** The picture in words, for those who do not see it. */
function inWords({ title, description }: TitledTopology): string {
  return bandsOf(description)
    .map(({ title: band, shapes, read, written }) => {
      const stores = [...shapes.values()].flatMap((shape) => shape.stores);
      return `${title}, ${band}: reads ${list(read.keys())}; keeps ${list(stores)}; writes ${list(written.keys())}.`;
    })
    .join(' ');
}

/**
 * Topologies as an SVG, one below the other: a frame for each sub-topology with its nodes and stores, the topics they read on its left and
 * those they write on its right, and dashed lines where a topic leads from one to another. It follows the reader's light or dark colours,
 * and has its text in words. The same topologies give the same bytes.
 */
export function drawTopologies(topologies: readonly TitledTopology[]): string {
  const sections: Section[] = [];
  let y = MARGIN / 2;
  for (const topology of topologies) {
    const made = section(topology, y);
    sections.push(made);
    y = made.bottom;
  }
  const key = legend(y + 8);
  const width = Math.ceil(Math.max(key.width, ...sections.map((each) => each.width)) + MARGIN);
  const height = Math.ceil(y + LEGEND_HEIGHT);
  const name = `Topology of ${topologies.map(({ title }) => title).join(', ')}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="topology-title topology-description" class="topology">`,
    `<title id="topology-title">${escaped(name)}</title>`,
    `<desc id="topology-description">${escaped(topologies.map(inWords).join(' '))}</desc>`,
    STYLE,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    ...sections.map(({ body }) => body),
    key.body,
    '</svg>\n',
  ].join('\n');
}
