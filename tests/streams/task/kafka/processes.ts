import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from '../../../support/sources.ts';
import { until } from '../../../support/until.ts';
import type { Told } from './instanceChild.ts';

const CHILD = join(ROOT, 'dist/tests/streams/task/kafka/instanceChild.js');

/** A process of a deployment, started by a test. */
export class InstanceProcess {
  readonly instanceId: string;
  readonly child: ChildProcess;
  told: Told | null = null;

  constructor(
    brokers: readonly string[],
    instanceId: string,
    directory: string,
    prefix: string,
    settings: Readonly<Record<string, string>> = {},
  ) {
    this.instanceId = instanceId;
    this.child = fork(CHILD, [brokers.join(','), instanceId, directory, prefix], {
      execArgv: ['--enable-source-maps'],
      env: { ...process.env, ...settings },
    });
    this.child.on('message', (told) => {
      this.told = told as Told;
    });
  }

  /** Tasks it runs, by application and task. */
  get tasks(): readonly string[] {
    return this.told?.tasks ?? [];
  }

  /** Waits for a state that it tells of from now on. */
  async reaches(what: string, holds: (told: Told) => boolean): Promise<void> {
    const before = this.told;
    try {
      await until(`${this.instanceId} ${what}`, () => {
        if (this.child.exitCode !== null) throw new Error(`it ended with ${this.child.exitCode}`);
        return this.told !== null && this.told !== before && holds(this.told);
      });
    } catch (cause) {
      throw new Error(`${this.instanceId}: ${what}? It told: ${JSON.stringify(this.told)}`, { cause });
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    await exited;
  }
}
