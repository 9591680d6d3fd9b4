/** Commands and outcomes of two partitions of Kafka, between which only times tell the order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OrderCommand, OrderUpdate } from '../../../schemas/generated/types.ts';
import type { AccountId } from '../../../schemas/ids.ts';
import { OutcomeCheck } from '../../../serving/ops/invariants/outcomes.ts';
import { Findings } from '../../../serving/ops/invariants/report.ts';
import type { AppendedRecord } from '../../../streams/log/embedded/index.ts';
import { limitOrder, numberedUuid } from '../../support/commands.ts';

const CUSTOMER = numberedUuid(1, 1) as AccountId;
const HOUSE = numberedUuid(9, 0) as AccountId;

function checked() {
  const findings = new Findings('orders', 10);
  const check = new OutcomeCheck(findings, (account) => account === HOUSE, false);
  let offset = 0;
  const record = (topic: string, account: AccountId): AppendedRecord => {
    offset += 1;
    const key = Buffer.from(account);
    return { topic, partition: 0, offset, sequence: 0, timestamp: 0, key, value: null, headers: [] };
  };
  return {
    check,
    violations: () => findings.report().violations.map(({ what }) => what),
    command: (command: OrderCommand) => check.command(command, record('commands', command.accountId)),
    outcome: ({ commandId, accountId }: OrderCommand, event: OrderUpdate['event']) => {
      const update: Pick<OrderUpdate, 'commandId' | 'accountId' | 'event' | 'rejectCode'> = {
        ...{ commandId, accountId, event },
        rejectCode: null,
      };
      check.orderUpdate(update as OrderUpdate, record('updates', accountId));
    },
  };
}

test('an outcome that is read before its command is its outcome all the same', () => {
  const { check, violations, command, outcome } = checked();
  const order = limitOrder(1, CUSTOMER, 'KO', 'BUY', 1, 600_000, 'IOC');
  outcome(order, 'NEW');
  outcome(order, 'CANCELED');
  command(order);
  check.end();
  assert.deepEqual([violations(), check.pending.size], [[], 0]);
});

test('the house is answered each time, also where its command came again before the first answer was read', () => {
  const { check, violations, command, outcome } = checked();
  const order = limitOrder(2, HOUSE, 'KO', 'BUY', 1, 600_000);
  command(order);
  command(order);
  outcome(order, 'NEW');
  outcome(order, 'REJECTED');
  check.end();
  assert.deepEqual([violations(), check.pending.size], [[], 0]);
});

test('an outcome of no command, a second outcome and a command without one are found at the end', () => {
  const { check, violations, command, outcome } = checked();
  const [answered, unanswered, unasked] = [3, 4, 5].map((index) =>
    limitOrder(index, CUSTOMER, 'KO', 'BUY', 1, 600_000),
  ) as [OrderCommand, OrderCommand, OrderCommand];
  outcome(unasked, 'NEW');
  command(answered);
  command(unanswered);
  outcome(answered, 'NEW');
  outcome(answered, 'NEW');
  check.end();
  assert.deepEqual(violations(), [
    'NEW is a second outcome of a SUBMIT',
    'NEW answers a command that is not on the log',
  ]);
  assert.deepEqual([...check.pending.keys()], [unanswered.commandId]);
});
