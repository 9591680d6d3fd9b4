import type { LogProducer } from '../../streams/log/log.ts';
import type { Config } from '../config.ts';
import { ServingError } from '../errors.ts';
import { readVersion } from '../version.ts';
import type { OperatorAccess, VerifyRequest } from './access.ts';
import { takeKafkaCut } from './invariants/kafkaCut.ts';
import { type VerificationProgress, type VerificationReport, verifyInvariants } from './invariants/verify.ts';
import { type Operation, type OperationContext, oneAtATime } from './operation.ts';
import type { RemoteAccess } from './remote.ts';
import { ChangelogStores } from './storeBytes.ts';
import {
  type EntryView,
  getEntries,
  listStores,
  type ScanOptions,
  type StoreSummary,
  scanStore,
} from './stores.ts';
import { openStopped, type StoppedSubject, verificationSubject } from './subject.ts';
import { listTopics, type RecordView, type TailOptions, type TopicSummary, tailTopic } from './topics.ts';

/** How long a deployment on Kafka may take to work off what there is when it is verified. */
const CAUGHT_UP_WITHIN_MS = 10_000;

/**
 * Looks into the data directory of a stopped instance, which cannot be started meanwhile; or into the cluster beside whatever runs on it, where a
 * process on this machine is asked for the stores that it holds whole.
 */
export class DirectAccess implements OperatorAccess {
  readonly mode: OperatorAccess['mode'];
  readonly subject: StoppedSubject;
  /** The process that runs on the data directory; null where there is none. */
  readonly near: RemoteAccess | null;
  readonly #dataDirectory: string;
  readonly #context: OperationContext;
  #producer: LogProducer | null = null;

  private constructor(subject: StoppedSubject, dataDirectory: string, near: RemoteAccess | null) {
    this.subject = subject;
    this.near = near;
    // What runs elsewhere in a deployment on Kafka is not known here; its topics go on.
    this.mode = subject.engine.kind === 'kafka' ? 'running' : 'stopped';
    this.#dataDirectory = dataDirectory;
    this.#context = {
      subject,
      mode: this.mode,
      version: readVersion(),
      wallClock: Date.now,
      producer: () => {
        this.#producer ??= subject.engine.createProducer();
        return this.#producer;
      },
      exclusively: oneAtATime(),
    };
  }

  /** @throws ServingError, LogError, SchemaError; see openStopped */
  static async open(config: Config, near: RemoteAccess | null = null): Promise<DirectAccess> {
    return new DirectAccess(await openStopped(config), config.dataDirectory, near);
  }

  topics(): Promise<readonly TopicSummary[]> {
    return listTopics(this.subject);
  }

  tail(topic: string, options: TailOptions, signal: AbortSignal): AsyncIterable<RecordView> {
    if (options.follow && this.mode === 'stopped')
      throw new ServingError(
        'SERVING_UNREACHABLE',
        `no instance runs on ${this.#dataDirectory}, so nothing will follow; leave --follow out or start one`,
      );
    return tailTopic(this.subject, topic, options, signal);
  }

  stores(countAll: boolean): Promise<readonly StoreSummary[]> {
    return listStores(this.subject, countAll);
  }

  entries(application: string, store: string, key: string): Promise<readonly EntryView[]> {
    return this.#nearFirst(
      (near) => near.entries(application, store, key),
      () => getEntries(this.subject, application, store, key),
    );
  }

  async *scan(application: string, store: string, options: ScanOptions): AsyncIterable<EntryView> {
    const entries = await this.#nearFirst(
      (near) => begun(near.scan(application, store, options)),
      async () => scanStore(this.subject, application, store, options),
    );
    yield* entries;
  }

  async #nearFirst<T>(near: (access: RemoteAccess) => Promise<T>, here: () => Promise<T>): Promise<T> {
    if (this.near === null) return here();
    try {
      return await near(this.near);
    } catch (cause) {
      if (cause instanceof ServingError && cause.code === 'SERVING_STORE_ELSEWHERE') return here();
      throw cause;
    }
  }

  async verify(
    { only, violationsMax }: VerifyRequest,
    onProgress: (progress: VerificationProgress) => void,
  ): Promise<VerificationReport> {
    const { engine, serdes, applications, stores } = this.subject;
    const options = { ...(only === null ? {} : { only }), violationsMax, onProgress };
    if (!(stores instanceof ChangelogStores))
      return verifyInvariants(verificationSubject(this.subject), { ...options, caughtUpWithinMs: null });
    const cut = await takeKafkaCut({
      engine,
      applications,
      stores,
      withinMs: CAUGHT_UP_WITHIN_MS,
      wallClock: Date.now,
      onStep: (step) => onProgress({ invariant: 'state', step, records: 0 }),
    });
    const subject = { engine: cut, serdes, applications };
    return verifyInvariants(subject, { ...options, caughtUpWithinMs: CAUGHT_UP_WITHIN_MS });
  }

  run<P, R>(
    operation: Operation<P, R>,
    params: P,
    signal: AbortSignal = new AbortController().signal,
  ): AsyncIterable<R> {
    return operation.run(this.#context, operation.params.parse(params), signal);
  }

  async close(): Promise<void> {
    await this.#producer?.close();
    await this.subject.close();
  }
}

/** The same values, once it is certain that there are any: so a refusal comes before the first of them. */
async function begun<T>(values: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const iterator = values[Symbol.asyncIterator]();
  let first: IteratorResult<T> | null = await iterator.next();
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const next = first ?? (await iterator.next());
        first = null;
        return next;
      },
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    }),
  };
}
