import type { Kafka } from 'kafkajs';
import { fromKafkaJs } from '../../errors.ts';
import type { WireRequest } from './requests.ts';

/** The part of kafkajs' own cluster client that is used. It authenticates, encrypts and matches answers; only what it sends is ours. */
interface KafkaJsCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  getNodeIds(): readonly string[];
  findBroker(of: { readonly nodeId: string }): Promise<KafkaJsBroker>;
  findGroupCoordinator(of: { readonly groupId: string }): Promise<KafkaJsBroker>;
}

/** Whom a request goes to: a node, the coordinator of a consumer group, or (null) whichever broker is known. */
export type Receiver = number | { readonly groupId: string } | null;

interface KafkaJsBroker {
  readonly connectionPool: {
    send(call: {
      readonly request: {
        readonly apiKey: number;
        readonly apiVersion: number;
        readonly apiName: string;
        readonly encode: () => Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
      };
      readonly response: {
        readonly decode: (payload: Buffer) => Promise<unknown>;
        readonly parse: (decoded: unknown) => Promise<unknown>;
      };
      readonly logResponseError: boolean;
    }): Promise<unknown>;
  };
}

type CreateCluster = (options: {
  readonly metadataMaxAge: number;
  readonly allowAutoTopicCreation: boolean;
}) => KafkaJsCluster;

const METADATA_MAX_AGE_MS = 300_000;
/** So that a broker or two may be gone. */
const ADDRESSES_TRIED = 3;

/**
 * kafkajs has no public way to send a request of one's own, and neither of the clients tells topic ids. The package is pinned to the version
 * whose insides these are.
 */
function createCluster(kafkajs: Kafka): KafkaJsCluster {
  const symbol = Object.getOwnPropertySymbols(kafkajs).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  const create =
    symbol === undefined ? undefined : (kafkajs as unknown as Record<symbol, CreateCluster>)[symbol];
  if (create === undefined) throw new TypeError('this version of kafkajs has other insides; 2.2.4 is needed');
  return create({ metadataMaxAge: METADATA_MAX_AGE_MS, allowAutoTopicCreation: false });
}

/** One after the other, as some may be gone. */
async function anyBroker(cluster: KafkaJsCluster): Promise<KafkaJsBroker> {
  const [first = '0', ...others] = cluster.getNodeIds();
  for (const nodeId of others) {
    const broker = await cluster.findBroker({ nodeId }).catch(() => null);
    if (broker !== null) return broker;
  }
  return cluster.findBroker({ nodeId: first });
}

function brokerOf(cluster: KafkaJsCluster, receiver: Receiver): Promise<KafkaJsBroker> {
  if (receiver === null) return anyBroker(cluster);
  if (typeof receiver === 'object') return cluster.findGroupCoordinator(receiver);
  return cluster.findBroker({ nodeId: String(receiver) });
}

/** With each try kafkajs goes on to the next of the addresses it was given. */
async function connect(cluster: KafkaJsCluster): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await cluster.connect();
      return;
    } catch (cause) {
      if (tries >= ADDRESSES_TRIED) throw cause;
    }
  }
}

/** Sends requests of ours to the brokers of a cluster. */
export class WireBrokers {
  private readonly kafkajs: Kafka;
  private cluster: Promise<KafkaJsCluster> | null = null;
  private closed = false;

  constructor(kafkajs: Kafka) {
    this.kafkajs = kafkajs;
  }

  /**
   * @param doing the beginning of the line that says what failed
   * @throws LogError LOG_UNREACHABLE, LOG_UNAUTHORIZED, LOG_IO; the next call connects anew then
   */
  async send<T>(receiver: Receiver, doing: string, wire: WireRequest<T>): Promise<T> {
    const connected = this.connected();
    try {
      const broker = await brokerOf(await connected, receiver);
      const { apiKey, apiVersion, apiName, body, decode } = wire;
      const answer = await broker.connectionPool.send({
        request: {
          apiKey,
          apiVersion,
          apiName,
          encode: () => Promise.resolve({ buf: body, buffer: body }),
        },
        response: {
          // kafkajs waits where the broker asks for it, by a field that is not read here: the broker then delays its answer itself.
          decode: (payload) => Promise.resolve({ decoded: decode(payload) }),
          parse: (decoded) => Promise.resolve(decoded),
        },
        logResponseError: false,
      });
      return (answer as { readonly decoded: T }).decoded;
    } catch (cause) {
      this.drop(connected);
      throw fromKafkaJs(cause, doing);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    const { cluster } = this;
    this.cluster = null;
    await (await cluster?.catch(() => null))?.disconnect();
  }

  private connected(): Promise<KafkaJsCluster> {
    if (this.closed) return Promise.reject(new Error('the connection is closed'));
    this.cluster ??= (async () => {
      const cluster = createCluster(this.kafkajs);
      try {
        await connect(cluster);
        await cluster.refreshMetadata();
        return cluster;
      } catch (cause) {
        await cluster.disconnect();
        throw cause;
      }
    })();
    return this.cluster;
  }

  /** Unless others have connected anew already. */
  private drop(dropped: Promise<KafkaJsCluster>): void {
    if (this.cluster !== dropped) return;
    this.cluster = null;
    dropped.then(
      (cluster) => cluster.disconnect(),
      () => undefined,
    );
  }
}
