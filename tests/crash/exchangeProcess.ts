import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { OrderCommand } from '../../schemas/generated/types.ts';
import type { FromExchange, ToExchange } from './protocol.ts';
import type { Traders } from './traders.ts';

const CHILD = fileURLToPath(new URL('./exchangeChild.js', import.meta.url));
const READY_TIMEOUT_MS = 60_000;
const REFUSED_PAUSE_MS = 20;

/** How a process is going to end: at a phase of its commits, or when the parent kills it. */
export interface Fault {
  readonly point: string;
  readonly occurrence: number;
}

export const NO_FAULT: Fault = { point: 'none', occurrence: 0 };

/** One life of the platform, with the traders at its door. */
export class ExchangeProcess {
  readonly #child: ChildProcess;
  readonly #traders: Traders;
  readonly #fault: Fault;
  readonly #ended: Promise<unknown>;
  readonly #outstanding = new Set<string>();
  #failure: Error | null = null;
  #target = 0;
  #drained: () => void = () => undefined;

  private constructor(child: ChildProcess, traders: Traders, fault: Fault) {
    this.#fault = fault;
    this.#child = child;
    this.#traders = traders;
    // The channel closes after everything the process has written was read: an answer that was given counts, however late it is read.
    this.#ended = Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
  }

  /** Starts the process; resolves when it is ready, or null where it was killed before. Traders go on where they stopped. */
  static async start(directory: string, traders: Traders, fault: Fault): Promise<ExchangeProcess | null> {
    const child = fork(CHILD, [directory, fault.point, String(fault.occurrence)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: ['--enable-source-maps'],
    });
    const running = new ExchangeProcess(child, traders, fault);
    const ready = new Promise<boolean>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error('the exchange did not start in time')),
        READY_TIMEOUT_MS,
      );
      child.on('message', (message: FromExchange) => {
        if (message.kind === 'ready') {
          traders.prices = new Map(message.prices);
          resolve(true);
        } else running.#take(message);
      });
      void running.#ended.then(() => resolve(false));
      void running.#ended.finally(() => clearTimeout(timer));
    });
    if (!(await ready)) {
      running.#checkKilled();
      return null;
    }
    running.#post({ kind: 'follow', from: [...traders.resumeFrom()] });
    const openings = traders.sent.size === 0 ? traders.openings() : [];
    for (const command of [...openings, ...traders.unacknowledged()]) running.#send(command);
    return running;
  }

  /** Keeps so many commands under way until the process ends; resolves then. */
  async loadUntilKilled(outstanding: number): Promise<void> {
    this.#load(outstanding);
    await this.#ended;
    this.#checkKilled();
  }

  /** Keeps so many commands under way for a time, then kills the process. */
  async loadThenKill(outstanding: number, afterMs: number): Promise<void> {
    this.#load(outstanding);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), afterMs);
    await this.#ended;
    clearTimeout(timer);
    this.#checkKilled();
  }

  /** Keeps so many commands under way for a time, then lets the answers come in. */
  async loadFor(outstanding: number, durationMs: number): Promise<void> {
    this.#load(outstanding);
    await new Promise((resolve) => setTimeout(resolve, durationMs));
  }

  /** Waits for the answers under way and for the updates to come in, then has the process close what it has open. */
  async stop(): Promise<void> {
    this.#target = 0;
    while (this.#outstanding.size > 0 && this.#failure === null)
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    this.#post({ kind: 'stop' });
    await this.#ended;
    if (this.#failure !== null) throw this.#failure;
    if (this.#child.exitCode !== 0) throw new Error(`the exchange ended with ${this.#child.exitCode}`);
  }

  #load(outstanding: number): void {
    this.#target = outstanding;
    this.#refill();
  }

  #refill(): void {
    while (this.#outstanding.size < this.#target && this.#child.connected) this.#send(this.#traders.next());
    if (this.#outstanding.size === 0) this.#drained();
  }

  #send(command: OrderCommand): void {
    this.#traders.sending(command);
    this.#outstanding.add(command.commandId);
    this.#post({ kind: 'send', command });
  }

  #post(message: ToExchange): void {
    // The process may be gone at any moment: what it did not get is like what it did not answer.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #take(message: FromExchange): void {
    try {
      if (message.kind === 'updates') for (const update of message.updates) this.#traders.follow(update);
      else if (message.kind === 'refused') this.#refused(message.commandId, message.cause);
      else if (message.kind === 'acknowledged') {
        this.#traders.acknowledge(message.commandId, message.place);
        this.#outstanding.delete(message.commandId);
        this.#refill();
      }
    } catch (error) {
      this.#failure = error as Error;
      this.#child.kill('SIGKILL');
      this.#drained();
    }
  }

  /** A disk that fails is expected where the fault says so: the client does not know what became of its command. */
  #refused(commandId: string, cause: string): void {
    if (this.#fault.point !== 'failing-writes' || !cause.includes('LOG_IO'))
      throw new Error(`${commandId}: ${cause}`);
    this.#outstanding.delete(commandId);
    setTimeout(() => this.#refill(), REFUSED_PAUSE_MS);
  }

  #checkKilled(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#child.signalCode !== 'SIGKILL')
      throw new Error(`the exchange ended by itself (${this.#child.exitCode})`);
  }
}
