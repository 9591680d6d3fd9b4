import type { TopicPartition } from '../../record.ts';
import { LogError } from '../errors.ts';
import type { LogReader, LogRecord } from '../log.ts';
import type { KafkaConnection } from './connection.ts';
import type { OffsetBounds, OffsetQueries } from './consumers.ts';
import { ReadSession } from './readSession.ts';
import { toLogRecord } from './records.ts';
import type { TopicCache } from './topicCache.ts';

const SESSIONS_MAX = 3;
const WAITING_MAX = 10_000;
const READ_TIMEOUT_MS = 30_000;
const SHOWN_POLL_MS = 2;

/** Reads committed records by position, a few partitions at a time. */
export class KafkaReader implements LogReader {
  private readonly connection: KafkaConnection;
  private readonly topics: TopicCache;
  private readonly offsets: OffsetQueries;
  private readonly idle: ReadSession[] = [];
  private readonly sessions: ReadSession[] = [];
  private readonly waiting: ((session: ReadSession) => void)[] = [];

  constructor(connection: KafkaConnection, topics: TopicCache, offsets: OffsetQueries) {
    this.connection = connection;
    this.topics = topics;
    this.offsets = offsets;
  }

  /**
   * Offsets have gaps where transactions ended: a read goes over them. What this process has sent and seen acknowledged is always there.
   * @throws LogError LOG_UNKNOWN_TOPIC, LOG_UNKNOWN_PARTITION, LOG_UNREACHABLE, LOG_BACKPRESSURE (too many reads wait)
   */
  async read(partition: TopicPartition, offset: number, maxRecords: number): Promise<readonly LogRecord[]> {
    const deadline = performance.now() + READ_TIMEOUT_MS;
    await this.topics.check(partition);
    const { earliest, latest } = await this.bounds(partition);
    const from = Math.max(offset, earliest);
    if (from >= latest || maxRecords < 1) return [];
    const session = await this.acquire(partition, from);
    try {
      return (await session.read(partition, from, latest, maxRecords, deadline)).map(toLogRecord);
    } finally {
      this.release(session);
    }
  }

  /**
   * Whether a record was committed at this offset, once that is decided.
   * @throws LogError LOG_UNREACHABLE where it is not decided in time
   */
  async holds(partition: TopicPartition, offset: number): Promise<boolean> {
    const deadline = performance.now() + READ_TIMEOUT_MS;
    while ((await this.offsets.bounds(partition)).latest <= offset) {
      if (performance.now() > deadline) {
        throw new LogError(
          'LOG_UNREACHABLE',
          `it is not known yet whether the record at offset ${offset} of '${partition.topic}', partition ${partition.partition}, was committed`,
        );
      }
      await this.connection.waits.wait(SHOWN_POLL_MS);
    }
    const [record] = await this.read(partition, offset, 1);
    return record?.offset === offset;
  }

  async close(): Promise<void> {
    await Promise.all(this.sessions.map((session) => session.close()));
  }

  /**
   * The offsets between which records can be read; our own acknowledged ones are among them.
   * @throws LogError LOG_UNREACHABLE
   */
  async bounds(partition: TopicPartition): Promise<OffsetBounds> {
    const deadline = performance.now() + READ_TIMEOUT_MS;
    for (;;) {
      const bounds = await this.offsets.bounds(partition);
      if (bounds.latest >= this.topics.writtenEnd(partition)) return bounds;
      if (performance.now() > deadline) {
        throw new LogError(
          'LOG_UNREACHABLE',
          `reading '${partition.topic}', partition ${partition.partition}: what was committed does not become visible`,
        );
      }
      await this.connection.waits.wait(SHOWN_POLL_MS);
    }
  }

  private acquire(partition: TopicPartition, offset: number): Promise<ReadSession> {
    const fitting = this.idle.findIndex((session) => session.standsAt(partition, offset));
    if (fitting >= 0) return Promise.resolve(this.idle.splice(fitting, 1)[0]!);
    const session = this.idle.shift();
    if (session !== undefined) return Promise.resolve(session);
    if (this.sessions.length < SESSIONS_MAX) {
      const made = new ReadSession(this.connection, `reader-${this.sessions.length + 1}`);
      this.sessions.push(made);
      return Promise.resolve(made);
    }
    if (this.waiting.length >= WAITING_MAX) {
      throw new LogError('LOG_BACKPRESSURE', `${WAITING_MAX} reads of the log wait already: try again`);
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private release(session: ReadSession): void {
    const next = this.waiting.shift();
    if (next === undefined) this.idle.push(session);
    else next(session);
  }
}
