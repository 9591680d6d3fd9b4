import { LogError } from '../../log/errors.ts';
import { pause } from '../../log/kafka/backoff.ts';
import type { LogEngine, LogProducer, LogRecord, TailSubscription } from '../../log/log.ts';

/** What an instance has of an application. */
export interface InstanceTasks {
  /** Task ids, as `1_7`. */
  readonly active: readonly string[];
  readonly standby: readonly string[];
}

/** A process that runs applications, as it tells of itself. */
export interface Instance {
  readonly instanceId: string;
  /** Where its queries are reached; empty where it takes none. */
  readonly address: string;
  readonly transactionalId: string;
  /** By application id. */
  readonly applications: Readonly<Record<string, InstanceTasks>>;
}

/** How often an instance tells that it is there. */
const HEARTBEAT_MS = 1_000;
/** Not heard of for so long, an instance counts as gone. */
const SILENT_MS = 5_000;
/** After so long its open transaction may be ended by who was given its tasks: the group has put it out by then. */
const FENCE_AFTER_MS = 2_000;
/** Heard of for so long by its own name, a process that starts has a living one of that name beside it. */
const TAKEN_AFTER_MS = 8_000;
const LOOK_MS = 50;
const READ_RECORDS = 1_000;

/**
 * What the processes of a deployment tell of one another, by a compacted topic: who hosts which task, who keeps a copy, and where it is reached.
 * It decides nothing about who reads what: that is the consumer groups' business.
 */
export class Instances {
  readonly #engine: LogEngine;
  readonly #topic: string;
  readonly #self: () => Instance;
  readonly #heard = new Map<string, { readonly instance: Instance; readonly atMs: number }>();
  readonly #listeners: (() => void)[] = [];
  readonly #onTrouble: (cause: unknown) => void;
  #producer: LogProducer | null = null;
  #tail: TailSubscription | null = null;
  #timer: NodeJS.Timeout | null = null;
  #told = '';
  #sending = false;
  #closed = false;

  /** @param prefix of the deployment @param self what this process tells of itself */
  constructor(engine: LogEngine, prefix: string, self: () => Instance, onTrouble: (cause: unknown) => void) {
    this.#engine = engine;
    this.#topic = instancesTopic(prefix);
    this.#self = self;
    this.#onTrouble = onTrouble;
  }

  /**
   * Makes the topic where it is missing, and learns who is there.
   * @throws LogError LOG_FENCED where another process has the name of this one
   */
  async open(): Promise<void> {
    const { admin, reader } = this.#engine;
    await admin.createTopics([
      { name: this.#topic, partitions: 1, retentionMs: null, cleanupPolicy: 'compact' },
    ]);
    this.#tail = this.#engine.tail([this.#topic], (records) => this.#hear(records));
    for (let next = 0; ; ) {
      const records = await reader.read({ topic: this.#topic, partition: 0 }, next, READ_RECORDS);
      if (records.length === 0) break;
      // What was said before this process was there says how long ago that was.
      for (const record of records) this.#hear([record], Math.max(0, wallClockMs() - record.timestamp));
      next = records[records.length - 1]!.offset + 1;
    }
    await this.#nameIsFree();
    this.#producer = this.#engine.createProducer();
    this.#timer = setInterval(() => void this.tell(), HEARTBEAT_MS);
    this.#timer.unref();
    await this.tell();
  }

  /** Waits until whoever had the name of this process before is silent. */
  async #nameIsFree(): Promise<void> {
    const { instanceId } = this.#self();
    const startMs = performance.now();
    for (;;) {
      const before = this.#heard.get(instanceId);
      const nowMs = performance.now();
      if (before === undefined || nowMs - before.atMs >= FENCE_AFTER_MS) return;
      if (nowMs - startMs >= TAKEN_AFTER_MS)
        throw new LogError(
          'LOG_FENCED',
          `another process at ${before.instance.address || 'an unknown address'} runs under the name '${instanceId}'; ` +
            'each process needs a name (instance id) of its own',
        );
      await pause(LOOK_MS);
    }
  }

  /** Tells the others what is so now. What cannot be told is told with the next heartbeat. */
  async tell(): Promise<void> {
    if (this.#sending || this.#closed || this.#producer === null) return;
    this.#sending = true;
    try {
      await this.#send(Buffer.from(JSON.stringify(this.#self())));
    } catch (cause) {
      if (!this.#closed) this.#onTrouble(cause);
    }
    this.#sending = false;
    this.#notify();
  }

  async #send(value: Buffer | null): Promise<void> {
    const { instanceId } = this.#self();
    const timestamp = Math.round(wallClockMs());
    await this.#producer!.send([{ topic: this.#topic, key: Buffer.from(instanceId), value, timestamp }]);
  }

  #hear(records: readonly LogRecord[], agoMs = 0): void {
    for (const { key, value } of records) {
      if (key === null) continue;
      const instance = value === null ? null : parse(value);
      if (instance === null) this.#heard.delete(key.toString());
      else this.#heard.set(key.toString(), { instance, atMs: performance.now() - agoMs });
    }
    this.#notify();
  }

  /** Listeners hear of changes of who is there and who has what; heartbeats alone are none. */
  #notify(): void {
    const now = JSON.stringify(this.alive());
    if (now === this.#told) return;
    this.#told = now;
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Those heard of lately, this process always, by instance id. */
  alive(): readonly Instance[] {
    const self = this.#self();
    const deadline = performance.now() - SILENT_MS;
    const others = [...this.#heard.values()].filter(
      ({ instance, atMs }) => atMs >= deadline && instance.instanceId !== self.instanceId,
    );
    return [self, ...others.map(({ instance }) => instance)].sort((a, b) =>
      a.instanceId < b.instanceId ? -1 : 1,
    );
  }

  /** Those not heard of any more that had one of the tasks when they were, and never said goodbye. */
  silent(applicationId: string, taskIds: readonly string[]): readonly Instance[] {
    const { instanceId: self } = this.#self();
    const deadline = performance.now() - FENCE_AFTER_MS;
    return [...this.#heard.values()]
      .filter(({ instance, atMs }) => instance.instanceId !== self && atMs < deadline)
      .map(({ instance }) => instance)
      .filter(({ applications }) => applications[applicationId]?.active.some((id) => taskIds.includes(id)));
  }

  /** Who runs a task, or null where nobody says so. */
  hostOf(applicationId: string, taskId: string): Instance | null {
    return (
      this.alive().find(({ applications }) => applications[applicationId]?.active.includes(taskId)) ?? null
    );
  }

  /** Who keeps a copy of a task's state. */
  standbysOf(applicationId: string, taskId: string): readonly Instance[] {
    return this.alive().filter(({ applications }) => applications[applicationId]?.standby.includes(taskId));
  }

  /** Says goodbye, so that nobody waits for this instance. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    try {
      if (this.#producer !== null) await this.#send(null);
    } catch (cause) {
      if (!(cause instanceof LogError)) throw cause;
      this.#onTrouble(cause);
    }
    this.#closed = true;
    this.#tail?.close();
    await this.#producer?.close();
  }
}

function wallClockMs(): number {
  return performance.timeOrigin + performance.now();
}

export function instancesTopic(prefix: string): string {
  return `${prefix}-instances`;
}

/** What is not ours, or of another version, counts as not said. */
function parse(value: Buffer): Instance | null {
  try {
    const read = JSON.parse(value.toString()) as Partial<Instance> | null;
    if (typeof read?.instanceId !== 'string' || typeof read.transactionalId !== 'string') return null;
    return { address: '', applications: {}, ...read } as Instance;
  } catch {
    return null;
  }
}
