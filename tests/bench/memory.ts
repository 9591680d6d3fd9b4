import { readFileSync } from 'node:fs';

/** What this process holds of memory now. */
export const residentMiB = (): number => Math.round(process.memoryUsage.rss() / 2 ** 20);

/** The most it ever held; elsewhere than on Linux, what it holds now. */
export function peakMiB(): number {
  if (process.platform !== 'linux') return residentMiB();
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) / 1024);
}
