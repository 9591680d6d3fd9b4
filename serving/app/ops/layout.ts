import { layersOf, nameOf } from './layers.ts';
import type { Edge } from './model.ts';

export const NODE_WIDTH = 148;
export const NODE_HEIGHT = 46;
const GAP_X = 36;
const GAP_Y = 20;
const BEND_HEIGHT = 10;
const LANE = 13;
const MARGIN = 12;
/** Room between the vertical parts of edges that lead back through the same gap. */
const GAP_STEP = 6;
const CORNER = 6;

export interface PlacedNode {
  readonly id: string;
  /** Left upper corner. */
  readonly x: number;
  readonly y: number;
}

export interface PlacedEdge {
  readonly edge: Edge;
  readonly back: boolean;
  /** An SVG path. */
  readonly path: string;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A curve through points, level at each of them. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  let path = `M${first!.x},${first!.y}`;
  let from = first!;
  for (const to of rest) {
    const middle = (from.x + to.x) / 2;
    path += ` C${middle},${from.y} ${middle},${to.y} ${to.x},${to.y}`;
    from = to;
  }
  return path;
}

/** Straight parts with round corners. */
function corners(points: readonly Point[]): string {
  let path = `M${points[0]!.x},${points[0]!.y}`;
  for (let index = 1; index < points.length - 1; index += 1) {
    const [before, at, after] = [points[index - 1]!, points[index]!, points[index + 1]!];
    const toward = (other: Point): Point => {
      const length = Math.hypot(other.x - at.x, other.y - at.y) || 1;
      const step = Math.min(CORNER, length / 2);
      return { x: at.x + ((other.x - at.x) / length) * step, y: at.y + ((other.y - at.y) / length) * step };
    };
    const [enter, leave] = [toward(before), toward(after)];
    path += ` L${enter.x},${enter.y} Q${at.x},${at.y} ${leave.x},${leave.y}`;
  }
  const last = points[points.length - 1]!;
  return `${path} L${last.x},${last.y}`;
}

/** Places a graph: forward edges as curves from left to right, those that lead back around below. */
export function layOut(nodes: readonly string[], edges: readonly Edge[]): Layout {
  const { columns, bends, back } = layersOf(nodes, edges);
  const heights = columns.map((column) =>
    column.reduce((sum, { bend }) => sum + (bend ? BEND_HEIGHT : NODE_HEIGHT) + GAP_Y, -GAP_Y),
  );
  const tallest = Math.max(...heights, NODE_HEIGHT);
  const corner = new Map<string, Point>();
  const middle = new Map<string, Point>();
  for (const [index, column] of columns.entries()) {
    const x = MARGIN + index * (NODE_WIDTH + GAP_X);
    let y = MARGIN + (tallest - heights[index]!) / 2;
    for (const { id, bend } of column) {
      const height = bend ? BEND_HEIGHT : NODE_HEIGHT;
      corner.set(id, { x, y });
      middle.set(id, { x: x + NODE_WIDTH / 2, y: y + height / 2 });
      y += height + GAP_Y;
    }
  }
  let lane = 0;
  const placed = edges.map((edge): PlacedEdge => {
    const [from, to] = [middle.get(edge.from)!, middle.get(edge.to)!];
    const start = { x: from.x + NODE_WIDTH / 2, y: from.y };
    const end = { x: to.x - NODE_WIDTH / 2, y: to.y };
    if (!back.has(nameOf(edge))) {
      const through = (bends.get(nameOf(edge)) ?? []).flatMap((id) => {
        const { x, y } = middle.get(id)!;
        return [
          { x: x - NODE_WIDTH / 2, y },
          { x: x + NODE_WIDTH / 2, y },
        ];
      });
      return { edge, back: false, path: curve([start, ...through, end]) };
    }
    lane += 1;
    const below = MARGIN + tallest + lane * LANE;
    const away = 8 + (lane % 5) * GAP_STEP;
    return {
      edge,
      back: true,
      path: corners([
        start,
        { x: start.x + away, y: start.y },
        { x: start.x + away, y: below },
        { x: end.x - away, y: below },
        { x: end.x - away, y: end.y },
        end,
      ]),
    };
  });
  return {
    width: 2 * MARGIN + columns.length * NODE_WIDTH + (columns.length - 1) * GAP_X,
    height: 2 * MARGIN + tallest + (lane > 0 ? (lane + 1) * LANE : 0),
    nodes: nodes.map((id) => ({ id, ...corner.get(id)! })),
    edges: placed,
  };
}
