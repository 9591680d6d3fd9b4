import type { LogProducer } from '../../streams/log/log.ts';
import type { Config } from '../config.ts';
import { ServingError } from '../errors.ts';
import { readVersion } from '../version.ts';
import type { OperatorAccess, VerifyRequest } from './access.ts';
import { type VerificationProgress, type VerificationReport, verifyInvariants } from './invariants/verify.ts';
import { type Operation, type OperationContext, oneAtATime } from './operation.ts';
import {
  type EntryView,
  getEntries,
  listStores,
  type ScanOptions,
  type StoreSummary,
  scanStore,
} from './stores.ts';
import { type OperatorSubject, openStopped, verificationSubject } from './subject.ts';
import { listTopics, type RecordView, type TailOptions, type TopicSummary, tailTopic } from './topics.ts';

/** Looks into the data directory of a stopped instance, which cannot be started meanwhile. */
export class DirectAccess implements OperatorAccess {
  readonly mode = 'stopped';
  readonly subject: OperatorSubject;
  readonly #dataDirectory: string;
  readonly #context: OperationContext;
  #producer: LogProducer | null = null;

  private constructor(subject: OperatorSubject, dataDirectory: string) {
    this.subject = subject;
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
  static async open(config: Config): Promise<DirectAccess> {
    return new DirectAccess(await openStopped(config), config.dataDirectory);
  }

  topics(): Promise<readonly TopicSummary[]> {
    return listTopics(this.subject);
  }

  tail(topic: string, options: TailOptions, signal: AbortSignal): AsyncIterable<RecordView> {
    if (options.follow)
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
    return getEntries(this.subject, application, store, key);
  }

  scan(application: string, store: string, options: ScanOptions): AsyncIterable<EntryView> {
    return scanStore(this.subject, application, store, options);
  }

  verify(
    { only, violationsMax }: VerifyRequest,
    onProgress: (progress: VerificationProgress) => void,
  ): Promise<VerificationReport> {
    return verifyInvariants(verificationSubject(this.subject), {
      ...(only === null ? {} : { only }),
      violationsMax,
      caughtUpWithinMs: null,
      onProgress,
    });
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
    await this.subject.engine.close();
  }
}
