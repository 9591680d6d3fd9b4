import type { ExecutionReport, OrderCommand } from '../../schemas/generated/types.ts';
import type { Processor, ProcessorContext } from '../../streams/processor.ts';
import type { Record } from '../../streams/record.ts';
import type { SessionMode } from '../domain/calendar.ts';
import { deposit, openAccount, refuseMiskeyed, withdraw } from './accountCommands.ts';
import { cancelOrder, expireOrder, replaceOrder } from './changeOrder.ts';
import { Ledger, type Output } from './ledger.ts';
import { EXPIRY_INTERVAL_MS } from './limits.ts';
import { settle } from './settle.ts';
import { commandKey } from './stores.ts';
import { submitOrder } from './submitOrder.ts';

type Input = OrderCommand | ExecutionReport | null;

/** Accounts, their orders and positions: commands and executions of one account come to one task, in order. */
export class OrdersProcessor implements Processor<string | null, Input, string, Output> {
  readonly #session: SessionMode;
  #ledger!: Ledger;

  constructor(session: SessionMode) {
    this.#session = session;
  }

  init(context: ProcessorContext<string, Output>): void {
    const ledger = new Ledger(context);
    this.#ledger = ledger;
    context.schedule(EXPIRY_INTERVAL_MS, 'stream-time', (nowMs) => {
      ledger.at(nowMs);
      ledger.forEachExpired(nowMs, (order) => expireOrder(ledger, order));
    });
  }

  process(record: Record<string | null, Input>): void {
    const { value } = record;
    if (value === null) return;
    this.#ledger.at(record.timestamp);
    switch (value.kind) {
      case 'OPEN_ACCOUNT':
      case 'DEPOSIT':
      case 'WITHDRAW':
      case 'SUBMIT':
      case 'CANCEL':
      case 'REPLACE':
        if (record.key !== value.accountId) refuseMiskeyed(this.#ledger, value);
        else if (this.#isNew(value)) this.#command(value);
        return;
      default:
        settle(this.#ledger, value);
    }
  }

  /** Whether a command comes for the first time. The house's come from a topology, so exactly once; they leave no trace here. */
  #isNew(command: OrderCommand): boolean {
    // A SUBMIT is known by its order, which is cheaper to ask for: see identity.ts.
    if (command.kind === 'SUBMIT' || command.accountType === 'HOUSE') return true;
    const { accounts, commandsSeen } = this.#ledger.stores;
    if (accounts.get(command.accountId)?.accountType === 'HOUSE') return true;
    return commandsSeen.putIfAbsent(commandKey(command.accountId, command.commandId), command.kind) === null;
  }

  #command(command: OrderCommand): void {
    const ledger = this.#ledger;
    if (command.kind === 'SUBMIT') submitOrder(ledger, command, this.#session);
    else if (command.kind === 'CANCEL') cancelOrder(ledger, command);
    else if (command.kind === 'REPLACE') replaceOrder(ledger, command, this.#session);
    else if (command.kind === 'OPEN_ACCOUNT') openAccount(ledger, command);
    else if (command.kind === 'DEPOSIT') deposit(ledger, command);
    else withdraw(ledger, command);
  }
}
