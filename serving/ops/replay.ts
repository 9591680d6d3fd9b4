import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SCHEMAS_TOPIC } from '../../schemas/registry/embedded.ts';
import { EmbeddedLog } from '../../streams/log/embedded/index.ts';
import { copyTopics } from '../../streams/ops/copyTopics.ts';
import { hashStore, hashTopic } from '../../streams/ops/digest.ts';
import { stateAsOfPositions } from '../../streams/ops/stateAsOfPositions.ts';
import type { ApplicationOptions } from '../../topologies/applications.ts';
import { isExternalRecord } from '../../topologies/externalRecords.ts';
import { EXTERNAL_TOPICS } from '../../topologies/topics.ts';
import { ServingError } from '../errors.ts';
import { openPlatform, type Platform } from '../platform.ts';
import { Findings, type InvariantReport } from './invariants/report.ts';
import type { VerificationSubject } from './invariants/verify.ts';

/** What can be replayed byte for byte: a log whose commits have an order. */
type ReplaySubject = VerificationSubject & { readonly engine: EmbeddedLog };

export interface ReplayOptions {
  /** What the applications were run with. */
  readonly settings: ApplicationOptions;
  readonly memoryBudgetBytes: number;
  readonly schemaRegistryUrl: string | null;
  readonly onProgress: (step: string) => void;
  readonly violationsMax: number;
}

const POLL_MS = 20;

/**
 * Invariant 5 to the last byte: what came from outside is replayed into an empty temporary directory, and every topic and store that comes of
 * it is compared with what is here. Takes the time of the processing and the space of the data.
 * @throws ServingError SERVING_REPLAY where retention has removed part of what came from outside; LogError, StreamsError
 */
export async function verifyReplay(subject: ReplaySubject, options: ReplayOptions): Promise<InvariantReport> {
  await checkComplete(subject);
  const findings = new Findings('state', options.violationsMax);
  const directory = await mkdtemp(join(tmpdir(), 'opentape-replay-'));
  try {
    await copySchemas(subject.engine, directory);
    let failure: unknown = null;
    const platform = await openPlatform({
      dataDirectory: directory,
      ...options.settings,
      memoryBudgetBytes: options.memoryBudgetBytes,
      schemaRegistryUrl: options.schemaRegistryUrl,
      onApplicationFailed: (_, cause) => {
        failure = cause;
      },
    });
    try {
      options.onProgress('replaying what came from outside');
      const copied = await copyTopics(
        subject.engine,
        platform.engine,
        EXTERNAL_TOPICS.map(({ name }) => name),
        isExternalRecord(subject.serdes),
      );
      findings.checked('replayed records', copied);
      while (!platform.runtime.caughtUp && failure === null)
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      if (failure !== null)
        findings.violation('replay', 'an application failed on the replayed input', {
          cause: String(failure),
        });
      await compareTopics(subject.engine, platform, findings, options.onProgress);
      await compareStores(subject, platform, findings);
    } finally {
      await platform.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return findings.report();
}

async function checkComplete({ engine }: ReplaySubject): Promise<void> {
  const present = await engine.admin.listTopics();
  for (const { name, cleanupPolicy } of EXTERNAL_TOPICS) {
    if (!present.includes(name))
      throw new ServingError('SERVING_REPLAY', `there is no topic ${name}: the directory was never run`);
    if (cleanupPolicy === 'compact') continue;
    const { offsets } = await engine.admin.describeTopic(name);
    for (const [partition, { earliest }] of offsets.entries()) {
      if (earliest > 0)
        throw new ServingError(
          'SERVING_REPLAY',
          `${name}[${partition}] begins at offset ${earliest}: retention has removed part of the input, so that a replay cannot lead to the same; verify without --replay`,
        );
    }
  }
}

/** Ids on the records must name the same schemas there. */
async function copySchemas(from: EmbeddedLog, directory: string): Promise<void> {
  if (!(await from.admin.listTopics()).includes(SCHEMAS_TOPIC)) return;
  const to = await EmbeddedLog.open({ directory, maintenanceIntervalMs: null });
  try {
    const { name, partitions, retentionMs, cleanupPolicy } = await from.admin.describeTopic(SCHEMAS_TOPIC);
    await to.admin.createTopics([{ name, partitions, retentionMs, cleanupPolicy }]);
    await copyTopics(from, to, [SCHEMAS_TOPIC]);
  } finally {
    await to.close();
  }
}

async function compareTopics(
  here: EmbeddedLog,
  { engine: there }: Platform,
  findings: Findings,
  onProgress: (step: string) => void,
): Promise<void> {
  const replayed = new Set(await there.admin.listTopics());
  for (const topic of await here.admin.listTopics()) {
    const { cleanupPolicy } = await here.admin.describeTopic(topic);
    // Compacted topics come from outside, as does everything whose offsets compaction may have thinned.
    if (cleanupPolicy === 'compact') continue;
    onProgress(`comparing ${topic}`);
    if (!replayed.has(topic)) {
      findings.notChecked(`${topic}: no application here writes or reads it`);
      continue;
    }
    const expected = await hashTopic(there, topic);
    for (const [partition, found] of (await hashTopic(here, topic)).entries()) {
      findings.checked('partitions compared');
      const replay = expected[partition];
      if (replay?.sha256 === found.sha256) continue;
      findings.violation(`${topic}[${partition}]`, 'the records are not those that a replay gives', {
        records: found.records,
        replayedRecords: replay?.records ?? null,
        sha256: found.sha256,
        replayedSha256: replay?.sha256 ?? null,
      });
    }
  }
}

async function compareStores(
  { engine, applications }: ReplaySubject,
  platform: Platform,
  findings: Findings,
): Promise<void> {
  // What is written down now and then only may be behind on either side: after a kill here, for a moment there.
  const here = await stateAsOfPositions(engine, applications);
  const there = await stateAsOfPositions(platform.engine, platform.applications);
  const nameOf = (place: { applicationId: string; storeName: string; partition: number }): string =>
    `${place.applicationId}/${place.storeName}[${place.partition}]`;
  const places = new Map([...here.list(), ...there.list()].map((place) => [nameOf(place), place]));
  for (const [name, place] of places) {
    if (!applications.some(({ applicationId }) => applicationId === place.applicationId)) {
      findings.notChecked(`store ${name}: no application here has it`);
      continue;
    }
    findings.checked('stores compared');
    const found = hashStore(here, place);
    const replay = hashStore(there, place);
    if (found.sha256 !== replay.sha256)
      findings.violation(name, 'the entries are not those that a replay gives', {
        entries: found.entries,
        replayedEntries: replay.entries,
        sha256: found.sha256,
        replayedSha256: replay.sha256,
      });
  }
}
