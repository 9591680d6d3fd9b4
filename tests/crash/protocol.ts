/** What the traders' process and the exchange's say to each other. */
import type { OrderCommand } from '../../schemas/generated/types.ts';
import type { Followed } from './traders.ts';

/** To the exchange. */
export type ToExchange =
  | { readonly kind: 'send'; readonly command: OrderCommand }
  | { readonly kind: 'follow'; readonly from: readonly (readonly [number, number])[] }
  | { readonly kind: 'stop' };

/** From the exchange. */
export type FromExchange =
  | { readonly kind: 'ready'; readonly prices: readonly (readonly [string, number])[] }
  | { readonly kind: 'acknowledged'; readonly commandId: string; readonly place: string }
  | { readonly kind: 'refused'; readonly commandId: string; readonly cause: string }
  | { readonly kind: 'updates'; readonly updates: readonly Followed[] };

/** File beside the directory that tells how far the process came with its last commit. */
export const TRACE_SUFFIX = '.trace';
