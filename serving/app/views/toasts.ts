import type { Notice } from '../trading/notices.ts';
import { byId, make } from './dom.ts';

const SHOWN_MAX = 4;
const SHOWN_MS = 6_000;

/** Shows a notice for some seconds. */
export function toast({ kind, text }: Notice): void {
  const box = byId('toasts', HTMLDivElement);
  const line = make('div', { className: `toast ${kind}`, text });
  box.append(line);
  while (box.childElementCount > SHOWN_MAX) box.firstElementChild?.remove();
  setTimeout(() => line.remove(), SHOWN_MS);
}
