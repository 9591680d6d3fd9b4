import { copyTopic } from './copyTopic.ts';
import { discardOperation, listDeadLetters, retryOperation } from './deadLetters.ts';
import { deploymentsOperation } from './deployments.ts';
import { lagOperation } from './lag.ts';
import type { Operation, OperationContext } from './operation.ts';
import { recordsOperation } from './records.ts';
import {
  reprocessingStatus,
  rollBackReprocessing,
  startReprocessing,
  switchReprocessing,
} from './reprocessing.ts';

/** An operation as it is asked for over the wire. */
export interface RemoteOperation {
  readonly name: string;
  /** @throws ZodError where the parameters are not those of the operation */
  run(context: OperationContext, params: unknown, signal: AbortSignal): AsyncIterable<unknown>;
}

function remote<P, R>(operation: Operation<P, R>): RemoteOperation {
  return {
    name: operation.name,
    run: (context, params, signal) => operation.run(context, operation.params.parse(params), signal),
  };
}

/** What an operator may ask a running instance for. */
export const OPERATIONS: readonly RemoteOperation[] = [
  remote(deploymentsOperation),
  remote(lagOperation),
  remote(listDeadLetters),
  remote(retryOperation),
  remote(discardOperation),
  remote(copyTopic),
  remote(recordsOperation),
  remote(reprocessingStatus),
  remote(startReprocessing),
  remote(switchReprocessing),
  remote(rollBackReprocessing),
];
