/** The invariants of the platform, by the numbers and names they are told by. */
export const INVARIANTS = {
  money: { number: 1, title: 'Money', promise: 'cash and shares are neither made nor lost' },
  orders: {
    number: 2,
    title: 'Orders',
    promise: 'never overfilled, final states stay, one outcome a command',
  },
  books: { number: 3, title: 'Books', promise: 'never crossed, and what their input makes of them' },
  log: { number: 4, title: 'Log', promise: 'checksums, offsets and positions are as promised' },
  state: { number: 5, title: 'State', promise: 'stores can be read, agree, and nothing is left to process' },
} as const;

export type InvariantName = keyof typeof INVARIANTS;
export const INVARIANT_NAMES = Object.keys(INVARIANTS) as readonly InvariantName[];

/** Something that must not be. */
export interface Violation {
  /** `topic[partition]@offset`, or `application/store key`. */
  readonly place: string;
  /** One line: what is wrong. */
  readonly what: string;
  /** The figures that do not agree, in the units of the log. */
  readonly figures: Readonly<Record<string, number | string | null>>;
}

export interface InvariantReport {
  readonly invariant: InvariantName;
  readonly number: number;
  /** How much was looked at, by what it is: `trades`, `commands` ... */
  readonly checked: Readonly<Record<string, number>>;
  /** The first of them; `violationCount` counts all. */
  readonly violations: readonly Violation[];
  readonly violationCount: number;
  /** What could not be checked, and why. No reason to doubt, but no proof either. */
  readonly notChecked: readonly string[];
}

export interface VerificationReport {
  /** Nothing that was checked is wrong. */
  readonly ok: boolean;
  readonly invariants: readonly InvariantReport[];
}

/** How far a verification has come. */
export interface VerificationProgress {
  readonly invariant: InvariantName;
  /** What is looked at now. */
  readonly step: string;
  readonly records: number;
}

/** Gathers what one invariant finds. Keeps at most `violationsMax` violations; counts all. */
export class Findings {
  readonly #invariant: InvariantName;
  readonly #violationsMax: number;
  readonly #violations: Violation[] = [];
  readonly #checked = new Map<string, number>();
  readonly #notChecked = new Set<string>();
  #violationCount = 0;

  constructor(invariant: InvariantName, violationsMax: number) {
    this.#invariant = invariant;
    this.#violationsMax = violationsMax;
  }

  violation(place: string, what: string, figures: Violation['figures'] = {}): void {
    this.#violationCount += 1;
    if (this.#violations.length < this.#violationsMax) this.#violations.push({ place, what, figures });
  }

  checked(what: string, count = 1): void {
    this.#checked.set(what, (this.#checked.get(what) ?? 0) + count);
  }

  notChecked(why: string): void {
    this.#notChecked.add(why);
  }

  report(): InvariantReport {
    return {
      invariant: this.#invariant,
      number: INVARIANTS[this.#invariant].number,
      checked: Object.fromEntries(this.#checked),
      violations: this.#violations,
      violationCount: this.#violationCount,
      notChecked: [...this.#notChecked],
    };
  }
}

/** A record's place, as violations name it. */
export function placeOf(record: {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}): string {
  return `${record.topic}[${record.partition}]@${record.offset}`;
}
