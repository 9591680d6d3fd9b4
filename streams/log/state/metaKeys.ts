/** Keys in the column `meta` that both engines have. Names are told apart by a zero byte, which no name holds. */
export const STORE_PREFIX = 'store/';
export const POSITION_PREFIX = 'position/';

export function storeKey(applicationId: string, storeName: string): Buffer {
  return Buffer.from(`${STORE_PREFIX}${applicationId}\0${storeName}`);
}

export function positionKey(applicationId: string, topic: string, partition: number): Buffer {
  return Buffer.from(`${POSITION_PREFIX}${applicationId}\0${topic}\0${partition}`);
}

/** The end of all keys that start with an ASCII prefix. */
export function afterPrefix(prefix: string): Buffer {
  return Buffer.from(`${prefix}\xff`, 'latin1');
}
