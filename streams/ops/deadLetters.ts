import type { LogEngine, LogProducer, LogRecord, ProducerRecord, RecordAck } from '../log/log.ts';
import type { Headers } from '../record.ts';
import { deadLetterTopic, ERROR_HEADER_PREFIX } from '../task/handlers.ts';
import { makeNotes, noteRecord, readNotes } from './keyedNotes.ts';

/** The topic on which is noted what became of dead letters. The letters themselves stay as they are. */
export const DEAD_LETTER_MARKS_TOPIC = '_streams.dead-letter-marks';
/** Header of a record that was put back: the dead letter it comes from. */
export const RETRY_HEADER = '__streams.retry.dead-letter';

const READ_RECORDS = 500;
/** Letters of one send: they are put back together, or none of them is. */
const RETRY_RECORDS = 100;

/** What became of a dead letter. */
export interface DeadLetterMark {
  readonly status: 'retried' | 'discarded';
  /** When, in milliseconds since the epoch. */
  readonly atMs: number;
}

/** A record that an application put aside: the bytes and headers it had, and why. */
export interface DeadLetter {
  readonly applicationId: string;
  readonly partition: number;
  /** Place in the topic of dead letters: it names the letter. */
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
  /** Where it was read; an offset of -1 where no input record led to the failure. */
  readonly source: { readonly topic: string; readonly partition: number; readonly offset: number };
  readonly exception: string;
  readonly message: string;
  readonly task: string;
  readonly node: string;
  readonly mark: DeadLetterMark | null;
}

function markKey(applicationId: string, partition: number, offset: number): string {
  return `${applicationId}/${partition}/${offset}`;
}

function letterOf(applicationId: string, record: LogRecord, marks: ReadonlyMap<string, string>): DeadLetter {
  const told = (name: string): string =>
    record.headers.find(({ key }) => key === `${ERROR_HEADER_PREFIX}${name}`)?.value?.toString('utf8') ?? '';
  const mark = marks.get(markKey(applicationId, record.partition, record.offset));
  return {
    applicationId,
    partition: record.partition,
    offset: record.offset,
    timestamp: record.timestamp,
    key: record.key,
    value: record.value,
    headers: record.headers.filter(({ key }) => !key.startsWith(ERROR_HEADER_PREFIX)),
    source: { topic: told('topic'), partition: Number(told('partition')), offset: Number(told('offset')) },
    exception: told('exception'),
    message: told('message'),
    task: told('task'),
    node: told('node'),
    mark: mark === undefined ? null : (JSON.parse(mark) as DeadLetterMark),
  };
}

/**
 * The dead letters of an application that are still held, oldest first, each with what became of it.
 * @throws LogError
 */
export async function* readDeadLetters(
  engine: LogEngine,
  applicationId: string,
): AsyncGenerator<DeadLetter, void> {
  const topic = deadLetterTopic(applicationId);
  if (!(await engine.admin.listTopics()).includes(topic)) return;
  const marks = await readNotes(engine, DEAD_LETTER_MARKS_TOPIC);
  const { partitions } = await engine.admin.describeTopic(topic);
  for (let partition = 0; partition < partitions; partition += 1) {
    for (let offset = 0; ; ) {
      const records = await engine.reader.read({ topic, partition }, offset, READ_RECORDS);
      const last = records[records.length - 1];
      if (last === undefined) break;
      for (const record of records) yield letterOf(applicationId, record, marks);
      offset = last.offset + 1;
    }
  }
}

function markRecord({ applicationId, partition, offset }: DeadLetter, mark: DeadLetterMark): ProducerRecord {
  return noteRecord(DEAD_LETTER_MARKS_TOPIC, markKey(applicationId, partition, offset), mark, mark.atMs);
}

/** Marks of letters that retention has removed are removed too. */
async function staleMarks(
  engine: LogEngine,
  applicationId: string,
  nowMs: number,
): Promise<ProducerRecord[]> {
  const { offsets } = await engine.admin.describeTopic(deadLetterTopic(applicationId));
  const stale: ProducerRecord[] = [];
  for (const key of (await readNotes(engine, DEAD_LETTER_MARKS_TOPIC)).keys()) {
    const [owner, partition, offset] = key.split('/');
    const held = offsets[Number(partition)];
    if (owner === applicationId && held !== undefined && Number(offset) < held.earliest)
      stale.push(noteRecord(DEAD_LETTER_MARKS_TOPIC, key, null, nowMs));
  }
  return stale;
}

