import { openPlatform } from '../../serving/platform.ts';
import type { EmbeddedLog } from '../../streams/log/embedded/index.ts';
import { copyTopics } from '../../streams/ops/copyTopics.ts';
import { hashStore, hashTopic } from '../../streams/ops/digest.ts';
import { stateAsOfPositions } from '../../streams/ops/stateAsOfPositions.ts';
import type { Application } from '../../topologies/applications.ts';
import { isExternalRecord } from '../../topologies/externalRecords.ts';
import { EXTERNAL_TOPICS } from '../../topologies/topics.ts';
import { DataDirectory } from './dataDirectory.ts';

/** A line for each topic partition and store partition, with its digest. */
async function digests(log: EmbeddedLog, running: readonly Application[]): Promise<readonly string[]> {
  const state = await stateAsOfPositions(log, running);
  const lines: string[] = [];
  for (const name of await log.admin.listTopics()) {
    for (const { topic, partition, records, sha256 } of await hashTopic(log, name))
      lines.push(`${topic} ${partition}: ${records} records ${sha256}`);
  }
  for (const location of state.list()) {
    const { applicationId, storeName, partition, entries, sha256 } = hashStore(state, location);
    lines.push(`${applicationId}/${storeName} ${partition}: ${entries} entries ${sha256}`);
  }
  return lines.sort();
}

/**
 * Feeds what came from outside of one data directory into an empty one, with the applications of `exchangeChild` running there.
 * @returns the digests of both, which must be the same
 */
export async function replayInto(
  emptyDirectory: string,
  directory: string,
): Promise<{ readonly original: readonly string[]; readonly replayed: readonly string[] }> {
  const data = await DataDirectory.open(directory);
  const platform = await openPlatform({
    dataDirectory: emptyDirectory,
    session: 'always',
    marketMakerLevels: 2,
  });
  try {
    await copyTopics(
      data.log,
      platform.engine,
      EXTERNAL_TOPICS.map(({ name }) => name),
      isExternalRecord(platform.serdes),
    );
    return {
      original: await digests(data.log, platform.applications),
      replayed: await digests(platform.engine, platform.applications),
    };
  } finally {
    await platform.close();
    await data.close();
  }
}
