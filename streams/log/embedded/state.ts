import type {
  BytesStore,
  KeyValue,
  StateBackend,
  StoreLocation,
  StoreResidence,
} from '../../../stores/store.ts';
import { LogError } from '../errors.ts';
import { DatabaseBytes, prefixed } from '../state/databaseBytes.ts';
import { PackedChanges } from '../state/inFlight.ts';
import { afterPrefix, STORE_PREFIX, storeKey } from '../state/metaKeys.ts';
import { CommittedBytesStore, OverlayBytes, ResidentBytes } from '../state/overlay.ts';
import { partitionPrefix } from '../state/partitionPrefix.ts';
import { idNameOf, nameOf } from '../state/storeNames.ts';
import { IDS_KEY } from './keys.ts';
import type { BackgroundBatch, LogDatabase, LogWriteBatch } from './logDatabase.ts';
import { readIds } from './topics.ts';

/** Entries read at once when a resident store is filled. */
const LOAD_CHUNK = 4096;
const ID_BYTES = 4;

interface OpenStore {
  readonly location: StoreLocation;
  readonly prefix: Buffer;
  readonly overlay: OverlayBytes;
  readonly database: DatabaseBytes;
  readonly resident: ResidentBytes | null;
  /** Where the changes of the store lie in the batch for another thread that is being filled. */
  places: number[];
}

/** The state stores of an embedded log. Their changes are written by the log's own commits. */
export class EmbeddedState implements StateBackend {
  private readonly database: LogDatabase;
  private readonly stores = new Map<string, OpenStore>();
  private readonly storeIds = new Map<string, number>();
  private readonly copies = new Set<string>();

  constructor(database: LogDatabase) {
    this.database = database;
    this.loadIds();
  }

  /**
   * Opens a store partition for writing; its writes become durable with the next commit of the log.
   * @throws LogError LOG_STORE_IN_USE where it is open already, LOG_IO
   */
  open(location: StoreLocation, residence: StoreResidence): BytesStore {
    const name = nameOf(location);
    if (this.stores.has(name)) {
      throw new LogError(
        'LOG_STORE_IN_USE',
        `store ${location.storeName} of ${location.applicationId}, partition ${location.partition}, is open already`,
      );
    }
    const id = this.storeId(location, residence);
    const database = new DatabaseBytes(this.database, id, location.partition);
    const resident = residence === 'memory' ? new ResidentBytes() : null;
    if (resident !== null) fill(resident, database);
    const overlay = new OverlayBytes(
      resident ?? database,
      resident !== null,
      () => void this.stores.delete(name),
    );
    const prefix = partitionPrefix(id, location.partition);
    this.stores.set(name, { location, prefix, overlay, database, resident, places: [] });
    return overlay;
  }

  openCommitted(location: StoreLocation): BytesStore {
    const name = nameOf(location);
    let database: DatabaseBytes | null = null;
    return new CommittedBytesStore(() => {
      const open = this.stores.get(name);
      if (open !== undefined) return open.resident ?? open.database;
      const id = this.storeIds.get(idNameOf(location));
      if (database === null && id !== undefined)
        database = new DatabaseBytes(this.database, id, location.partition);
      return database;
    });
  }

  /**
   * Names and partitions of all stores that hold something, for tools. Copies of topics are left out unless asked for: they may be a
   * little behind, and hold nothing of their own.
   */
  list(options: { readonly copies: boolean } = { copies: false }): readonly StoreLocation[] {
    const found: StoreLocation[] = [];
    for (const [name, id] of this.storeIds) {
      if (this.copies.has(name) && !options.copies) continue;
      const [applicationId, storeName] = name.split('\0');
      for (let next = 0; ; ) {
        const rows = this.database.rows('state', {
          gte: partitionPrefix(id, next),
          lt: partitionPrefix(id + 1, 0),
          limit: 1,
        });
        if (rows.length === 0) break;
        const partition = rows[0]!.readUInt32BE(4);
        found.push({ applicationId: applicationId!, storeName: storeName!, partition });
        next = partition + 1;
      }
    }
    return found;
  }

  /** Puts what the open cycle changed into the batch, and whatever is put until `handOver` as well. */
  drainInto(batch: LogWriteBatch, background: BackgroundBatch | null): void {
    for (const store of this.stores.values()) {
      const { overlay, prefix, places } = store;
      overlay.drainInto((key, value) => {
        if (background !== null) places.push(background.place);
        const location = prefixed(prefix, key);
        if (value === null) batch.delete('state', location);
        else batch.put('state', location, value);
      });
    }
  }

  /** The batch is full: what is put from now on belongs to the next one. Until `committed`, what it changes is read from it. */
  handOver(background: BackgroundBatch | null): void {
    for (const store of this.stores.values()) {
      const { overlay, places } = store;
      const inFlight = background !== null && places.length > 0;
      overlay.handOver(inFlight ? new PackedChanges(background, places) : null);
      if (places.length > 0) store.places = [];
    }
  }

  /** The batch that was handed over is durable. */
  committed(): void {
    for (const { overlay } of this.stores.values()) overlay.commit();
  }

  /** Forgets what the open cycle changed, and what was handed over where it did not become durable. */
  discard(): void {
    for (const store of this.stores.values()) {
      store.overlay.discard();
      store.places = [];
    }
  }

  /** The database was opened again: takes over what it holds. */
  reload(): void {
    this.loadIds();
    for (const { overlay, resident, database } of this.stores.values()) {
      overlay.discard();
      if (resident === null) continue;
      resident.clear();
      fill(resident, database);
    }
  }

  close(): void {
    this.stores.clear();
  }

  private loadIds(): void {
    this.storeIds.clear();
    this.copies.clear();
    const rows = this.database.rows('meta', {
      gte: Buffer.from(STORE_PREFIX),
      lt: afterPrefix(STORE_PREFIX),
    });
    for (let row = 0; row < rows.length; row += 2) {
      const name = rows[row]!.toString().slice(STORE_PREFIX.length);
      this.storeIds.set(name, rows[row + 1]!.readUInt32BE(0));
      if (rows[row + 1]!.length > ID_BYTES) this.copies.add(name);
    }
  }

  private storeId(location: StoreLocation, residence: StoreResidence): number {
    const name = idNameOf(location);
    const known = this.storeIds.get(name);
    if (known !== undefined) return known;
    const ids = readIds(this.database);
    const copy = residence === 'copy';
    // A fifth byte marks a copy.
    const value = Buffer.alloc(copy ? ID_BYTES + 1 : ID_BYTES);
    value.writeUInt32BE(ids.store, 0);
    const batch = this.database.batch();
    batch.put('meta', storeKey(location.applicationId, location.storeName), value);
    batch.put('meta', IDS_KEY, Buffer.from(JSON.stringify({ ...ids, store: ids.store + 1 })));
    this.database.write(batch);
    this.storeIds.set(name, ids.store);
    if (copy) this.copies.add(name);
    return ids.store;
  }
}

function fill(resident: ResidentBytes, database: DatabaseBytes): void {
  for (let from: Buffer | null = null; ; ) {
    const entries: readonly KeyValue<Buffer, Buffer>[] = database.entries(from, null, false, LOAD_CHUNK);
    resident.apply(new Map(entries.map(({ key, value }) => [key.toString('latin1'), value])));
    if (entries.length < LOAD_CHUNK) return;
    from = Buffer.concat([entries[entries.length - 1]!.key, Buffer.alloc(1)]);
  }
}
