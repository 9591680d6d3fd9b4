/** What can go wrong between us and a Kafka cluster, in the terms of the log's catalogue of errors. */
import { LogError, type LogErrorCode, messageOf } from '../errors.ts';

interface Meaning {
  readonly code: LogErrorCode;
  /** What would be right. */
  readonly advice: string;
}

const UNREACHABLE: Meaning = {
  code: 'LOG_UNREACHABLE',
  advice: 'no broker answers; check that Kafka runs and that the addresses of the brokers are right',
};
/** What a broker that expects TLS does with one who does not speak it, and the other way round. */
const CLOSED: Meaning = {
  code: 'LOG_UNREACHABLE',
  advice:
    'a broker closes the connection; it is starting or stopping, or TLS or the login is not what it expects at that address',
};
const UNTRUSTED: Meaning = {
  code: 'LOG_UNTRUSTED',
  advice:
    'the certificate of the broker is not trusted; check who signed it against the authority that is given, its dates, and that it names the address of the broker',
};
const LOGIN_REFUSED: Meaning = {
  code: 'LOG_UNAUTHORIZED',
  advice: 'the cluster refuses the login; check the user, the password and the mechanism',
};
const lacking = (what: string): Meaning => ({
  code: 'LOG_UNAUTHORIZED',
  advice: `the user lacks a right to ${what}; grant it with an ACL`,
});
const UNKNOWN_TOPIC: Meaning = {
  code: 'LOG_UNKNOWN_TOPIC',
  advice: 'the topic or partition is not there; was it deleted?',
};
const TOO_FEW_REPLICAS: Meaning = {
  code: 'LOG_TOO_FEW_REPLICAS',
  advice:
    'fewer replicas are in sync, or fewer brokers there, than asked for; start the missing brokers or ask for less replication',
};
const UNSUPPORTED: Meaning = {
  code: 'LOG_BROKER_UNSUPPORTED',
  advice: 'the broker is too old; Opentape needs Apache Kafka 4.0 or newer, with group.version 1 or above',
};
const FENCED: Meaning = {
  code: 'LOG_FENCED',
  advice:
    'another process has taken over, or the cluster counts this one as dead; each process needs a client id of its own',
};
const TOO_LARGE: Meaning = {
  code: 'LOG_RECORD_TOO_LARGE',
  advice: "the record is larger than the topic's or the broker's limit (max.message.bytes)",
};
const INVALID_TOPIC: Meaning = { code: 'LOG_INVALID_TOPIC', advice: 'the topic cannot be as asked for' };
const INVALID_RECORD: Meaning = {
  code: 'LOG_INVALID_RECORD',
  advice:
    'the topic does not take such a record: a compacted one needs a key, and the time must be near enough to now',
};
const BACKPRESSURE: Meaning = {
  code: 'LOG_BACKPRESSURE',
  advice: "the client's queue is full: wait for ready()",
};
const OUT_OF_RANGE: Meaning = {
  code: 'LOG_OFFSET_OUT_OF_RANGE',
  advice: 'the records from that offset on are not there any more, or not yet',
};
const CORRUPT: Meaning = { code: 'LOG_RECORD_CORRUPT', advice: 'the records do not match their checksum' };
const OTHER: Meaning = { code: 'LOG_IO', advice: 'the cluster could not do it' };

/** librdkafka's rd_kafka_resp_err_t: negative ones are the client's, the others are Kafka's protocol error codes. */
const MEANINGS: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  ...([-195, -193, -187, -185, -192, -197, -167, -166, 5, 6, 7, 8, 9, 13, 14, 15, 16, 41] as const).map(
    (code): [number, Meaning] => [code, UNREACHABLE],
  ),
  ...([-169, 33, 34, 58, 61, 65] as const).map((code): [number, Meaning] => [code, LOGIN_REFUSED]),
  [-181, UNTRUSTED],
  [29, lacking('the topic')],
  [30, lacking('the group')],
  [31, lacking('the cluster')],
  [53, lacking('the transactional id')],
  ...([-190, -188, 3, 100, 103] as const).map((code): [number, Meaning] => [code, UNKNOWN_TOPIC]),
  ...([19, 20, 38] as const).map((code): [number, Meaning] => [code, TOO_FEW_REPLICAS]),
  ...([-165, 35, 43, 112] as const).map((code): [number, Meaning] => [code, UNSUPPORTED]),
  ...([-144, 22, 25, 47, 82, 90, 110, 113] as const).map((code): [number, Meaning] => [code, FENCED]),
  ...([10, 18] as const).map((code): [number, Meaning] => [code, TOO_LARGE]),
  ...([17, 37, 40] as const).map((code): [number, Meaning] => [code, INVALID_TOPIC]),
  ...([32, 87] as const).map((code): [number, Meaning] => [code, INVALID_RECORD]),
  [-184, BACKPRESSURE],
  [1, OUT_OF_RANGE],
  [2, CORRUPT],
]);

