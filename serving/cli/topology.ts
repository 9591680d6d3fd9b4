import { writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { drawTopologies, type TopologyDescription } from '../../streams/index.ts';
import { ServingError } from '../errors.ts';
import { describeError } from '../log.ts';
import { snapshotsOf } from '../ops/deployments.ts';
import { describedApplications } from '../ops/subject.ts';
import { configOf, optionsOf } from './context.ts';
import { print, printJson } from './output.ts';
import { addTopologyDiff } from './topologyDiff.ts';

interface DescribeOptions {
  readonly mermaid?: boolean;
  readonly svg?: string;
}

/** @throws ServingError SERVING_OUTPUT_FILE where the file cannot be written */
async function writeSvg(
  file: string,
  described: readonly { readonly applicationId: string; readonly description: TopologyDescription }[],
): Promise<void> {
  const titled = described.map(({ applicationId, description }) => ({ title: applicationId, description }));
  try {
    await writeFile(file, drawTopologies(titled));
  } catch (cause) {
    throw new ServingError('SERVING_OUTPUT_FILE', `${file} cannot be written: ${describeError(cause)}`, {
      cause,
    });
  }
}

async function describe(
  application: string | undefined,
  options: DescribeOptions & { json?: boolean; dataDir?: string },
) {
  const forms = [options.mermaid === true, options.json === true, options.svg !== undefined];
  if (forms.filter((form) => form).length > 1)
    throw new InvalidArgumentError('--mermaid, --svg and --json exclude one another; name one of them');
  const config = configOf(options);
  const all = await describedApplications(config);
  const wanted =
    application === undefined ? all : all.filter(({ applicationId }) => applicationId === application);
  if (wanted.length === 0) {
    throw new ServingError(
      'SERVING_NOT_FOUND',
      `there is no application ${application}; applications: ${all.map(({ applicationId }) => applicationId).join(', ')}`,
    );
  }
  const described = wanted.map(({ applicationId, topology }) => ({
    applicationId,
    description: topology.describe(),
  }));
  if (options.svg !== undefined) {
    await writeSvg(options.svg, described);
    return;
  }
  if (options.json === true) {
    const snapshots = snapshotsOf(wanted, config.engine);
    printJson(
      described.map(({ applicationId, description }) => ({
        application: applicationId,
        subtopologies: description.subtopologies,
        globalStores: description.globalStores,
        internalTopics: description.internalTopics,
        deployment: snapshots.find((snapshot) => snapshot.applicationId === applicationId),
      })),
    );
    return;
  }
  for (const { applicationId, description } of described) {
    if (options.mermaid === true) print(`%% ${applicationId}\n${description.toMermaid()}\n`);
    else print(`Application: ${applicationId}\n${description.toString()}`);
  }
}

/** `opentape topology`: the topologies as code; only to compare them with what is deployed a data directory is needed. */
export function addTopologyCommands(program: Command): void {
  const topology = program.command('topology').description('the stream topologies');
  topology
    .command('describe')
    .description("sub-topologies, nodes, topics and stores of one application or all, as Kafka Streams' text")
    .argument('[application]', 'application id; left out: all')
    .option('--mermaid', 'as a Mermaid flowchart')
    .option('--svg <file>', 'as a picture, written to the file')
    .action((application: string | undefined, _options: unknown, command: Command) =>
      describe(application, optionsOf<DescribeOptions>(command)),
    );
  addTopologyDiff(topology);
}
