/** Changes of a store that a commit is writing: RocksDB may have them or not, so a reader of the open cycle finds them here. */
import sortedBtree from 'sorted-btree';
import type { PlacedChanges } from './columnDatabase.ts';
import { PARTITION_PREFIX_BYTES } from './partitionPrefix.ts';

// The package is CommonJS: under Node's ESM its class is the member `default` of what is imported.
const BTree = sortedBtree.default;
export type ChangeTree = InstanceType<typeof BTree<string, Buffer | null>>;

export interface ChangesInFlight {
  /** The value by the key's text, null where it is deleted, undefined where it is not among the changes. */
  get(text: string): Buffer | null | undefined;
  /** All changes in order of their keys. Not to be changed. */
  ordered(): ChangeTree;
}

export function treeOf(changes: Iterable<readonly [string, Buffer | null]>): ChangeTree {
  const tree = new BTree<string, Buffer | null>();
  for (const [text, value] of changes) tree.set(text, value);
  return tree;
}

/** Changes that are kept as they were made. */
export class KeptChanges implements ChangesInFlight {
  readonly changes: ReadonlyMap<string, Buffer | null>;
  private tree: ChangeTree | null = null;

  constructor(changes: ReadonlyMap<string, Buffer | null>) {
    this.changes = changes;
  }

  get(text: string): Buffer | null | undefined {
    return this.changes.get(text);
  }

  ordered(): ChangeTree {
    this.tree ??= treeOf(this.changes);
    return this.tree;
  }
}

/** Changes that lie in the batch itself. Most stores are not asked while a batch is written: an index is made by the first question. */
export class PackedChanges implements ChangesInFlight {
  private readonly batch: PlacedChanges;
  private readonly places: readonly number[];
  private index: Map<string, number> | null = null;
  private tree: ChangeTree | null = null;

  /** @param places where the changes of the store lie in the batch, oldest first */
  constructor(batch: PlacedChanges, places: readonly number[]) {
    this.batch = batch;
    this.places = places;
  }

  get(text: string): Buffer | null | undefined {
    const place = this.indexed().get(text);
    return place === undefined ? undefined : this.batch.valueAt(place);
  }

  ordered(): ChangeTree {
    this.tree ??= treeOf(
      [...this.indexed()].map(([text, place]) => [text, this.batch.valueAt(place)] as const),
    );
    return this.tree;
  }

  private indexed(): ReadonlyMap<string, number> {
    if (this.index !== null) return this.index;
    this.index = new Map();
    for (const place of this.places) {
      const key = this.batch.keyAt(place);
      this.index.set(key.toString('latin1', PARTITION_PREFIX_BYTES), place);
    }
    return this.index;
  }
}