function described(meaning: Meaning, doing: string, cause: unknown): LogError {
  return new LogError(meaning.code, `${doing}: ${meaning.advice} (${messageOf(cause)})`, cause);
}

function hasCode(cause: unknown): cause is { readonly code: number } {
  return typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'number';
}

/**
 * An error of node-rdkafka as an error of the log.
 * @param doing what was tried, as the beginning of the line: `sending to 'trades'`
 */
export function fromRdKafka(cause: unknown, doing: string): LogError {
  if (cause instanceof LogError) return cause;
  return described((hasCode(cause) ? MEANINGS.get(cause.code) : undefined) ?? OTHER, doing, cause);
}

/** The number of a librdkafka error, or null for anything else. */
export function rdkafkaCode(cause: unknown): number | null {
  return hasCode(cause) ? cause.code : null;
}

/** Names of kafkajs' errors that are not answers of a broker. */
const KAFKAJS_NAMES: ReadonlyMap<string, Meaning> = new Map([
  ['KafkaJSConnectionError', UNREACHABLE],
  ['KafkaJSConnectionClosedError', CLOSED],
  ['KafkaJSRequestTimeoutError', UNREACHABLE],
  ['KafkaJSBrokerNotFound', UNREACHABLE],
  ['KafkaJSLockTimeout', UNREACHABLE],
  ['KafkaJSTimeout', UNREACHABLE],
  ['KafkaJSSASLAuthenticationError', LOGIN_REFUSED],
  ['KafkaJSServerDoesNotSupportApiKey', UNSUPPORTED],
  ['KafkaJSTopicMetadataNotLoaded', UNKNOWN_TOPIC],
]);

/** What Node.js says of a certificate it does not trust: OpenSSL's reasons, and its own where the name is another. */
const CERTIFICATE_CODES =
  /^(CERT_|CRL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_|ERR_TLS_CERT_|HOSTNAME_MISMATCH)/;
/** A connection that ended where TLS was to begin, or whose other end does not speak it. */
const TLS_BROKEN = /before secure TLS connection|wrong version number|packet length too long/;

/** An error of kafkajs as an error of the log; what it wraps decides. */
export function fromKafkaJs(cause: unknown, doing: string): LogError {
  if (cause instanceof LogError) return cause;
  for (let each: unknown = cause, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    const inner = 'errors' in each && Array.isArray(each.errors) ? (each.errors[0] as unknown) : null;
    for (const found of [each, inner]) {
      const meaning = meaningOfKafkaJs(found);
      if (meaning !== undefined) return described(meaning, doing, aboutTopic(found) ?? cause);
    }
  }
  return described(OTHER, doing, cause);
}

/** Of several topics that were asked for: the one that was refused first. */
function aboutTopic(cause: unknown): Error | null {
  if (!(cause instanceof Error && 'topic' in cause && typeof cause.topic === 'string')) return null;
  return new Error(`'${cause.topic}': ${cause.message}`, { cause });
}

function meaningOfKafkaJs(cause: unknown): Meaning | undefined {
  if (!(cause instanceof Error)) return undefined;
  if ('code' in cause && typeof cause.code === 'string' && CERTIFICATE_CODES.test(cause.code))
    return UNTRUSTED;
  if (TLS_BROKEN.test(cause.message)) return CLOSED;
  return (hasCode(cause) ? MEANINGS.get(cause.code) : undefined) ?? KAFKAJS_NAMES.get(cause.name);
}

/** Whether the cluster does not want us as we come: what only its operator or ours can change, and may at any time. */
export function isRefusal({ code }: LogError): boolean {
  return code === 'LOG_UNAUTHORIZED' || code === 'LOG_UNTRUSTED';
}

/**
 * Whether nothing but somebody's decision lets an application go on. A topic that a client does not know is none of it: while brokers die and
 * come back, clients lose sight of partitions. The monitor tells what is really gone.
 */
export function isForGood({ code }: LogError): boolean {
  return code === 'LOG_OFFSET_OUT_OF_RANGE';
}

/** Whether waiting may heal it; the rest stays wrong until somebody changes something. */
export function mayHeal(error: LogError): boolean {
  return (
    error.code === 'LOG_UNREACHABLE' ||
    error.code === 'LOG_TOO_FEW_REPLICAS' ||
    error.code === 'LOG_BACKPRESSURE' ||
    error.code === 'LOG_IO'
  );
}
