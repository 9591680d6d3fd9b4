import type { MarketSource } from '../connectors/sources/source.ts';
import type { Logger } from './log.ts';

/** How often the progress of a replay is told of. */
const INTERVAL_MS = 10_000;

/**
 * Tells how far a source that has an end has come, now and then and at its end.
 * @param nowMs the time of day, or any clock in milliseconds that does not go back
 * @returns ends it
 */
export function reportProgress(
  source: MarketSource,
  logger: Logger,
  nowMs: () => number,
  intervalMs = INTERVAL_MS,
): () => void {
  let [lastRecords, lastMs] = [source.progress().records, nowMs()];
  const tell = (message: string): void => {
    const { records, marketTimeMs, done, stage } = source.progress();
    if (done === null) return;
    const elapsedMs = Math.max(1, nowMs() - lastMs);
    logger.info(message, {
      source: source.name,
      done: `${(done * 100).toFixed(done < 0.01 ? 3 : 1)}%`,
      ...(stage === null ? {} : { day: stage }),
      marketTime: marketTimeMs === null ? null : new Date(marketTimeMs).toISOString(),
      records,
      recordsPerSecond: Math.round(((records - lastRecords) * 1_000) / elapsedMs),
    });
    [lastRecords, lastMs] = [records, nowMs()];
  };
  const timer = setInterval(() => tell('replaying the market'), intervalMs);
  timer.unref();
  const end = (): void => clearInterval(timer);
  source.finished.then(
    () => {
      end();
      if (source.progress().finished) tell('the replay is finished');
    },
    // Whoever waits for the source tells of its failure.
    end,
  );
  return end;
}
