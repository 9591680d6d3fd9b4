const GROUPED = new Intl.NumberFormat('en-US');
const SHORT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

export function count(value: number): string {
  return GROUPED.format(value);
}

/** A count in little room: 12,345 as 12.3K. */
export function shortCount(value: number): string {
  return value < 10_000 ? GROUPED.format(value) : SHORT.format(value);
}

/** A length of time in its two largest units. */
export function duration(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.max(0, Math.floor(ms / 1_000))} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min ${Math.floor((ms % MINUTE_MS) / 1_000)} s`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h ${Math.floor((ms % HOUR_MS) / MINUTE_MS)} min`;
  return `${Math.floor(ms / DAY_MS)} d ${Math.floor((ms % DAY_MS) / HOUR_MS)} h`;
}

/** A name that fits a node: its middle gives way to an ellipsis. */
export function fitted(name: string, characters: number): string {
  if (name.length <= characters) return name;
  const half = Math.floor((characters - 1) / 2);
  return `${name.slice(0, characters - 1 - half)}…${name.slice(-half)}`;
}
