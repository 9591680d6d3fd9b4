import { type Command, InvalidArgumentError } from 'commander';
import { type Config, readConfig } from '../config.ts';
import type { OperatorAccess } from '../ops/access.ts';
import { openAccess } from '../ops/open.ts';

/** Options every command takes. */
export interface GlobalOptions {
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** The settings of the environment, with the data directory of the command line. */
export function configOf({ dataDir }: GlobalOptions): Config {
  return readConfig(dataDir === undefined ? process.env : { ...process.env, OPENTAPE_DATA_DIR: dataDir });
}

/** Does something with the data, and closes it whatever happens. */
export async function withAccess<T>(
  options: GlobalOptions,
  body: (access: OperatorAccess, config: Config) => Promise<T>,
): Promise<T> {
  const config = configOf(options);
  const access = await openAccess(config);
  try {
    return await body(access, config);
  } finally {
    await access.close();
  }
}

/** A whole number of at least `min` as an argument. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max))
      throw new InvalidArgumentError(
        max === Number.MAX_SAFE_INTEGER
          ? `a whole number of at least ${min} is expected`
          : `a whole number from ${min} to ${max} is expected`,
      );
    return value;
  };
}

/** The options of a command with those of all commands. */
export function optionsOf<T>(command: Command): T & GlobalOptions {
  return command.optsWithGlobals<T & GlobalOptions>();
}
