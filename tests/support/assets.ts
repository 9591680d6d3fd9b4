import type { Asset } from '../../schemas/generated/types.ts';
import type { Ticker } from '../../schemas/ids.ts';
import type { Serdes } from '../../schemas/serdes.ts';
import { topicRecord } from '../../schemas/topicRecord.ts';
import { deriveUuid } from '../../schemas/uuid.ts';
import type { ProducerRecord } from '../../streams/log/log.ts';
import { REFERENCE_ASSETS } from '../../topologies/assets/topics.ts';

/** A security that may be traded, in fractions too. */
export function tradableAsset(symbol: string, exchange: string): Asset {
  return {
    symbol: symbol as Ticker,
    assetId: deriveUuid(`asset:${symbol}`),
    name: symbol,
    exchange,
    tradable: true,
    fractionable: true,
    previousCloseTicks: null,
  };
}

/** The same as a record of the assets. */
export function assetRecord(
  serdes: Serdes,
  symbol: string,
  exchange: string,
  timestamp: number,
): ProducerRecord {
  return topicRecord(serdes, REFERENCE_ASSETS, symbol, tradableAsset(symbol, exchange), timestamp);
}
