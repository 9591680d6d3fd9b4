/** Times are shown as the exchange has them: in New York. */
const ZONE = 'America/New_York';

const clock = new Intl.DateTimeFormat('en-US', { timeZone: ZONE, hourCycle: 'h23', timeStyle: 'medium' });
const minute = new Intl.DateTimeFormat('en-US', {
  timeZone: ZONE,
  hourCycle: 'h23',
  hour: '2-digit',
  minute: '2-digit',
});
const day = new Intl.DateTimeFormat('en-US', { timeZone: ZONE, month: 'short', day: 'numeric' });

/** `14:03:09` */
export function clockTime(timestampMs: number): string {
  return clock.format(timestampMs);
}

/** `14:03` */
export function minuteTime(timestampMs: number): string {
  return minute.format(timestampMs);
}

/** `Oct 7` */
export function dayText(timestampMs: number): string {
  return day.format(timestampMs);
}

/** `Oct 7 14:03` */
export function dayAndMinute(timestampMs: number): string {
  return `${dayText(timestampMs)} ${minuteTime(timestampMs)}`;
}
