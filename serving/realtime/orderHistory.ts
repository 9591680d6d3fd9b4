import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AccountId } from '../../schemas/ids.ts';
import type { LogRecord } from '../../streams/log/log.ts';
import { partitionForKey } from '../../streams/log/partitioner.ts';
import { ORDER_UPDATES } from '../../topologies/orders/topics.ts';
import type { ServingContext } from '../context.ts';
import { RealtimeError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { OrderEvent } from './orderEvent.ts';

/** Records looked at in one turn when going back, and read in one when going forward: all of the latter may go to one client. */
const FIND_RECORDS = 2_000;
const PAGE_RECORDS = 250;

/** A place in the log from which on an account's updates are read. */
export interface HistoryPosition {
  readonly partition: number;
  readonly offset: number;
}

/** Reads an account's order updates back from the log, a page at a time. */
export class OrderHistory {
  readonly #context: Pick<ServingContext, 'engine' | 'serdes'>;

  constructor(context: Pick<ServingContext, 'engine' | 'serdes'>) {
    this.#context = context;
  }

  /** An update as it stands in the log. @throws SchemaError */
  decode(record: LogRecord): OrderEvent {
    const serde = this.#context.serdes.value(ORDER_UPDATES);
    return new OrderEvent(serde.deserialize(ORDER_UPDATES.name, record.value!), record.timestamp);
  }

  /**
   * Finds where an account's updates after a sequence begin, from the end of the log backwards.
   * @returns a position at or before the first update after `sequence`
   * @throws RealtimeError NOT_RETAINED where updates after it are gone from the log, or lie further back than is looked
   */
  async find(accountId: AccountId, sequence: number): Promise<HistoryPosition> {
    const key = Buffer.from(accountId);
    const { offsets } = await this.#context.engine.admin.describeTopic(ORDER_UPDATES.name);
    const partition = partitionForKey(key, offsets.length);
    const { earliest, latest } = offsets[partition]!;
    const least = Math.max(earliest, latest - LIMITS.resumeRecords);
    let oldest: number | null = null;
    for (let end = latest; end > least; ) {
      const start = Math.max(least, end - FIND_RECORDS);
      for (let offset = start; offset < end; ) {
        const records = await this.#read(partition, offset, end - offset);
        const first = records.find((record) => record.key?.equals(key) && record.value !== null);
        if (first !== undefined) {
          oldest = this.decode(first).sequence;
          if (oldest <= sequence + 1) return { partition, offset: first.offset };
          break;
        }
        if (records.length === 0) break;
        offset = records[records.length - 1]!.offset + 1;
      }
      end = start;
      // A long way back must not hold up everybody else.
      await nextTurn();
    }
    throw new RealtimeError(
      'NOT_RETAINED',
      oldest === null
        ? `updates after sequence ${sequence} are no longer kept; read the orders and subscribe without from`
        : `updates after sequence ${sequence} are no longer kept, the oldest is ${oldest}; read the orders and subscribe without from`,
    );
  }

  /** The next page: the account's updates in it and where to go on; `end` where there is nothing more yet. */
  async page(
    accountId: AccountId,
    position: HistoryPosition,
  ): Promise<{
    readonly events: readonly OrderEvent[];
    readonly next: HistoryPosition;
    readonly end: boolean;
  }> {
    const records = await this.#read(position.partition, position.offset, PAGE_RECORDS);
    const last = records[records.length - 1];
    if (last === undefined) return { events: [], next: position, end: true };
    const key = Buffer.from(accountId);
    const events = records
      .filter((record) => record.key?.equals(key) && record.value !== null)
      .map((record) => this.decode(record));
    return { events, next: { partition: position.partition, offset: last.offset + 1 }, end: false };
  }

  #read(partition: number, offset: number, maxRecords: number): Promise<readonly LogRecord[]> {
    return this.#context.engine.reader.read({ topic: ORDER_UPDATES.name, partition }, offset, maxRecords);
  }
}
