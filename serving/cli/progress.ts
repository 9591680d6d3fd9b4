import { countText } from './output.ts';

const WIDTH = 28;
const REDRAW_MS = 100;
/** Before that there is no rate worth telling. */
const RATE_AFTER_MS = 500;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** A time left, in its two largest units. */
function timeLeft(ms: number): string {
  if (!Number.isFinite(ms)) return '';
  if (ms < MINUTE_MS) return `${Math.ceil(ms / SECOND_MS)} s left`;
  if (ms < HOUR_MS)
    return `${Math.floor(ms / MINUTE_MS)} min ${Math.floor((ms % MINUTE_MS) / SECOND_MS)} s left`;
  return `${Math.floor(ms / HOUR_MS)} h ${Math.floor((ms % HOUR_MS) / MINUTE_MS)} min left`;
}

/** One line of a bar. @param total 0: not known, so that only the count and the rate are shown */
export function barText(label: string, done: number, total: number, elapsedMs: number): string {
  const known = elapsedMs >= RATE_AFTER_MS;
  const rate = known ? (done * SECOND_MS) / elapsedMs : 0;
  const speed = known ? `  ${countText(Math.round(rate))}/s` : '';
  if (total <= 0) return `${label}  ${countText(done)}${speed}`;
  const part = Math.min(1, done / total);
  const filled = Math.round(part * WIDTH);
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}]`;
  const left = rate > 0 && done < total ? `  ${timeLeft(((total - done) / rate) * SECOND_MS)}` : '';
  return `${label}  ${bar} ${Math.floor(part * 100)}%  ${countText(done)} of ${countText(total)}${speed}${left}`;
}

/** A bar on standard error, where that is a terminal; elsewhere nothing is written. */
export class ProgressBar {
  readonly #label: string;
  readonly #shown: boolean;
  readonly #startedMs = performance.now();
  #drawnMs = Number.NEGATIVE_INFINITY;

  constructor(label: string, stream: { readonly isTTY?: boolean } = process.stderr) {
    this.#label = label;
    this.#shown = stream.isTTY === true;
  }

  update(done: number, total: number): void {
    const nowMs = performance.now();
    if (!this.#shown || nowMs - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = nowMs;
    process.stderr.write(`\r\x1b[2K${barText(this.#label, done, total, nowMs - this.#startedMs)}`);
  }

  /** Removes it: what was done is told by the command. */
  end(): void {
    if (this.#shown && Number.isFinite(this.#drawnMs)) process.stderr.write('\r\x1b[2K');
  }
}
