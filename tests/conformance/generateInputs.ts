/** Draws the records of a case: out of order, late, of equal time, without key or value, over all topics in turn. */
import type { InputSpec, ValueType } from './spec.ts';

export type Random = (below: number) => number;

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[random(items.length)]!;
}

/** Whether something of so many in a hundred comes to pass. */
export function chance(random: Random, percent: number): boolean {
  return random(100) < percent;
}

const KEYS = ['a', 'b', 'c', 'd', 'm0', 'm1', 'k0', 'k1', 'all', 'p', 'q'] as const;
const LETTERS = 'pqrs';

function textOf(random: Random, mayBeEmpty: boolean): string {
  if (mayBeEmpty && chance(random, 4)) return '';
  return Array.from({ length: 1 + random(3) }, () => LETTERS[random(LETTERS.length)]).join('');
}

function drawnValue(random: Random, type: ValueType, mayBeEmpty: boolean): string | number | null {
  if (chance(random, 14)) return null;
  return type === 'text' ? textOf(random, mayBeEmpty) : random(26) - 5;
}

/** The next time: mostly a little later, at times the same, a leap ahead, or back by little or much. */
function nextTime(random: Random, now: number): number {
  const kind = random(100);
  if (kind < 20) return now;
  if (kind < 65) return now + random(8);
  if (kind < 78) return Math.max(0, now - random(10));
  if (kind < 88) return Math.max(0, now - random(60));
  return now + random(50);
}

function headersOf(random: Random): Pick<InputSpec, 'headers'> {
  if (!chance(random, 30)) return {};
  const value = chance(random, 20) ? null : String(random(10));
  const first = ['h', value] as const;
  return { headers: chance(random, 20) ? [first, ['h', 'again']] : [first] };
}

export function generateInputs(
  random: Random,
  topics: ReadonlyMap<string, ValueType>,
  { emptyTexts, nullKeys }: { readonly emptyTexts: boolean; readonly nullKeys: boolean },
): InputSpec[] {
  const names = [...topics.keys()];
  const keys = KEYS.slice(0, chance(random, 60) ? 4 : KEYS.length);
  let now = random(30);
  let latest = now;
  return Array.from({ length: 8 + random(28) }, () => {
    const topic = pick(random, names);
    now = nextTime(random, chance(random, 70) ? latest : now);
    latest = Math.max(latest, now);
    return {
      topic,
      key: chance(random, 6) && nullKeys ? null : pick(random, keys),
      value: drawnValue(random, topics.get(topic)!, emptyTexts),
      timestamp: now,
      ...headersOf(random),
    };
  });
}
