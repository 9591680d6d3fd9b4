import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { ServingError } from '../errors.ts';
import { DirectAccess } from '../ops/direct.ts';
import { openAccess } from '../ops/open.ts';
import { RemoteAccess } from '../ops/remote.ts';
import { configOf, optionsOf } from './context.ts';
import { print, printJson } from './output.ts';

interface OpsFlags {
  readonly open?: boolean;
}

/** Shows an address in the browser of whoever runs this. A machine without one is told the address anyway. */
function showInBrowser(url: string): void {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(program, [url], { stdio: 'ignore', detached: true });
  child.on('error', () =>
    process.stderr.write(`opentape: ${program} is not there; open the address yourself\n`),
  );
  child.unref();
}

async function ops(command: Command): Promise<void> {
  const flags = optionsOf<OpsFlags>(command);
  const config = configOf(flags);
  const access = await openAccess(config);
  try {
    const running = access instanceof DirectAccess ? access.near : access;
    if (!(running instanceof RemoteAccess))
      throw new ServingError(
        'SERVING_UNREACHABLE',
        `no instance runs on ${config.dataDirectory}, so there is no page; start one`,
      );
    const url = await running.pageUrl();
    if (flags.json === true) printJson({ url });
    else print(`${url}\nThe address signs in once, within a minute.`);
    if (flags.open === true) showInBrowser(url);
  } finally {
    await access.close();
  }
}

/** `opentape ops`. */
export function addOpsCommand(program: Command): void {
  program
    .command('ops')
    .description('prints an address that signs in at the live page of the topologies, once')
    .option('--open', 'show it in a browser')
    .action((_options: unknown, command: Command) => ops(command));
}
