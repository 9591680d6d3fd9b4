import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs';
import { LogError } from '../errors.ts';
import type { RdKafkaConfig, RdKafkaProperty } from './rdkafka.ts';

/** How the brokers are reached where that is not in the clear. */
export interface KafkaSecurity {
  /** Encrypts the connections. `ca` is the PEM text of who signs the brokers' certificates; left out: those the system trusts. */
  readonly tls?: { readonly ca?: string; readonly certificate?: string; readonly key?: string };
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  };
}

export interface KafkaConnectionOptions {
  /** `host:port` of at least one broker of the cluster. */
  readonly brokers: readonly string[];
  /** Names this process to the cluster. Two processes that run at a time must not share one: the later would put the earlier out. */
  readonly clientId: string;
  readonly security?: KafkaSecurity;
}

const SOCKET_TIMEOUT_MS = 10_000;
const RECONNECT_MS = 50;
const RECONNECT_MAX_MS = 1000;

/** @throws LogError LOG_UNREACHABLE where an address cannot be one */
export function checkBrokers(brokers: readonly string[]): void {
  const wrong = brokers.find((address) => {
    const [, port] = /^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})$/.exec(address) ?? [];
    return port === undefined || Number(port) < 1 || Number(port) > 65_535;
  });
  if (brokers.length > 0 && wrong === undefined) return;
  throw new LogError(
    'LOG_UNREACHABLE',
    wrong === undefined
      ? 'no Kafka broker is named; name at least one as host:port'
      : `'${wrong}' is no address of a Kafka broker; it is written host:port, such as 127.0.0.1:9092`,
  );
}

/** librdkafka's properties that all clients of the process share. */
export function rdkafkaConfig({ brokers, clientId, security = {} }: KafkaConnectionOptions): RdKafkaConfig {
  const { tls, sasl } = security;
  const config: Record<string, RdKafkaProperty> = {
    'metadata.broker.list': brokers.join(','),
    'client.id': clientId,
    'security.protocol': `${sasl === undefined ? '' : 'sasl_'}${tls === undefined ? 'plaintext' : 'ssl'}`,
    'socket.keepalive.enable': true,
    // Brokers close connections that nobody uses; that is no news.
    'log.connection.close': false,
    // A broker that was away is found again soon.
    'reconnect.backoff.ms': RECONNECT_MS,
    'reconnect.backoff.max.ms': RECONNECT_MAX_MS,
    // A topic just made may not have come to every broker yet; one that was deleted is noticed after this.
    'topic.metadata.propagation.max.ms': 5000,
    'topic.metadata.refresh.fast.interval.ms': 50,
  };
  if (tls?.ca !== undefined) config['ssl.ca.pem'] = tls.ca;
  if (tls?.certificate !== undefined) config['ssl.certificate.pem'] = tls.certificate;
  if (tls?.key !== undefined) config['ssl.key.pem'] = tls.key;
  if (sasl !== undefined) {
    config['sasl.mechanisms'] = sasl.mechanism.toUpperCase();
    config['sasl.username'] = sasl.username;
    config['sasl.password'] = sasl.password;
  }
  return config;
}

/** The control plane's client. It writes nothing to the console and does not try again by itself: the engine does both. */
export function kafkajsClient({ brokers, clientId, security = {} }: KafkaConnectionOptions): Kafka {
  const { tls, sasl } = security;
  const config: KafkaConfig = {
    brokers: [...brokers],
    clientId,
    logLevel: logLevel.NOTHING,
    connectionTimeout: SOCKET_TIMEOUT_MS,
    authenticationTimeout: SOCKET_TIMEOUT_MS,
    requestTimeout: 3 * SOCKET_TIMEOUT_MS,
    retry: { retries: 0 },
  };
  if (tls !== undefined) {
    config.ssl = {
      ...(tls.ca === undefined ? {} : { ca: [tls.ca] }),
      ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
      ...(tls.key === undefined ? {} : { key: tls.key }),
    };
  }
  if (sasl !== undefined) config.sasl = { ...sasl } as SASLOptions;
  return new Kafka(config);
}
