import type { AccountUpdate, OrderCommand, OrderUpdate } from '../../../schemas/generated/types.ts';
import type { AppendedRecord } from '../../../streams/log/embedded/index.ts';
import { type Findings, placeOf } from './report.ts';

/** Commands that have their outcome and are still remembered: a second outcome follows at once, or never. */
const REMEMBERED_MAX = 200_000;

type Outcome = OrderUpdate['event'] | AccountUpdate['kind'];

/** What may answer each kind of command. */
const OUTCOMES: Readonly<Record<OrderCommand['kind'], readonly Outcome[]>> = {
  OPEN_ACCOUNT: ['OPENED', 'REJECTED'],
  DEPOSIT: ['DEPOSITED', 'REJECTED'],
  WITHDRAW: ['WITHDRAWN', 'REJECTED'],
  SUBMIT: ['NEW', 'REJECTED'],
  CANCEL: ['CANCELED', 'CANCEL_REJECTED'],
  REPLACE: ['REPLACED', 'REPLACE_REJECTED'],
};

export interface PendingCommand {
  readonly command: OrderCommand;
  readonly record: AppendedRecord;
}

/** A map that forgets its oldest entry when it is full. */
export class Remembered<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #max: number;
  forgotten = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  set(key: K, value: V): void {
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#max) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      this.forgotten += 1;
      return;
    }
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  entries(): Iterable<readonly [K, V]> {
    return this.#entries;
  }
}

/** An outcome that came before its command: of two partitions only the times tell, and those of several senders do not rise. */
interface EarlyOutcome {
  readonly outcome: Outcome;
  readonly record: AppendedRecord;
  readonly update: { readonly accountId: string };
}

/** Every accepted command has exactly one outcome. */
export class OutcomeCheck {
  readonly #findings: Findings;
  readonly #isHouse: (accountId: string) => boolean;
  readonly pending = new Map<string, PendingCommand>();
  readonly #done = new Remembered<string, OrderCommand>(REMEMBERED_MAX);
  readonly #excused = new Remembered<string, true>(REMEMBERED_MAX);
  readonly #ordered: boolean;
  // Of the house apart: its updates outlive its commands, so that most of them wait for none.
  readonly #early = new Remembered<string, readonly EarlyOutcome[]>(REMEMBERED_MAX);
  readonly #earlyOfHouse = new Remembered<string, readonly EarlyOutcome[]>(REMEMBERED_MAX);
  /** The house's commands that came again before the first of them was answered. */
  readonly #again = new Map<string, PendingCommand[]>();

  /** @param ordered commands and updates come in the order in which they were appended; else about so, and `end` tells what was missing */
  constructor(findings: Findings, isHouse: (accountId: string) => boolean, ordered: boolean) {
    this.#findings = findings;
    this.#isHouse = isHouse;
    this.#ordered = ordered;
  }

  command(command: OrderCommand, record: AppendedRecord): void {
    // A command under another account's key is refused by another task; nothing of its account is touched.
    if (record.key?.toString('utf8') !== command.accountId) return;
    this.#findings.checked('commands');
    const { commandId } = command;
    // Sent again by a customer: the first one stands, and was or will be answered. The house is answered each time.
    const answeredOnce = !this.#isHouse(command.accountId);
    if (!answeredOnce && !this.#ordered && this.pending.has(commandId))
      this.#again.set(commandId, [...(this.#again.get(commandId) ?? []), { command, record }]);
    if (this.pending.has(commandId) || (answeredOnce && this.#done.get(commandId) !== undefined)) return;
    this.pending.set(commandId, { command, record });
    const waiting = answeredOnce ? this.#early : this.#earlyOfHouse;
    const early = waiting.get(commandId);
    if (early === undefined) return;
    waiting.delete(commandId);
    for (const { outcome, record: at, update } of early) this.#outcome(commandId, outcome, at, update);
  }

  /** After the last record: outcomes that no command has come for. */
  end(): void {
    for (const [commandId, early] of this.#early.entries())
      for (const { outcome, record, update } of early) this.#unasked(commandId, outcome, record, update);
    if (this.#early.forgotten > 0)
      this.#findings.notChecked(
        `${this.#early.forgotten} outcomes that came before their commands, if they have any`,
      );
    for (const [commandId, [first]] of this.#again)
      if (first !== undefined && !this.pending.has(commandId)) this.pending.set(commandId, first);
  }

  /** A command whose outcome may be in the part of the log that retention has removed. */
  excuse({ commandId }: OrderCommand): void {
    this.#excused.set(commandId, true);
  }

  accountUpdate(update: AccountUpdate, record: AppendedRecord): void {
    if (update.rejectCode !== 'COMMAND_MISKEYED')
      this.#outcome(update.commandId, update.kind, record, update);
  }

  orderUpdate(update: OrderUpdate, record: AppendedRecord): void {
    const { commandId, event } = update;
    if (commandId === null || event === 'FILL' || event === 'PARTIAL_FILL') return;
    if (update.rejectCode !== 'COMMAND_MISKEYED') this.#outcome(commandId, event, record, update);
  }

  #outcome(
    commandId: string,
    outcome: Outcome,
    record: AppendedRecord,
    update: { readonly accountId: string },
  ): void {
    const waiting = this.pending.get(commandId);
    if (waiting !== undefined) {
      this.pending.delete(commandId);
      const again = this.#again.get(commandId)?.shift();
      if (again !== undefined) this.pending.set(commandId, again);
      this.#done.set(commandId, waiting.command);
      if (OUTCOMES[waiting.command.kind].includes(outcome)) return;
      this.#findings.violation(placeOf(record), `${outcome} is no outcome of ${waiting.command.kind}`, {
        command: commandId,
        commandAt: placeOf(waiting.record),
      });
      return;
    }
    const done = this.#done.get(commandId);
    if (done !== undefined) {
      // What an immediate order leaves is cancelled in the name of the command that brought it; so is a replacement that cannot rest.
      if (outcome === 'CANCELED' && (done.kind === 'SUBMIT' || done.kind === 'REPLACE')) return;
      this.#findings.violation(placeOf(record), `${outcome} is a second outcome of a ${done.kind}`, {
        command: commandId,
      });
      return;
    }
    if (this.#ordered) {
      this.#unasked(commandId, outcome, record, update);
      return;
    }
    const early = this.#isHouse(update.accountId) ? this.#earlyOfHouse : this.#early;
    early.set(commandId, [...(early.get(commandId) ?? []), { outcome, record, update }]);
  }

  #unasked(
    commandId: string,
    outcome: Outcome,
    record: AppendedRecord,
    update: { readonly accountId: string },
  ): void {
    // The house's commands are kept for a day only; its updates may outlive them.
    if (this.#isHouse(update.accountId) || this.#excused.get(commandId) !== undefined) return;
    this.#findings.violation(placeOf(record), `${outcome} answers a command that is not on the log`, {
      command: commandId,
      account: update.accountId,
    });
  }
}