function retryRecord(letter: DeadLetter, partitions: number): ProducerRecord {
  const { source, key, value, timestamp, headers, applicationId, partition, offset } = letter;
  const place = `${deadLetterTopic(applicationId)}-${partition}@${offset}`;
  return {
    topic: source.topic,
    ...(source.partition < partitions ? { partition: source.partition } : {}),
    key,
    value,
    timestamp,
    headers: [
      ...headers.filter((header) => header.key !== RETRY_HEADER),
      { key: RETRY_HEADER, value: Buffer.from(place) },
    ],
  };
}

export interface Retried {
  readonly letter: DeadLetter;
  readonly to: RecordAck;
}

/**
 * Puts letters back on the topics they were read from and marks them, both in one send: a letter is back and marked, or neither. Hand over
 * letters without a mark only, and one caller at a time.
 * @throws LogError; what was told before stays done
 */
export async function* retryDeadLetters(
  engine: LogEngine,
  producer: LogProducer,
  letters: readonly DeadLetter[],
  nowMs: number,
): AsyncGenerator<Retried, void> {
  await makeNotes(engine, DEAD_LETTER_MARKS_TOPIC);
  for (let from = 0; from < letters.length; from += RETRY_RECORDS) {
    const part = letters.slice(from, from + RETRY_RECORDS);
    const records: ProducerRecord[] = [];
    for (const letter of part) {
      const { partitions } = await engine.admin.describeTopic(letter.source.topic);
      records.push(retryRecord(letter, partitions));
    }
    const marks = part.map((letter) => markRecord(letter, { status: 'retried', atMs: nowMs }));
    const stale = from === 0 ? await staleMarks(engine, part[0]!.applicationId, nowMs) : [];
    await producer.ready();
    const acks = await producer.send([...records, ...marks, ...stale]);
    for (const [index, letter] of part.entries()) yield { letter, to: acks[index]! };
  }
}

/** Marks letters as discarded; they stay where they are until retention removes them. @throws LogError */
export async function discardDeadLetters(
  engine: LogEngine,
  producer: LogProducer,
  letters: readonly DeadLetter[],
  nowMs: number,
): Promise<void> {
  if (letters.length === 0) return;
  await makeNotes(engine, DEAD_LETTER_MARKS_TOPIC);
  const stale = await staleMarks(engine, letters[0]!.applicationId, nowMs);
  await producer.ready();
  await producer.send([
    ...letters.map((letter) => markRecord(letter, { status: 'discarded', atMs: nowMs })),
    ...stale,
  ]);
}

/** How many dead letters of an application are neither retried nor discarded. @throws LogError */
export async function countOpenDeadLetters(engine: LogEngine, applicationId: string): Promise<number> {
  const topic = deadLetterTopic(applicationId);
  if (!(await engine.admin.listTopics()).includes(topic)) return 0;
  const { offsets } = await engine.admin.describeTopic(topic);
  const held = offsets.reduce((sum, { earliest, latest }) => sum + latest - earliest, 0);
  if (held === 0) return 0;
  if (engine.kind !== 'embedded') return countByReading(engine, applicationId);
  // Without reading the letters: here every offset between the ends is one.
  let marked = 0;
  for (const key of (await readNotes(engine, DEAD_LETTER_MARKS_TOPIC)).keys()) {
    const [owner, partition, offset] = key.split('/');
    if (owner === applicationId && Number(offset) >= (offsets[Number(partition)]?.earliest ?? 0)) marked += 1;
  }
  return Math.max(0, held - marked);
}

/** On Kafka the ends of transactions take offsets as well, so that these do not tell how many letters there are. */
async function countByReading(engine: LogEngine, applicationId: string): Promise<number> {
  let open = 0;
  for await (const { mark } of readDeadLetters(engine, applicationId)) if (mark === null) open += 1;
  return open;
}
