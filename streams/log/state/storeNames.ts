import type { StoreLocation } from '../../../stores/store.ts';

/** Names a store of an application. */
export function idNameOf({ applicationId, storeName }: StoreLocation): string {
  return `${applicationId}\0${storeName}`;
}

/** Names a partition of a store. */
export function nameOf(location: StoreLocation): string {
  return `${idNameOf(location)}\0${location.partition}`;
}
