import type { TradeEvent } from '../../schemas/generated/types.ts';
import type { AccountId } from '../../schemas/ids.ts';
import { deriveUuid } from '../../schemas/uuid.ts';
import type { LogRecord } from '../../streams/log/log.ts';
import { TRADE_EVENTS } from '../../topologies/orders/topics.ts';
import type { ServingContext } from '../context.ts';
import { offsetBefore, offsetsOf, partitionOf, scanBackward, scanForward } from './logScan.ts';

/** One side of a trade, as the account's owner sees it. */
export interface FillActivity {
  /** `YYYYMMDDhhmmssmmm::<uuid>`: sorts by time, and tells where to go on. */
  readonly id: string;
  readonly timestampMs: number;
  readonly trade: TradeEvent;
}

export interface FillFilter {
  /** Bounds of the time, exclusive, in milliseconds since the epoch. */
  readonly afterMs: number | null;
  readonly untilMs: number | null;
  readonly newestFirst: boolean;
  readonly limit: number;
  /** The last activity of the page before. */
  readonly afterId: string | null;
}

/** Twice what times step back at most, and the millisecond itself. */
const STEP_MS = 10_001;
const ID = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{3})::([0-9a-f-]{36})$/;

function idOf(trade: TradeEvent, timestampMs: number): string {
  const digits = new Date(timestampMs).toISOString().replace(/\D/g, '');
  return `${digits}::${deriveUuid(`fill:${trade.executionId}:${trade.orderId}`)}`;
}

/** The time that an activity's id begins with, in milliseconds since the epoch; null where the text is no such id. */
export function timeOfActivity(id: string): number | null {
  const match = ID.exec(id);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, millisecond] = match;
  const timeMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`);
  return Number.isNaN(timeMs) ? null : timeMs;
}

/** Reads an account's executions from the trade events, which are kept for seven days. */
export class Activities {
  readonly #context: Pick<ServingContext, 'engine' | 'serdes'>;

  constructor(context: Pick<ServingContext, 'engine' | 'serdes'>) {
    this.#context = context;
  }

  /** @throws LogError */
  async fills(accountId: AccountId, filter: FillFilter): Promise<readonly FillActivity[]> {
    const { engine, serdes } = this.#context;
    const key = serdes.key.serialize(TRADE_EVENTS.name, accountId);
    const partition = await partitionOf(engine, TRADE_EVENTS, key);
    const serde = serdes.value(TRADE_EVENTS);
    const resumeMs = filter.afterId === null ? null : timeOfActivity(filter.afterId);
    const found: FillActivity[] = [];
    let skipping = filter.afterId !== null;
    const take = ({ value, timestamp }: LogRecord): boolean => {
      if (found.length >= filter.limit) return false;
      if (value === null) return true;
      const trade = serde.deserialize(TRADE_EVENTS.name, value);
      const id = idOf(trade, timestamp);
      if (skipping) {
        // A page ends within records of one time at most: what comes before its last id was on it.
        if (id === filter.afterId) skipping = false;
        return true;
      }
      const wanted =
        (filter.afterMs === null || timestamp > filter.afterMs) &&
        (filter.untilMs === null || timestamp < filter.untilMs);
      if (wanted) found.push({ id, timestampMs: timestamp, trade });
      return true;
    };
    const { earliest, latest } = await offsetsOf(engine, partition);
    const lowMs = Math.max(filter.afterMs ?? 0, filter.newestFirst ? 0 : (resumeMs ?? 0));
    const low = lowMs === 0 ? earliest : await offsetBefore(engine, partition, lowMs);
    if (!filter.newestFirst) {
      await scanForward(engine, partition, key, low, Number.POSITIVE_INFINITY, take);
      return found;
    }
    const highMs = Math.min(filter.untilMs ?? Number.POSITIVE_INFINITY, resumeMs ?? Number.POSITIVE_INFINITY);
    const high = Number.isFinite(highMs) ? await this.#offsetAfter(partition, highMs) : latest;
    const bounds = { beforeOffset: high, earliestOffset: low };
    await scanBackward(engine, partition, key, bounds, Number.POSITIVE_INFINITY, take);
    return found;
  }

  /** An offset behind every record of a time, as far as times step back at most. */
  #offsetAfter(partition: { topic: string; partition: number }, timestampMs: number): Promise<number> {
    return offsetBefore(this.#context.engine, partition, timestampMs + STEP_MS);
  }
}
