import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { z } from 'zod';
import { diffTopologies, type TopologyChange } from '../../streams/ops/topologyDiff.ts';
import type { TopologySnapshot } from '../../streams/ops/topologySnapshot.ts';
import { ServingError } from '../errors.ts';
import { deploymentsOperation, snapshotsOf, topologySnapshot } from '../ops/deployments.ts';
import { describedApplications } from '../ops/subject.ts';
import { configOf, type GlobalOptions, optionsOf, withAccess } from './context.ts';
import { EXIT, EXIT_CODES_HELP } from './exitCodes.ts';
import { print, printJson, table } from './output.ts';

interface DiffFlags {
  readonly against?: string;
}

const described = z.array(z.object({ deployment: topologySnapshot }));

/** The descriptions in a file that `topology describe --json` wrote. */
function readDescriptions(path: string): readonly TopologySnapshot[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ServingError('SERVING_NOT_FOUND', `${path} cannot be read`, { cause });
  }
  try {
    return described.parse(JSON.parse(text)).map(({ deployment }) => deployment);
  } catch (cause) {
    throw new ServingError(
      'SERVING_NOT_FOUND',
      `${path} is not what topology describe --json writes; write one with it`,
      { cause },
    );
  }
}

interface Compared {
  readonly snapshots: readonly TopologySnapshot[];
  /** Where they are from, for people. */
  readonly from: string;
}

async function deployed(options: GlobalOptions): Promise<Compared> {
  return withAccess(options, async (access, config) => {
    const snapshots: TopologySnapshot[] = [];
    const starts = new Set<string>();
    for await (const { topology, version, deployedAt } of access.run(deploymentsOperation, {})) {
      snapshots.push(topology);
      starts.add(`${version} of ${deployedAt}`);
    }
    if (snapshots.length === 0)
      throw new ServingError(
        'SERVING_NOT_FOUND',
        `${config.dataDirectory} does not say what was deployed: no start of this version or a later one has noted it; start once, or compare with a file by --against`,
      );
    return { snapshots, from: `what is deployed (${[...starts].sort().join('; ')})` };
  });
}

function ofApplication(
  { applicationId }: { readonly applicationId: string },
  wanted: string | undefined,
): boolean {
  return wanted === undefined || applicationId === wanted;
}

async function diff(application: string | undefined, command: Command): Promise<void> {
  const options = optionsOf<DiffFlags>(command);
  const config = configOf(options);
  const after = snapshotsOf(await describedApplications(config), config.engine);
  const before: Compared =
    options.against === undefined
      ? await deployed(options)
      : { snapshots: readDescriptions(options.against), from: options.against };
  const all = [...after, ...before.snapshots].map(({ applicationId }) => applicationId);
  if (application !== undefined && !all.includes(application))
    throw new ServingError(
      'SERVING_NOT_FOUND',
      `there is no application ${application}; applications: ${[...new Set(all)].join(', ')}`,
    );
  const changes = diffTopologies(before.snapshots, after).filter((change) =>
    ofApplication(change, application),
  );
  if (options.json === true) printJson({ comparedWith: before.from, changes });
  else if (changes.length === 0)
    print(`A deployment changes nothing: the topologies are those of ${before.from}.`);
  else printChanges(before.from, changes);
  if (changes.length > 0) process.exitCode = EXIT.different;
}

function printChanges(from: string, changes: readonly TopologyChange[]): void {
  print(`Deploying this version over ${from}:\n`);
  const rows = changes.map(({ kind, applicationId, what, consequence }) => [
    kind,
    applicationId,
    what,
    consequence,
  ]);
  print(table(['EFFECT', 'APPLICATION', 'WHAT', 'MEANING'], rows));
}

/** `opentape topology diff`. */
export function addTopologyDiff(topology: Command): void {
  topology
    .command('diff')
    .description(
      'what deploying this version would orphan, add, repartition or fail to read, compared with what the last start deployed',
    )
    .argument('[application]', 'application id; left out: all')
    .option('--against <file>', 'compare with a file that topology describe --json wrote')
    .addHelpText('after', EXIT_CODES_HELP)
    .action((application: string | undefined, _options: unknown, command: Command) =>
      diff(application, command),
    );
}
