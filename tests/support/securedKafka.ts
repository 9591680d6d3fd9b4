import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import kafkajs, { type AclEntry, type Admin } from 'kafkajs';
import { freePort } from '../../infra/kafka/java.ts';
import type { KafkaSecurity } from '../../streams/log/kafka/options.ts';
import { KafkaUnderTest } from './kafka.ts';
import { TemporaryDirectory } from './temporary.ts';

const LISTENER = 'SECURED';
const SCRAM = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
const MODULES = 'org.apache.kafka.common.security';

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** A certificate authority of our own, in files of a folder. Returns the file of its certificate. */
function makeAuthority(folder: string, name: string): string {
  const file = join(folder, `${name}.pem`);
  openssl(
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`],
    ...['-keyout', join(folder, `${name}.key`), '-out', file],
  );
  return file;
}

/** A broker's key and certificate, signed by an authority, in one file as Kafka wants it. */
function makeKeystore(folder: string, authority: string): string {
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1\n');
  openssl(
    ...['req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=broker'],
    ...['-keyout', at('broker.key'), '-out', at('broker.csr')],
  );
  openssl(
    ...['x509', '-req', '-days', '2', '-in', at('broker.csr'), '-CA', at(`${authority}.pem`)],
    ...[
      '-CAkey',
      at(`${authority}.key`),
      '-CAcreateserial',
      '-extfile',
      at('names'),
      '-out',
      at('broker.pem'),
    ],
  );
  const text = ['broker.key', 'broker.pem', `${authority}.pem`].map((name) => readFileSync(at(name), 'utf8'));
  writeFileSync(at('keystore.pem'), text.join(''));
  return at('keystore.pem');
}

export interface KafkaUser {
  readonly username: string;
  readonly password: string;
}

/**
 * A real broker that asks for TLS and a login and grants rights by its lists (ACLs). Beside that port it has the open one of all test brokers,
 * whose anonymous user may do everything.
 */
export class SecuredKafka {
  readonly kafka: KafkaUnderTest;
  /** `host:port` that asks for TLS and a login. */
  readonly address: string;
  /** PEM files: who signed the broker's certificate, and somebody else. */
  readonly authorityFile: string;
  readonly strangerFile: string;
  readonly #folder: TemporaryDirectory;
  #admin: Admin | null = null;

  private constructor(kafka: KafkaUnderTest, port: number, folder: TemporaryDirectory) {
    this.kafka = kafka;
    this.address = `127.0.0.1:${port}`;
    this.#folder = folder;
    this.authorityFile = join(folder.path, 'authority.pem');
    this.strangerFile = join(folder.path, 'stranger.pem');
  }

  /** @param users who may log in, by any mechanism */
  static async start(users: readonly KafkaUser[]): Promise<SecuredKafka> {
    const folder = new TemporaryDirectory();
    makeAuthority(folder.path, 'authority');
    makeAuthority(folder.path, 'stranger');
    const keystore = makeKeystore(folder.path, 'authority');
    const port = await freePort();
    const option = (name: string): string => `listener.name.${LISTENER.toLowerCase()}.${name}`;
    const logins = users.map(({ username, password }) => `user_${username}="${password}"`).join(' ');
    const kafka = await KafkaUnderTest.start({
      overrides: ({ port: open, controllerPort }) => ({
        listeners: `PLAINTEXT://127.0.0.1:${open},${LISTENER}://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
        'advertised.listeners': `PLAINTEXT://127.0.0.1:${open},${LISTENER}://127.0.0.1:${port}`,
        'listener.security.protocol.map': `PLAINTEXT:PLAINTEXT,${LISTENER}:SASL_SSL,CONTROLLER:PLAINTEXT`,
        [option('ssl.keystore.type')]: 'PEM',
        [option('ssl.keystore.location')]: keystore,
        [option('sasl.enabled.mechanisms')]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
        [option('plain.sasl.jaas.config')]: `${MODULES}.plain.PlainLoginModule required ${logins};`,
        [option('scram-sha-256.sasl.jaas.config')]: `${MODULES}.scram.ScramLoginModule required;`,
        [option('scram-sha-512.sasl.jaas.config')]: `${MODULES}.scram.ScramLoginModule required;`,
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
      }),
      formatArguments: users.flatMap(({ username, password }) =>
        SCRAM.flatMap((mechanism) => ['--add-scram', `${mechanism}=[name=${username},password=${password}]`]),
      ),
    });
    return new SecuredKafka(kafka, port, folder);
  }

  /** How a user reaches the broker as it should be. */
  security(
    user: KafkaUser,
    mechanism: NonNullable<KafkaSecurity['sasl']>['mechanism'] = 'scram-sha-256',
  ): KafkaSecurity {
    return { tls: { ca: readFileSync(this.authorityFile, 'utf8') }, sasl: { mechanism, ...user } };
  }

  /** Grants rights. */
  async allow(user: KafkaUser, entries: readonly Omit<AclEntry, 'principal' | 'host' | 'permissionType'>[]) {
    if (this.#admin === null) {
      this.#admin = new kafkajs.Kafka({
        brokers: [...this.kafka.brokers],
        logLevel: kafkajs.logLevel.NOTHING,
      }).admin();
      await this.#admin.connect();
    }
    await this.#admin.createAcls({
      acl: entries.map((entry) => ({
        ...entry,
        principal: `User:${user.username}`,
        host: '*',
        permissionType: kafkajs.AclPermissionTypes.ALLOW,
      })),
    });
  }

  async stop(): Promise<void> {
    await this.#admin?.disconnect();
    await this.kafka.stop();
    this.#folder.remove();
  }
}
