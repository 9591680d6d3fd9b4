/** What `npm run kafka:up` and `kafka:cluster` start: brokers, a schema registry and Kafka Connect, each a Java process that goes on by itself. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KafkaBroker, type KafkaClusterOptions } from './cluster.ts';
import { kafkaClass, type StartedProgram, startJava } from './java.ts';
import { propertiesText } from './settings.ts';

const HOST = '127.0.0.1';
const ANSWER_TIMEOUT_MS = 2000;

export interface Service {
  readonly name: string;
  /** Its settings, data, output and the file with its process id. */
  readonly directory: string;
  /** Where it is reached. */
  readonly address: string;
  launch(): StartedProgram;
  /** Whether it answers. */
  answers(): Promise<boolean>;
}

async function answersHttp(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })).ok;
  } catch {
    // Not up yet; whoever waits says so where it stays like that.
    return false;
  }
}

export function brokerServices(options: KafkaClusterOptions): Service[] {
  return options.brokers.map((address) => {
    const broker = new KafkaBroker({ ...options, detached: true }, address);
    return {
      name: `Kafka broker ${address.nodeId}`,
      directory: broker.directory,
      address: `${HOST}:${address.port}`,
      launch: () => broker.launch(),
      answers: () => broker.answers(),
    };
  });
}

/** Apicurio Registry, by Confluent's protocol. Its schemas are in a file, so that records stay readable after a restart. */
export function registryService(jars: string, directory: string, port: number): Service {
  const address = `http://${HOST}:${port}/apis/ccompat/v7`;
  return {
    name: 'schema registry',
    directory,
    address,
    launch: () => {
      mkdirSync(directory, { recursive: true });
      const jar = readdirSync(jars).find((name) => /^apicurio-registry-app-.*-runner\.jar$/.test(name));
      if (jar === undefined) throw new Error(`${jars} does not hold Apicurio Registry`);
      return startJava({
        directory,
        name: 'registry',
        heapMiB: 384,
        detached: true,
        command: [
          '-XX:TieredStopAtLevel=1',
          `-Dquarkus.http.host=${HOST}`,
          `-Dquarkus.http.port=${port}`,
          `-Dapicurio.datasource.url=jdbc:h2:file:${join(directory, 'schemas')}`,
          '-jar',
          join(jars, jar),
        ],
      });
    },
    answers: () => answersHttp(`${address}/subjects`),
  };
}

/** Kafka Connect, distributed, with the connectors that are unpacked in its plugin folder. */
export function connectService(
  { libs, brokers, replicationFactor }: KafkaClusterOptions,
  directory: string,
  port: number,
): Service {
  const address = `http://${HOST}:${port}`;
  const plugins = join(directory, 'plugins');
  return {
    name: 'Kafka Connect',
    directory,
    address,
    launch: () => {
      mkdirSync(plugins, { recursive: true });
      const file = join(directory, 'connect.properties');
      const replicas = String(replicationFactor);
      writeFileSync(
        file,
        propertiesText({
          'bootstrap.servers': brokers.map((broker) => `${HOST}:${broker.port}`).join(','),
          'group.id': 'opentape-connect',
          listeners: address,
          'rest.advertised.host.name': HOST,
          'plugin.path': plugins,
          'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
          'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
          'config.storage.topic': '__connect-configs',
          'config.storage.replication.factor': replicas,
          'offset.storage.topic': '__connect-offsets',
          'offset.storage.replication.factor': replicas,
          'offset.storage.partitions': '4',
          'status.storage.topic': '__connect-status',
          'status.storage.replication.factor': replicas,
          'status.storage.partitions': '2',
        }),
      );
      return startJava({
        directory,
        name: 'connect',
        heapMiB: 384,
        detached: true,
        command: kafkaClass(libs, 'org.apache.kafka.connect.cli.ConnectDistributed', file),
      });
    },
    answers: () => answersHttp(address),
  };
}
