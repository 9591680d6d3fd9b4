import { StreamsError } from '../../streams/errors.ts';
import type { QueryForwarder } from '../../streams/query/distributed/partitionAsker.ts';
import type { StoreAnswer, StoreQuery } from '../../streams/query/distributed/storeRead.ts';
import {
  ANSWER_BYTES_MAX,
  pack,
  QUERIES_CONTENT_TYPE,
  QUERIES_MAX,
  QUERIES_PATH,
  unpackAnswers,
  WAIT_MAX_MS,
} from './queryWire.ts';

/** Requests to one process at once. */
const REQUESTS_MAX = 8;
/** Reads of one request that may give a page each. */
const PAGES_MAX = 16;
/** Queries that wait for their turn; beyond that they are refused. */
const WAITING_MAX = 20_000;
/** The way there and back, beyond what the host may wait. */
const GRACE_MS = 250;

interface Waiting {
  readonly query: StoreQuery;
  readonly deadlineMs: number;
  readonly resolve: (answer: StoreAnswer) => void;
  readonly reject: (cause: unknown) => void;
}

/** What waits to be asked of one process: the queries of a turn of the event loop go together. */
class Peer {
  readonly #address: string;
  readonly #secret: string;
  readonly #signal: AbortSignal;
  #waiting: Waiting[] = [];
  #requests = 0;
  #scheduled = false;

  constructor(address: string, secret: string, signal: AbortSignal) {
    this.#address = address;
    this.#secret = secret;
    this.#signal = signal;
  }

  add(waiting: Waiting): void {
    if (this.#waiting.length >= WAITING_MAX) {
      waiting.reject(new StreamsError('STREAMS_QUERY_TIMEOUT', `too many queries wait for ${this.#address}`));
      return;
    }
    this.#waiting.push(waiting);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#sendWaiting();
    });
  }

  #sendWaiting(): void {
    while (this.#requests < REQUESTS_MAX && this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      if (batch.length === 0) continue;
      this.#requests += 1;
      void this.#send(batch).finally(() => {
        this.#requests -= 1;
        this.#sendWaiting();
      });
    }
  }

  #nextBatch(): readonly Waiting[] {
    const batch: Waiting[] = [];
    let pages = 0;
    let taken = 0;
    for (const waiting of this.#waiting) {
      if (batch.length >= QUERIES_MAX || pages >= PAGES_MAX) break;
      taken += 1;
      if (performance.now() >= waiting.deadlineMs) {
        waiting.reject(new StreamsError('STREAMS_QUERY_TIMEOUT', `${this.#address} did not answer in time`));
        continue;
      }
      if ('rowsMax' in waiting.query.read) pages += 1;
      batch.push(waiting);
    }
    this.#waiting = this.#waiting.slice(taken);
    return batch;
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const leftMs = Math.max(...batch.map(({ deadlineMs }) => deadlineMs)) - performance.now();
    const waitMs = Math.min(WAIT_MAX_MS, Math.max(0, leftMs - GRACE_MS));
    try {
      const body = pack({ waitMs, queries: batch.map(({ query }) => query) });
      const answers = unpackAnswers(await this.#post(body, leftMs));
      if (answers.length !== batch.length)
        throw new StreamsError('STREAMS_NO_HOST', `${this.#address} left queries unanswered`);
      for (const [index, answer] of answers.entries()) {
        if ('code' in answer) batch[index]!.reject(new StreamsError(answer.code, answer.message));
        else batch[index]!.resolve(answer);
      }
    } catch (cause) {
      const error = cause instanceof StreamsError ? cause : this.#unreachable(cause);
      for (const { reject } of batch) reject(error);
    }
  }

  async #post(body: Buffer, leftMs: number): Promise<Buffer> {
    const timeout = AbortSignal.timeout(Math.max(1, Math.ceil(leftMs)));
    const response = await fetch(`${this.#address}${QUERIES_PATH}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#secret}`, 'content-type': QUERIES_CONTENT_TYPE },
      body: new Uint8Array(body),
      redirect: 'error',
      signal: AbortSignal.any([timeout, this.#signal]),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new StreamsError(
        'STREAMS_NO_HOST',
        response.status === 401
          ? `${this.#address} does not know the secret of this process; set the same OPENTAPE_CLUSTER_SECRET for all`
          : `${this.#address} answers queries with status ${response.status}`,
      );
    }
    return readBounded(response);
  }

  #unreachable(cause: unknown): StreamsError {
    return cause instanceof Error && cause.name === 'TimeoutError'
      ? new StreamsError('STREAMS_QUERY_TIMEOUT', `${this.#address} did not answer in time`, { cause })
      : new StreamsError('STREAMS_NO_HOST', `${this.#address} cannot be reached`, { cause });
  }
}

async function readBounded(response: Response): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > ANSWER_BYTES_MAX)
      throw new StreamsError(
        'STREAMS_NO_HOST',
        `an answer to queries of more than ${ANSWER_BYTES_MAX} bytes`,
      );
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Forwards queries to other processes of the deployment over HTTP; those that come together travel together. */
export class HttpForwarder implements QueryForwarder {
  readonly #secret: string;
  readonly #peers = new Map<string, Peer>();
  readonly #closing = new AbortController();

  /** @param secret shared by all processes of the deployment */
  constructor(secret: string) {
    this.#secret = secret;
  }

  ask(address: string, query: StoreQuery, timeoutMs: number): Promise<StoreAnswer> {
    let peer = this.#peers.get(address);
    if (peer === undefined) {
      peer = new Peer(address, this.#secret, this.#closing.signal);
      this.#peers.set(address, peer);
    }
    const to = peer;
    const deadlineMs = performance.now() + timeoutMs;
    return new Promise((resolve, reject) => to.add({ query, deadlineMs, resolve, reject }));
  }

  /** Ends what is under way. */
  close(): void {
    this.#closing.abort();
  }
}
