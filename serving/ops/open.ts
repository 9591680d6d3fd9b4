import { LogError } from '../../streams/log/errors.ts';
import type { Config } from '../config.ts';
import { ServingError } from '../errors.ts';
import type { OperatorAccess } from './access.ts';
import { DirectAccess } from './direct.ts';
import { readInstance } from './instance.ts';
import { RemoteAccess } from './remote.ts';
import { checkDataDirectory } from './subject.ts';

/**
 * The way to the data: over the running instance where there is one, else in its data directory; on Kafka in the cluster, beside the process of
 * the data directory where one runs. A file left by an instance that was killed is passed over.
 * @throws ServingError SERVING_NOT_FOUND, SERVING_UNREACHABLE; LogError; SchemaError
 */
export async function openAccess(config: Config): Promise<OperatorAccess> {
  const instance = readInstance(config.dataDirectory);
  const remote = instance === null ? null : await RemoteAccess.connect(instance);
  if (config.engine.kind === 'kafka') return DirectAccess.open(config, remote);
  if (remote !== null) return remote;
  checkDataDirectory(config.dataDirectory);
  try {
    return await DirectAccess.open(config);
  } catch (cause) {
    if (!(cause instanceof LogError && cause.code === 'LOG_DIRECTORY_IN_USE')) throw cause;
    const how =
      instance === null
        ? 'tells nobody where it listens: it may be starting or stopping, so try again'
        : `does not answer at ${instance.url} (process ${instance.pid})`;
    throw new ServingError(
      'SERVING_UNREACHABLE',
      `${config.dataDirectory} is in use by a process that ${how}`,
      {
        cause,
      },
    );
  }
}
