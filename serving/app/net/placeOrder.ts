import type { ApiOrder } from '../trading/orderBlotter.ts';
import type { OrderRequest } from '../trading/orderDraft.ts';
import { type Api, ApiFailure } from './api.ts';

const LOOKUPS_MAX = 8;
const LOOKUP_PAUSE_MS = 1_500;
/** How often the server must not know the order before it counts as lost on the way: the first request may still be under way. */
const UNKNOWN_MIN = 3;

/** A random UUID (version 4); crypto.randomUUID is missing where the page is not served from this machine or over TLS. */
export function randomUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOKUP_PAUSE_MS));
}

/**
 * Places an order under an id of the client's own, new for every order. Where no answer comes, the order is never sent twice: it is looked up by that id until
 * the server says whether it has it.
 * @param onUncertain called when the answer failed to come and the looking up begins
 * @throws ApiFailure: the refusal, or status 0 where the outcome stays unknown
 */
export async function placeOrder(
  api: Api,
  request: OrderRequest,
  clientOrderId: string,
  onUncertain: () => void,
): Promise<ApiOrder> {
  try {
    return await api.post<ApiOrder>('/v2/orders', { ...request, client_order_id: clientOrderId });
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.status !== 0) throw error;
    onUncertain();
    return await lookUp(api, clientOrderId, error);
  }
}

async function lookUp(api: Api, clientOrderId: string, cause: ApiFailure): Promise<ApiOrder> {
  let unknown = 0;
  for (let attempt = 0; attempt < LOOKUPS_MAX; attempt += 1) {
    await pause();
    try {
      return await api.get<ApiOrder>(`/v2/orders:by_client_order_id?client_order_id=${clientOrderId}`);
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (error.status === 404) unknown += 1;
      else if (error.status !== 0 && error.status < 500) throw error;
      if (unknown >= UNKNOWN_MIN) throw new ApiFailure(0, 'The order did not reach the server', {}, cause);
    }
  }
  throw new ApiFailure(
    0,
    'No answer from the server: look at your orders before you send it again',
    {},
    cause,
  );
}
