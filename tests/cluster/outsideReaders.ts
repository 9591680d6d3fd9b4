/** Clients of others that read the topics of a deployment: Apache Kafka's console consumer, and Confluent's Python client. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { kafkaClass } from '../../infra/kafka/java.ts';
import { type Python, runPython } from '../support/python.ts';

const READ_TIMEOUT_MS = 90_000;
const BYTES = 'org.apache.kafka.common.serialization.BytesDeserializer';
const SHOWN = ['timestamp', 'partition', 'offset', 'key', 'value'] as const;

/** A record as one of them shows it. */
export interface SeenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly bytes: Buffer | null;
}

/** Kafka's text of bytes: printable ASCII but the backslash as it is, the rest as `\xNN`. */
function bytesOf(text: string): Buffer {
  const parts = text.match(/\\x[0-9A-Fa-f]{2}|[^\\]/g) ?? [];
  return Buffer.from(
    parts.map((part) => (part.length === 1 ? part.charCodeAt(0) : parseInt(part.slice(2), 16))),
  );
}

function seenOf(topic: string, line: string): SeenRecord {
  const [timestamp, partition, offset, key, value] = line.split('\t');
  return {
    topic,
    partition: Number(partition?.replace('Partition:', '')),
    offset: Number(offset?.replace('Offset:', '')),
    timestamp: Number(timestamp?.replace('CreateTime:', '')),
    key: key === undefined || key === 'null' ? null : key,
    bytes: value === undefined || value === 'null' ? null : bytesOf(value),
  };
}

/**
 * Reads a topic from its beginning with Apache Kafka's console consumer, committed records only.
 * @param enough whether what was read so far will do; then the consumer is stopped
 * @throws with what it wrote where it ends or takes too long before
 */
export async function readWithConsole(
  libs: string,
  brokers: readonly string[],
  topic: string,
  enough: (seen: readonly SeenRecord[]) => boolean,
): Promise<readonly SeenRecord[]> {
  const command = kafkaClass(
    libs,
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
    ...['--bootstrap-server', brokers.join(','), '--topic', topic, '--from-beginning'],
    ...['--isolation-level', 'read_committed', '--property', `value.deserializer=${BYTES}`],
    ...SHOWN.flatMap((part) => ['--property', `print.${part}=true`]),
  );
  const child = spawn('java', ['-Xmx128m', '-XX:+UseSerialGC', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: READ_TIMEOUT_MS,
  });
  const closed = once(child, 'close');
  const seen: SeenRecord[] = [];
  let errors = '';
  let done = false;
  child.stderr.on('data', (chunk) => {
    errors += String(chunk);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (done) return;
    seen.push(seenOf(topic, line));
    done = enough(seen);
    if (done) child.kill('SIGTERM');
  });
  await closed;
  if (!done) throw new Error(`the console consumer ended after ${seen.length} records:\n${errors}`);
  return seen;
}

/** Reads the topics from their beginnings to their ends of now, committed records only, and decodes them by the schemas of the registry. */
const READ_TOPICS = `
import json, sys
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

brokers, registry, topics = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
consumer = Consumer({
    'bootstrap.servers': brokers, 'group.id': 'outside-reader', 'isolation.level': 'read_committed',
    'auto.offset.reset': 'earliest', 'enable.auto.commit': False, 'enable.partition.eof': True})
decode = AvroDeserializer(SchemaRegistryClient({'url': registry}))
known = consumer.list_topics(timeout=30).topics
left = {(topic, partition) for topic in topics for partition in known[topic].partitions}
consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in left])

def shown(value):
    if isinstance(value, dict):
        return {name: shown(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shown(each) for each in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value

while left:
    message = consumer.poll(30)
    if message is None:
        raise SystemExit('nothing came of ' + str(left))
    place = (message.topic(), message.partition())
    if message.error():
        if message.error().code() != KafkaError._PARTITION_EOF:
            raise KafkaException(message.error())
        left.discard(place)
    elif place in left:
        value = message.value()
        decoded = decode(value, SerializationContext(message.topic(), MessageField.VALUE))
        print(json.dumps({
            'topic': message.topic(), 'partition': message.partition(), 'offset': message.offset(),
            'timestamp': message.timestamp()[1], 'key': message.key() and message.key().decode(),
            'bytes': None if value is None else value.hex(), 'value': shown(decoded)}))
consumer.close()
`;

/** A record that another Avro implementation decoded, by the schema that the registry gave it. Whole numbers are texts. */
export interface DecodedRecord extends SeenRecord {
  readonly value: unknown;
}

/** Reads topics with Confluent's Python client and its Avro deserializer. @throws with what it wrote where it fails */
export async function readWithPython(
  python: Python,
  brokers: readonly string[],
  registryUrl: string,
  topics: readonly string[],
): Promise<readonly DecodedRecord[]> {
  const output = await runPython(python, READ_TOPICS, [
    brokers.join(','),
    registryUrl,
    JSON.stringify(topics),
  ]);
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const record = JSON.parse(line) as Omit<DecodedRecord, 'bytes'> & { readonly bytes: string | null };
      return { ...record, bytes: record.bytes === null ? null : Buffer.from(record.bytes, 'hex') };
    });
}

/** A decoded value of ours in the same form. */
export function inTexts(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.map(inTexts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, inTexts(each)]));
}
