import type {
  SessionStore,
  StateBackend,
  StateStore,
  StoreBuilder,
  StoreLocation,
  WindowStore,
} from '../../../stores/store.ts';
import { entryText } from './outcome.ts';

function isWindowStore(
  store: StateStore,
  kind: StoreBuilder['kind'],
): store is WindowStore<unknown, unknown> {
  return kind === 'window' || kind === 'timestamped-window';
}

function isSessionStore(
  store: StateStore,
  kind: StoreBuilder['kind'],
): store is SessionStore<unknown, unknown> {
  return kind === 'session';
}

function readable(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) => (typeof part === 'bigint' ? `${part}` : part));
}

/**
 * The committed entries of a store as text, as whoever queries it finds them. When a window past its retention leaves the disk depends on the
 * commits, so of windows and sessions only those are told that can be found. Versions cannot be listed: of them nothing is.
 */
export function entriesOf(
  builder: StoreBuilder,
  backend: StateBackend,
  location: StoreLocation,
): readonly string[] {
  const { kind } = builder;
  if (kind === 'versioned-key-value') return [];
  if (kind === 'key-value' || kind === 'timestamped-key-value')
    return [...backend.openCommitted(location).scan(null, null, false)].map(({ key, value }) =>
      entryText(key, value),
    );
  const store = builder.buildCommitted(backend, location);
  if (isWindowStore(store, kind))
    return [...store.all()].map(({ key, value }) => `${readable(key)} = ${readable(value)}`);
  if (isSessionStore(store, kind))
    return [...store.fetchRange(null, null)].map(({ key, value }) => `${readable(key)} = ${readable(value)}`);
  return [];
}
