import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CycleParticipant,
  EmbeddedLog,
  type EmbeddedLogOptions,
} from '../../../streams/log/embedded/index.ts';

/** A data directory of its own for a test, and the log in it. */
export class LogUnderTest {
  readonly directory: string = join(mkdtempSync(join(tmpdir(), 'opentape-log-')), 'data');
  private readonly options: Partial<EmbeddedLogOptions>;
  private opened: EmbeddedLog | null = null;

  constructor(options: Partial<EmbeddedLogOptions> = {}) {
    this.options = options;
  }

  get log(): EmbeddedLog {
    if (this.opened === null) throw new Error('the log under test is not open');
    return this.opened;
  }

  async open(options: Partial<EmbeddedLogOptions> = {}): Promise<EmbeddedLog> {
    this.opened = await EmbeddedLog.open({
      maintenanceIntervalMs: null,
      memoryBudgetBytes: 16 * 2 ** 20,
      ...this.options,
      ...options,
      directory: this.directory,
    });
    return this.opened;
  }

  async close(): Promise<void> {
    await this.opened?.close();
    this.opened = null;
  }

  async reopen(options: Partial<EmbeddedLogOptions> = {}): Promise<EmbeddedLog> {
    await this.close();
    return this.open(options);
  }

  async dispose(): Promise<void> {
    await this.close();
    rmSync(join(this.directory, '..'), { recursive: true, force: true });
  }
}

/** A participant that does nothing but what is given. */
export function participantOf(parts: Partial<CycleParticipant>): CycleParticipant {
  return {
    onAppended: () => undefined,
    work: () => false,
    beforeCommit: () => undefined,
    afterCommit: () => undefined,
    onRollback: () => undefined,
    ...parts,
  };
}
