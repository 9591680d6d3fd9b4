import type { Predicate } from './functions.ts';
import { refuse } from './internal/graph.ts';
import { HANDLE } from './internal/handles.ts';
import { requiredFunction, SIGNATURES } from './internal/required.ts';
import { KStream } from './kStream.ts';
import type { Branched } from './options.ts';
import { branchSupplier, passThroughSupplier } from './processors/stateless.ts';

type KeyGuard<K, V, KR extends K> = (key: K, value: V) => key is KR;
type ValueGuard<K, V, VR extends V> = (key: K, value: V) => value is VR;

/** The type that a predicate tells of a key; where it tells none, the key's own. */
type KeyToldBy<P, K, V> = P extends KeyGuard<K, V, infer KR> ? KR : K;

/** The same for a value. */
type ValueToldBy<P, K, V> = P extends ValueGuard<K, V, infer VR> ? VR : V;

/** A stream being parted: each record goes to the first branch whose predicate holds, or else to the default branch, or nowhere. */
export class BranchedKStream<K, V> {
  readonly #stream: KStream<K, V>;
  readonly #splitter: string;
  readonly #prefix: string;
  readonly #predicates: { readonly predicate: Predicate<unknown, unknown>; readonly child: string }[] = [];
  readonly #branches = new Map<string, KStream<K, V>>();
  #index = 0;
  #done = false;

  /** @param prefix of the branches' names; left out: one is made */
  constructor(stream: KStream<K, V>, prefix: string | undefined) {
    const { graph, node } = stream[HANDLE];
    this.#stream = stream;
    this.#splitter = graph.nodeName('KSTREAM-BRANCH', prefix);
    this.#prefix = this.#splitter;
    graph.addProcessor(this.#splitter, branchSupplier(this.#predicates), [node]);
  }

  #add(predicate: Predicate<unknown, unknown>, branched: Branched<K, V>, number: number): void {
    if (this.#done) refuse(`split ${this.#splitter} is closed by its default branch; branch before`);
    const handle = this.#stream[HANDLE];
    const child = handle.graph.nodeName('KSTREAM-BRANCHCHILD', `${this.#prefix}${branched.name ?? number}`);
    this.#predicates.push({ predicate, child });
    handle.graph.addProcessor(child, passThroughSupplier(), [this.#splitter]);
    const branch = new KStream<K, V>({ ...handle, node: child });
    const kept = branched.chain === undefined ? branch : branched.chain(branch);
    if (kept !== undefined) this.#branches.set(child, kept);
  }

  /**
   * Adds a branch, after those that are there. A predicate that tells the type of the value or of the key narrows it for what the branch is
   * chained to; the branches found by name have the types of the whole, as names tell nothing of types.
   */
  branch<P extends Predicate<K, V>>(
    predicate: P,
    branched: Branched<KeyToldBy<P, K, V>, ValueToldBy<P, K, V>, KStream<K, V>> = {},
  ): this {
    requiredFunction(`branch of ${this.#splitter}`, 'predicate', SIGNATURES.predicate, predicate);
    this.#index += 1;
    this.#add(
      predicate as unknown as Predicate<unknown, unknown>,
      branched as unknown as Branched<K, V>,
      this.#index,
    );
    return this;
  }

  /** Sends what no predicate took to a branch of its own. @returns the branches by name */
  defaultBranch(branched: Branched<K, V> = {}): ReadonlyMap<string, KStream<K, V>> {
    this.#add(() => true, branched, 0);
    return this.noDefaultBranch();
  }

  /** Drops what no predicate took. @returns the branches by name */
  noDefaultBranch(): ReadonlyMap<string, KStream<K, V>> {
    this.#done = true;
    return this.#branches;
  }
}
