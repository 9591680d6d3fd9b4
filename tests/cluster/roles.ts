/** Which broker does what at the moment. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Admin } from 'kafkajs';
import { kafkaClass } from '../../infra/kafka/java.ts';
import { until } from '../support/until.ts';

const OFFSETS_TOPIC = '__consumer_offsets';
const TOOL_TIMEOUT_MS = 60_000;
const LOOK_MS = 250;

/** A broker that leads a partition the flow begins with, that coordinates a group, or that decides for all of them. */
export type BrokerRole = 'leader' | 'coordinator' | 'controller';

export interface RolesOptions {
  readonly admin: Admin;
  readonly brokers: readonly string[];
  /** Of Kafka's jars. */
  readonly libs: string;
}

/** Java's hash of a string, by which Kafka chooses the partition that keeps a group. */
function javaHashOf(text: string): number {
  let hash = 0;
  for (const character of text) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0;
  return hash;
}

async function leaderOf(
  admin: Admin,
  topic: string,
  partitionOf: (count: number) => number,
): Promise<number> {
  let leader = -1;
  await until(`a leader in ${topic}`, async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const { partitions } = topics[0]!;
    const wanted = partitionOf(partitions.length);
    leader = partitions.find(({ partitionId }) => partitionId === wanted)?.leader ?? -1;
    if (leader < 0) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    return leader >= 0;
  });
  return leader;
}

/** Clients are told of any broker as the controller: only the quorum itself knows. */
async function controllerOf({ libs, brokers }: RolesOptions): Promise<number> {
  const command = kafkaClass(
    libs,
    'org.apache.kafka.tools.MetadataQuorumCommand',
    ...['--bootstrap-server', brokers.join(','), 'describe', '--status'],
  );
  const { stdout } = await promisify(execFile)('java', ['-Xmx96m', '-XX:+UseSerialGC', ...command], {
    timeout: TOOL_TIMEOUT_MS,
  });
  const leader = /^LeaderId:\s+(\d+)/m.exec(stdout)?.[1];
  if (leader === undefined) throw new Error(`the quorum names no leader:\n${stdout}`);
  return Number(leader);
}

/** @param topic whose first partition is meant @param groupId whose coordinator is meant */
export function brokerWith(
  role: BrokerRole,
  options: RolesOptions,
  topic: string,
  groupId: string,
): Promise<number> {
  if (role === 'controller') return controllerOf(options);
  if (role === 'leader') return leaderOf(options.admin, topic, () => 0);
  return leaderOf(options.admin, OFFSETS_TOPIC, (count) => (javaHashOf(groupId) & 0x7fff_ffff) % count);
}
