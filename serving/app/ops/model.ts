/** What the server tells the page of the topologies. Times in milliseconds, rates in records a second. */

/** An arrow of the map: from a topic to an application that reads it, or from one to a topic it writes. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  /** Read whole by every task, for a global store. */
  readonly global: boolean;
}

/** The map: told once. Names of applications begin with `application/`, of topics with `topic/`. */
export interface Graph {
  readonly version: string;
  readonly startedAtMs: number;
  readonly engine: string;
  readonly applications: readonly string[];
  readonly topics: readonly {
    readonly name: string;
    readonly external: boolean;
    readonly internal: boolean;
  }[];
  readonly edges: readonly Edge[];
}

export interface Task {
  readonly id: string;
  readonly processed: number;
  readonly rate: number;
  readonly dropped: number;
  readonly deadLettered: number;
  /** Records still to be restored; null where nothing is restored. */
  readonly restoring: number | null;
}

export interface Store {
  readonly name: string;
  readonly kind: string;
  readonly partitions: number;
  readonly entries: number;
  /** False: at least so many. */
  readonly counted: boolean;
}

export interface Input {
  readonly topic: string;
  readonly partition: number;
  readonly position: number | null;
  readonly end: number;
  readonly lag: number;
}

export interface Application {
  readonly id: string;
  readonly state: 'running' | 'restoring' | 'failed' | 'stopped';
  /** Why it failed, in one line. */
  readonly failure: string | null;
  readonly rate: number;
  readonly lag: number;
  readonly openDeadLetters: number;
  readonly tasks: readonly Task[];
  readonly inputs: readonly Input[];
  readonly stores: readonly Store[];
}

export interface Topic {
  readonly name: string;
  readonly records: number;
  readonly rate: number;
  readonly partitions: readonly { readonly earliest: number; readonly latest: number }[];
}

/** The figures: told every second. */
export interface Figures {
  readonly atMs: number;
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, string>>;
  readonly applications: readonly Application[];
  readonly topics: readonly Topic[];
}
