/** The process's own log: one JSON object a line on standard error, or a short line on a terminal. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

const CAUSES_MAX = 5;

/** An error and its causes as one line. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  for (let depth = 0; depth < CAUSES_MAX && current !== undefined && current !== null; depth++) {
    if (!(current instanceof Error)) {
      parts.push(String(current));
      break;
    }
    const { message } = current;
    const code = 'code' in current && typeof current.code === 'string' ? `${current.code}: ` : '';
    // Many messages hold that of their cause.
    if (!parts.some((part) => part.includes(message))) parts.push(`${code}${message}`);
    current = current.cause;
  }
  return parts.join(' <- ').replaceAll('\n', ' ');
}

/**
 * @param level what is written; anything below it is dropped
 * @param write where a finished line goes
 */
export function createLogger(level: LogLevel, write: (line: string) => void, pretty: boolean): Logger {
  const least = ORDER.indexOf(level);
  const log =
    (at: Exclude<LogLevel, 'silent'>) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      if (ORDER.indexOf(at) < least) return;
      const shown = Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [
          name,
          value instanceof Error ? describeError(value) : value,
        ]),
      );
      if (pretty) {
        const details = Object.entries(shown).map(
          ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
        );
        write(
          `${at.toUpperCase().padEnd(5)} ${message}${details.length > 0 ? ` (${details.join(', ')})` : ''}`,
        );
      } else write(JSON.stringify({ time: new Date().toISOString(), level: at, message, ...shown }));
    };
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}
