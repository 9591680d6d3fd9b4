import type { Command } from 'commander';
import { dropReprocessing } from '../ops/dropReprocessing.ts';
import type { Operation } from '../ops/operation.ts';
import {
  type ReprocessingStatus,
  reprocessingStatus,
  rollBackReprocessing,
  startReprocessing,
  switchReprocessing,
} from '../ops/reprocessing.ts';
import { optionsOf, withAccess } from './context.ts';
import { countText, print, printJson, table, timeText } from './output.ts';

function statusTable(all: readonly ReprocessingStatus[]): string {
  const rows = all.map(({ application, next, state, active, processed, lag, startedAtMs }) => [
    application,
    next,
    state,
    active,
    countText(processed),
    countText(lag),
    timeText(startedAtMs),
  ]);
  return table(['APPLICATION', 'NEW ONE', 'STATE', 'READ', 'PROCESSED', 'BEHIND', 'SINCE'], rows);
}

/** A command that does something to one application and shows what came of it. */
function addStep(
  reprocess: Command,
  name: string,
  description: string,
  operation: Operation<{ readonly application: string }, ReprocessingStatus>,
  told: (status: ReprocessingStatus, mode: 'running' | 'stopped') => string,
): void {
  reprocess
    .command(name)
    .description(description)
    .argument('<application>', 'application id')
    .action((application: string, _options: unknown, command: Command) => {
      const options = optionsOf<unknown>(command);
      return withAccess(options, async (access) => {
        for await (const status of access.run(operation, { application })) {
          if (options.json === true) printJson(status);
          else print(told(status, access.mode));
        }
      });
    });
}

async function status(command: Command): Promise<void> {
  const options = optionsOf<unknown>(command);
  await withAccess(options, async (access) => {
    const all: ReprocessingStatus[] = [];
    for await (const each of access.run(reprocessingStatus, {})) all.push(each);
    if (options.json === true) printJson(all);
    else print(all.length === 0 ? 'No application is built anew.' : statusTable(all));
  });
}

async function drop(application: string, command: Command): Promise<void> {
  const options = optionsOf<unknown>(command);
  await withAccess(options, async (access) => {
    const done = await dropReprocessing(access, application);
    if (options.json === true) printJson(done);
    else
      print(
        done.dropped === 'next'
          ? `the new ${application} is dropped; everything is as it was`
          : `the ${application} there was is dropped, and the new one goes on as ${application}`,
      );
  });
}

/** `opentape reprocess`. */
export function addReprocessCommands(program: Command): void {
  const reprocess = program
    .command('reprocess')
    .description(
      'builds the stores of an application anew from the beginning of its input, beside the present one, and lets readers go over in one step',
    );
  addStep(
    reprocess,
    'start',
    'notes that an application is to be built anew, under an id and with topics of its own, from the next start on',
    startReprocessing,
    ({ next }, mode) =>
      mode === 'running'
        ? `${next} is built from the next start on; start the instance again (on Kafka: the processes that run it)`
        : `${next} is built from the next start on`,
  );
  reprocess
    .command('status')
    .description('what is built anew, how far it has come, and whose stores are read')
    .action((_options: unknown, command: Command) => status(command));
  addStep(
    reprocess,
    'switch',
    'lets readers of the stores go over to the new one, once it is where the present one is; both go on',
    switchReprocessing,
    ({ application, active }) =>
      `the stores of ${application} are read of ${active} from now on; rollback goes back, drop ends it`,
  );
  addStep(
    reprocess,
    'rollback',
    'lets readers of the stores go back to the present one',
    rollBackReprocessing,
    ({ application }) => `the stores of ${application} are its own again`,
  );
  reprocess
    .command('drop')
    .description(
      'drops the one whose stores are not read; where that is the one there was, the new one takes its id. Needs a stopped instance',
    )
    .argument('<application>', 'application id')
    .action((application: string, _options: unknown, command: Command) => drop(application, command));
}
