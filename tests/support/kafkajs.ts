/**
 * kafkajs as it should read committed records. As published it gives aborted ones as well where transactions of several producers overlap:
 * it takes the aborted transactions of an answer to be sorted by where they begin, while brokers sort them by where they end, and it
 * begins one of them a record at most. Kafka's own consumer sorts them (org.apache.kafka.clients.consumer.internals.CompletedFetch).
 */
import { createRequire } from 'node:module';

interface Message {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

interface Fetched {
  readonly messages: readonly Message[];
  readonly abortedTransactions?: readonly AbortedTransaction[] | null;
}

const ABORT = 0;
/** Of the type of a mark, in its key. */
const TYPE_AT = 2;

function isAbortMark({ isControlRecord, key }: Message): boolean {
  return isControlRecord && key?.readInt16BE(TYPE_AT) === ABORT;
}

function withoutAborted({ messages, abortedTransactions }: Fetched): readonly Message[] {
  const toCome = [...(abortedTransactions ?? [])].sort(
    (a, b) => Number(a.firstOffset) - Number(b.firstOffset),
  );
  const aborting = new Set<string>();
  return messages.filter((message) => {
    const { producerId, inTransaction } = message.batchContext;
    while (toCome.length > 0 && Number(toCome[0]!.firstOffset) <= Number(message.offset))
      aborting.add(toCome.shift()!.producerId);
    if (isAbortMark(message)) aborting.delete(producerId);
    return message.isControlRecord || !(inTransaction && aborting.has(producerId));
  });
}

/** A copy of the library of its own: whoever imports it by its name has it as it is. */
function load(): typeof import('kafkajs') {
  const require = createRequire(import.meta.url);
  const isOfLibrary = (path: string): boolean => path.includes('/node_modules/kafkajs/');
  const known = Object.entries(require.cache).filter(([path]) => isOfLibrary(path));
  for (const [path] of known) delete require.cache[path];
  const filter = require.resolve('kafkajs/src/consumer/filterAbortedMessages.js');
  require(filter);
  require.cache[filter]!.exports = withoutAborted;
  const library = require('kafkajs') as typeof import('kafkajs');
  for (const [path] of Object.entries(require.cache).filter(([path]) => isOfLibrary(path)))
    delete require.cache[path];
  for (const [path, module] of known) require.cache[path] = module;
  return library;
}

export const { Kafka, logLevel } = load();
