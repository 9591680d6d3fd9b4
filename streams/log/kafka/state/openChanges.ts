import { OverlayBytes } from '../../state/overlay.ts';
import { type CommittedPosition, putPosition } from '../../state/positions.ts';
import type { EndsLearned } from './endsLearned.ts';
import type { HostedStore } from './hostedStore.ts';
import type { StateRows } from './stateRows.ts';

export type OnChange = (changelogTopic: string, partition: number, key: Buffer, value: Buffer | null) => void;

/** How often a global store's checkpoint is renewed: it keeps no offset, but it must not look old. */
const RENEW_EVERY_MS = 60_000;

/** The changes of open stores on their way: of the open cycle, then in flight with the transaction, then in the database. */
export class OpenChanges {
  private readonly open = new Set<HostedStore>();
  /** Stores with changes in flight, closed ones included. */
  private readonly inFlight = new Set<HostedStore>();
  private readonly ends: EndsLearned;

  constructor(ends: EndsLearned) {
    this.ends = ends;
  }

  openStore(store: HostedStore): OverlayBytes {
    const overlay = new OverlayBytes(store.committed, true, () => {
      this.open.delete(store);
      // What has been drained must be written yet.
      if (!this.inFlight.has(store)) store.overlay = null;
    });
    store.overlay = overlay;
    this.open.add(store);
    return overlay;
  }

  isOpen(store: HostedStore): boolean {
    return this.open.has(store);
  }

  drain(onChange: OnChange): void {
    for (const store of this.open) {
      const { changelog, overlay } = store;
      if (store.learnedEnd !== null) {
        store.pendingEnd = store.learnedEnd;
        store.learnedEnd = null;
      }
      const changes = overlay!.drain();
      if (changes.size === 0) continue;
      this.inFlight.add(store);
      if (changelog === null) continue;
      for (const [text, value] of changes) {
        onChange(changelog.topic, changelog.partition, Buffer.from(text, 'latin1'), value);
      }
    }
  }

  /** @throws LogError LOG_IO; what is in the database is then not known, but that a part of a batch is never there without the rest */
  committed(rows: StateRows, positions: readonly CommittedPosition[], nowMs: number): void {
    const batch = rows.database.batch();
    for (const store of this.inFlight) {
      store.putInFlight(batch);
      if (!store.isGlobal || !store.isPersistent || nowMs - store.renewedMs < RENEW_EVERY_MS) continue;
      store.renewedMs = nowMs;
      rows.putCheckpoint(batch, store.location, { topicId: store.topicId, offset: 0, coveredMs: nowMs });
    }
    const covered: HostedStore[] = [];
    for (const store of this.open) {
      if (store.pendingEnd === null || !positions.some((position) => store.isInput(position))) continue;
      const { location, topicId, pendingEnd } = store;
      rows.putCheckpoint(batch, location, { topicId, offset: pendingEnd, coveredMs: nowMs });
      covered.push(store);
    }
    for (const position of positions) putPosition(batch, position);
    rows.write(batch);
    for (const store of covered) store.pendingEnd = null;
    for (const store of this.inFlight) {
      store.overlay!.commit();
      this.ends.wrote(store);
      if (!this.open.has(store)) store.overlay = null;
    }
    this.inFlight.clear();
    this.ends.tick();
  }

  /** Forgets what is open and what is in flight. */
  discard(): void {
    for (const store of this.inFlight) {
      store.overlay?.discard();
      if (!this.open.has(store)) store.overlay = null;
    }
    this.inFlight.clear();
    for (const store of this.open) store.overlay!.discard();
  }
}
