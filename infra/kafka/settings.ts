/** The settings of the brokers that are started here for development and tests, each with its reason. */

export interface BrokerAddress {
  readonly nodeId: number;
  /** Where clients connect. */
  readonly port: number;
  readonly controllerPort: number;
}

export interface ClusterSettings {
  readonly brokers: readonly BrokerAddress[];
  /** Replicas of a topic and of the cluster's own ones. */
  readonly replicationFactor: number;
  /** Replicas that must have a record before it counts as written. */
  readonly minInsyncReplicas: number;
  /** Further properties, or others than the ones here. */
  readonly overrides?: (broker: BrokerAddress) => Readonly<Record<string, string>>;
}

const HOST = '127.0.0.1';

/**
 * The properties of one broker of a cluster, which is a controller as well.
 * @param directory where its log is kept
 */
export function brokerProperties(
  cluster: ClusterSettings,
  broker: BrokerAddress,
  directory: string,
): Readonly<Record<string, string>> {
  const replicas = String(cluster.replicationFactor);
  const inSync = String(cluster.minInsyncReplicas);
  return {
    'process.roles': 'broker,controller',
    'node.id': String(broker.nodeId),
    'controller.quorum.voters': cluster.brokers
      .map(({ nodeId, controllerPort }) => `${nodeId}@${HOST}:${controllerPort}`)
      .join(','),
    'controller.listener.names': 'CONTROLLER',
    // Loopback only: nobody is asked for a password here.
    listeners: `PLAINTEXT://${HOST}:${broker.port},CONTROLLER://${HOST}:${broker.controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${HOST}:${broker.port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': directory,

    // The cluster's own topics: as many replicas as there are brokers for, and few partitions, of which each is a file to open.
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '8',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': '8',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': '2',
    // A name with a typing error must not become a topic of one partition.
    'auto.create.topics.enable': 'false',
    // A record of the largest size the log takes (1 MiB), with its headers and the batch around it.
    'message.max.bytes': String(2 * 1024 * 1024),
    'replica.fetch.max.bytes': String(4 * 1024 * 1024),

    // How soon the heirs of an instance that died take over its partitions: 3 s instead of 45 s. Members send a heartbeat twice a second, so
    // that five may be missed.
    'group.consumer.session.timeout.ms': '3000',
    'group.consumer.min.session.timeout.ms': '3000',
    'group.consumer.heartbeat.interval.ms': '500',
    'group.consumer.min.heartbeat.interval.ms': '500',
    // A group's first member does not wait for others to come.
    'group.initial.rebalance.delay.ms': '0',
    // An open transaction of a process that died holds up all readers of committed records until it has timed out; how often the broker looks.
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
    'transaction.max.timeout.ms': '60000',
    // How soon another broker leads the partitions of one that died: 4 s instead of 9 s.
    'broker.session.timeout.ms': '4000',
    'broker.heartbeat.interval.ms': '1000',
    // How soon another controller is elected.
    'controller.quorum.election.timeout.ms': '1000',
    'controller.quorum.fetch.timeout.ms': '2000',
    // How soon a replica that does not follow stops holding up the others.
    'replica.lag.time.max.ms': '10000',
    // A stopped broker hands over its partitions first.
    'controlled.shutdown.enable': 'true',
    // Memory and threads for a machine with two cores.
    'num.network.threads': '2',
    'num.io.threads': '4',
    'log.cleaner.dedupe.buffer.size': String(16 * 1024 * 1024),
    'log.index.size.max.bytes': String(1024 * 1024),
    ...cluster.overrides?.(broker),
  };
}

/** A properties file of Java. */
export function propertiesText(properties: Readonly<Record<string, string>>): string {
  return `${Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}`)
    .join('\n')}\n`;
}
