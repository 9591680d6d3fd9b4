import type { Point } from './layout.ts';

const CORNER = 7;

/** A line through the points of a route: bent between columns, straight within one. */
export function bentPath(points: readonly Point[]): string {
  const [first, ...rest] = points as [Point, ...Point[]];
  let previous = first;
  const steps = rest.map((point) => {
    const { x, y } = previous;
    previous = point;
    if (point.y === y) return `H${point.x}`;
    const middle = (x + point.x) / 2;
    return `C${middle} ${y} ${middle} ${point.y} ${point.x} ${point.y}`;
  });
  return `M${first.x} ${first.y}${steps.join('')}`;
}

function towards(from: Point, to: Point): Point {
  const length = Math.abs(to.x - from.x) + Math.abs(to.y - from.y);
  const share = Math.min(CORNER, length / 2) / (length || 1);
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

/** Level and upright lines through the points, with round corners. */
export function squarePath(points: readonly Point[]): string {
  const [first] = points as [Point, ...Point[]];
  const steps = points.slice(1).map((point, index) => {
    const next = points[index + 2];
    if (next === undefined) return `L${point.x} ${point.y}`;
    const [before, after] = [towards(point, points[index]!), towards(point, next)];
    return `L${before.x} ${before.y}Q${point.x} ${point.y} ${after.x} ${after.y}`;
  });
  return `M${first.x} ${first.y}${steps.join('')}`;
}
