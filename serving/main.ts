#!/usr/bin/env node
import { readConfig } from './config.ts';
import { createLogger, describeError } from './log.ts';
import { startOpentape } from './start.ts';
import { welcome } from './welcome.ts';

/** Time after the first signal before the process ends without finishing what it does. */
const SHUTDOWN_LIMIT_MS = 15_000;

function fail(error: unknown): never {
  process.stderr.write(`opentape: ${describeError(error)}\n`);
  process.exit(1);
}

/**
 * As a crash would, which every directory and transaction survives: a regular exit waits for clients of Kafka, which wait for brokers that may not
 * be there.
 */
function endAtOnce(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** A fault of ours that nobody caught: what runs on could be wrong, and keep its partitions from those that are right. */
function crash(error: unknown): void {
  process.stderr.write(`opentape: ${describeError(error)}\n`);
  if (error instanceof Error && error.stack !== undefined) process.stderr.write(`${error.stack}\n`);
  endAtOnce();
}

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const logger = createLogger(
    config.logLevel,
    (line) => process.stderr.write(`${line}\n`),
    process.stderr.isTTY === true,
  );
  process.on('uncaughtException', crash);
  let ending = false;
  const end = (signal: NodeJS.Signals): void => {
    if (ending) endAtOnce();
    ending = true;
    logger.info('stopping', { signal });
    setTimeout(() => {
      logger.error('did not stop in time', { limitMs: SHUTDOWN_LIMIT_MS });
      endAtOnce();
    }, SHUTDOWN_LIMIT_MS).unref();
    // A start under way comes to its end first: nothing is left half open.
    starting.then((running) => running.close()).then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  const starting = startOpentape(config, logger);
  const running = await starting;
  if (!ending) process.stdout.write(welcome(running));
}

main().catch(fail);
