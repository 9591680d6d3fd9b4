/**
 * The client of the quotes benchmark, in a process of its own: subscribes to symbols over Socket.IO and measures the age of what comes. Started by
 * quotes.ts with the server's address and the number of symbols; answers `report` with what came since the last one.
 */
import { io } from 'socket.io-client';
import parser from 'socket.io-msgpack-parser';

interface Quote {
  readonly symbol: string;
  readonly time: number;
}

/** What a client tells of the time between two reports. Ages in milliseconds, counted by their whole number; the last is for all above. */
export interface ClientReport {
  readonly updates: number;
  readonly messages: number;
  readonly agesMs: readonly number[];
  readonly cpuShare: number;
}

const AGES = 10_001;
const [url, count] = process.argv.slice(2) as [string, string];
const symbols = Array.from({ length: Number(count) }, (_, index) => `S${index}`);
let agesMs = new Array<number>(AGES).fill(0);
let updates = 0;
let messages = 0;
let cpu = process.cpuUsage();
let sinceMs = performance.now();

const socket = io(url, { parser, transports: ['websocket'], reconnection: false });
socket.on('quotes', (quotes: readonly Quote[]) => {
  const nowMs = Date.now();
  messages += 1;
  updates += quotes.length;
  for (const { time } of quotes) agesMs[Math.min(AGES - 1, Math.max(0, nowMs - time))]! += 1;
});
socket.on('disconnect', (reason) => {
  process.send?.({ failed: `disconnected: ${reason}` });
  process.exit(1);
});
const answer = (await socket.emitWithAck('subscribe', { channel: 'quotes', symbols })) as {
  readonly ok: boolean;
};
process.send?.({ subscribed: answer.ok });
process.on('message', () => {
  const used = process.cpuUsage(cpu);
  const report: ClientReport = {
    updates,
    messages,
    agesMs,
    cpuShare: (used.user + used.system) / 1000 / (performance.now() - sinceMs),
  };
  process.send?.(report);
  agesMs = new Array<number>(AGES).fill(0);
  updates = 0;
  messages = 0;
  cpu = process.cpuUsage();
  sinceMs = performance.now();
});
process.on('disconnect', () => process.exit(0));
