import type { StoreLocation, StoreResidence } from '../../../../stores/store.ts';
import type { TopicPartition } from '../../../record.ts';
import { type DatabaseBytes, prefixed, prefixedText } from '../../state/databaseBytes.ts';
import { type CommittedBytes, keyText, type OverlayBytes, ResidentBytes } from '../../state/overlay.ts';
import type { CommittedPosition } from '../../state/positions.ts';
import type { ChangelogRecords } from './changelogReader.ts';
import type { StateBatch, StateRows } from './stateRows.ts';

/** A store partition that this process holds, be it open in a task, being restored or following as a standby. */
export class HostedStore {
  readonly location: StoreLocation;
  readonly residence: StoreResidence;
  /** Null where the store has none: logging is off, or it is a global one. */
  readonly changelog: TopicPartition | null;
  readonly isGlobal: boolean;
  /** The topics that its task reads. */
  readonly inputs: readonly string[];
  readonly prefix: Buffer;
  readonly resident: ResidentBytes | null;
  overlay: OverlayBytes | null = null;
  topicId = '';
  /** Where following the changelog began, how far it has come and is written, and how far it must come before the store may be opened. */
  start = 0;
  position = 0;
  target = 0;
  /** An end of the changelog heard of while the task was ours; see `EndsLearned`. */
  learnedEnd: number | null = null;
  /** What the commit of the transaction that has been drained makes true. */
  pendingEnd: number | null = null;
  /** When a global store's checkpoint was written last. */
  renewedMs = 0;
  private readonly database: DatabaseBytes;

  constructor(
    rows: StateRows,
    location: StoreLocation,
    residence: StoreResidence,
    changelog: TopicPartition | null,
    isGlobal: boolean,
    inputs: readonly string[],
  ) {
    this.location = location;
    this.residence = residence;
    this.changelog = changelog;
    this.isGlobal = isGlobal;
    this.inputs = inputs;
    this.prefix = rows.prefixOf(location);
    this.database = rows.bytesOf(location);
    this.resident = residence === 'memory' ? new ResidentBytes() : null;
  }

  get committed(): CommittedBytes {
    return this.resident ?? this.database;
  }

  /** Whether the changes outlive the process, so that a checkpoint means something. */
  get isPersistent(): boolean {
    return this.resident === null;
  }

  /** Whether a position is one of the store's own task. */
  isInput({ applicationId, topic, partition }: CommittedPosition): boolean {
    return (
      applicationId === this.location.applicationId &&
      partition === this.location.partition &&
      this.inputs.includes(topic)
    );
  }

  /** Puts what a changelog says into the batch, or where the store lives in memory right into it. Returns how many changes there were. */
  applyRecords(records: ChangelogRecords, batch: StateBatch): number {
    const { resident, prefix } = this;
    let count = 0;
    if (resident === null) {
      records.each((key, value) => {
        putChange(batch, prefixed(prefix, key), value);
        count += 1;
      });
    } else {
      records.each((key, value) => {
        // A copy: a view would keep all that was fetched with it.
        resident.set(keyText(key), value === null ? null : Buffer.from(value));
        count += 1;
      });
    }
    return count;
  }

  /** Puts the changes in flight into the batch. A store in memory takes them over when they are committed. */
  putInFlight(batch: StateBatch): void {
    if (this.resident !== null || this.overlay === null) return;
    for (const [text, value] of this.overlay.changesInFlight) {
      putChange(batch, prefixedText(this.prefix, text), value);
    }
  }
}

function putChange(batch: StateBatch, key: Buffer, value: Buffer | null): void {
  if (value === null) batch.delete('state', key);
  else batch.put('state', key, value);
}
