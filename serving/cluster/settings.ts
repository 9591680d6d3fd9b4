import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { KafkaSecurity } from '../../streams/log/kafka/options.ts';
import { ServingError } from '../errors.ts';

const brokers = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )
  .pipe(z.array(z.string()).min(1, 'at least one broker as host:port'));
const secret = z
  .string()
  .min(16, 'at least 16 characters')
  .max(256, 'at most 256 characters')
  .regex(/^[\x21-\x7e]+$/, 'printable ASCII without spaces');
const count = (least: number, most: number) => {
  const error = `a whole number from ${least} to ${most}`;
  return z.coerce.number({ error }).int(error).min(least, error).max(most, error);
};

/** The settings of the Kafka engine, by the names of their environment variables. */
export const CLUSTER_SETTINGS = {
  KAFKA_BROKERS: brokers.optional(),
  KAFKA_TLS: z.enum(['on', 'off'], { error: 'one of on, off' }).default('off'),
  KAFKA_TLS_CA_FILE: z.string().min(1).optional(),
  KAFKA_SASL_MECHANISM: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512'], {
      error: 'one of plain, scram-sha-256, scram-sha-512',
    })
    .default('scram-sha-512'),
  KAFKA_SASL_USERNAME: z.string().min(1).optional(),
  KAFKA_SASL_PASSWORD: z.string().min(1).optional(),
  KAFKA_REPLICATION_FACTOR: count(1, 7).optional(),
  OPENTAPE_PARTITIONS_MAX: count(1, 1_000).default(1_000),
  OPENTAPE_INSTANCE_ID: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, '1 to 64 letters, digits, dots, underscores and hyphens')
    .optional(),
  OPENTAPE_ADVERTISED_URL: z.url({ protocol: /^https?$/, error: 'an http or https URL' }).optional(),
  OPENTAPE_CLUSTER_SECRET: secret.optional(),
  OPENTAPE_STANDBYS: count(0, 5).default(0),
} as const;

const schema = z.object(CLUSTER_SETTINGS);
export type ClusterSettings = z.infer<typeof schema>;

/** How a process takes part in a deployment on Kafka. */
export interface ClusterConfig {
  readonly kind: 'kafka';
  readonly brokers: readonly string[];
  readonly security: KafkaSecurity;
  /** Null: the cluster's default. */
  readonly replicationFactor: number | null;
  /** No topic of ours has more partitions. */
  readonly partitionsMax: number;
  /** Null: the name kept in the data directory. */
  readonly instanceId: string | null;
  /** Where other processes reach this one; null: where it listens. */
  readonly advertisedUrl: string | null;
  /** Known to all processes of the deployment and nobody else. */
  readonly secret: string;
  /** Copies of each task's state beside the active one. */
  readonly standbys: number;
}

function refuse(message: string, cause?: unknown): never {
  throw new ServingError('SERVING_CONFIG', message, cause === undefined ? undefined : { cause });
}

/** The text of a file of certificates. What is none would be passed over by one client and refused by the other. */
function certificatesOf(file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    new X509Certificate(text);
    return text;
  } catch (cause) {
    return refuse(`KAFKA_TLS_CA_FILE: ${file} cannot be read; a file of PEM certificates is expected`, cause);
  }
}

function securityOf(settings: ClusterSettings): KafkaSecurity {
  const { KAFKA_TLS, KAFKA_TLS_CA_FILE: caFile, KAFKA_SASL_USERNAME: username } = settings;
  const { KAFKA_SASL_PASSWORD: password, KAFKA_SASL_MECHANISM: mechanism } = settings;
  if ((username === undefined) !== (password === undefined))
    refuse('KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD go together: set both or neither');
  if (caFile !== undefined && KAFKA_TLS === 'off') refuse('KAFKA_TLS_CA_FILE needs KAFKA_TLS=on');
  const ca = caFile === undefined ? undefined : certificatesOf(caFile);
  return {
    ...(KAFKA_TLS === 'on' ? { tls: ca === undefined ? {} : { ca } } : {}),
    ...(username === undefined || password === undefined ? {} : { sasl: { mechanism, username, password } }),
  };
}

/** @throws ServingError SERVING_CONFIG */
export function clusterOf(settings: ClusterSettings): ClusterConfig {
  const { KAFKA_BROKERS, OPENTAPE_CLUSTER_SECRET } = settings;
  if (KAFKA_BROKERS === undefined)
    refuse('OPENTAPE_ENGINE=kafka needs KAFKA_BROKERS, such as 127.0.0.1:9092');
  if (OPENTAPE_CLUSTER_SECRET === undefined)
    refuse('OPENTAPE_ENGINE=kafka needs OPENTAPE_CLUSTER_SECRET, the same for all processes');
  return {
    kind: 'kafka',
    brokers: KAFKA_BROKERS,
    security: securityOf(settings),
    replicationFactor: settings.KAFKA_REPLICATION_FACTOR ?? null,
    partitionsMax: settings.OPENTAPE_PARTITIONS_MAX,
    instanceId: settings.OPENTAPE_INSTANCE_ID ?? null,
    advertisedUrl: settings.OPENTAPE_ADVERTISED_URL?.replace(/\/+$/, '') ?? null,
    secret: OPENTAPE_CLUSTER_SECRET,
    standbys: settings.OPENTAPE_STANDBYS,
  };
}
