#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { describeError } from '../log.ts';
import { readVersion } from '../version.ts';
import { type GlobalOptions, optionsOf } from './context.ts';
import { addDlqCommands } from './dlq.ts';
import { EXIT, EXIT_CODES_HELP } from './exitCodes.ts';
import { addLagCommand } from './lag.ts';
import { addOpsCommand } from './ops.ts';
import { addReplayCommand } from './replay.ts';
import { addReprocessCommands } from './reprocess.ts';
import { addResetCommand } from './reset.ts';
import { addStoreCommands } from './store.ts';
import { addTopicCommands } from './topic.ts';
import { addTopologyCommands } from './topology.ts';
import { addVerifyCommand } from './verify.ts';

function programOf(): Command {
  const program = new Command('opentape')
    .description('Looks into an Opentape, running or stopped, and starts one.')
    .version(readVersion())
    .option('--data-dir <directory>', 'the data directory (default: OPENTAPE_DATA_DIR, or .opentape)')
    .option('--json', 'output for programs')
    .addHelpText('after', EXIT_CODES_HELP)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      outputError: (text, write) =>
        write(
          `opentape: ${text
            .replace(/^error: /, '')
            .trim()
            .replaceAll('\n', ' ')}; see --help\n`,
        ),
    });
  addTopologyCommands(program);
  addLagCommand(program);
  addTopicCommands(program);
  addStoreCommands(program);
  addDlqCommands(program);
  addResetCommand(program);
  addReplayCommand(program);
  addReprocessCommands(program);
  addVerifyCommand(program);
  addOpsCommand(program);
  program
    .command('start')
    .description('starts Opentape, as npm start does; settings are environment variables')
    .option(
      '--roles <roles>',
      'on Kafka, what this process does, separated by commas: all, serving, source, or ids of applications (default: OPENTAPE_ROLES, or all)',
    )
    .action(async (_options: unknown, command: Command) => {
      const { dataDir, roles } = optionsOf<GlobalOptions & { readonly roles?: string }>(command);
      if (dataDir !== undefined) process.env.OPENTAPE_DATA_DIR = dataDir;
      if (roles !== undefined) process.env.OPENTAPE_ROLES = roles;
      await import('../main.ts');
    });
  return program;
}

function usage(error: CommanderError): number {
  return error.exitCode === 0 ? 0 : EXIT.usage;
}

async function main(): Promise<void> {
  // Whoever reads may have had enough, as `head` has.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  try {
    await programOf().parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Arguments checked after parsing have not been told yet.
      if (error.code === 'commander.invalidArgument' && !/^error: /.test(error.message))
        process.stderr.write(`opentape: ${error.message}\n`);
      process.exitCode = usage(error);
      return;
    }
    process.stderr.write(`opentape: ${describeError(error)}\n`);
    process.exitCode = EXIT.failed;
  }
}

await main();
