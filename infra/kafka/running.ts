/** Processes that go on after the command that started them: found again by the file with their process id. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const POLL_MS = 100;
const STOP_TIMEOUT_MS = 30_000;

function pidFile(directory: string): string {
  return join(directory, 'pid');
}

function commandOf(pid: number): string {
  const { stdout } = spawnSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout ?? '';
}

export function notePid(directory: string, pid: number): void {
  writeFileSync(pidFile(directory), `${pid}\n`);
}

/** The process of a folder, or null. A process id that the system gave to another program since does not count. */
export function runningPid(directory: string): number | null {
  if (!existsSync(pidFile(directory))) return null;
  const pid = Number(readFileSync(pidFile(directory), 'utf8').trim());
  return Number.isInteger(pid) && pid > 1 && commandOf(pid).includes(directory) ? pid : null;
}

/** Asks the process of a folder to end and waits; after a while it is made to. Returns whether there was one. */
export async function stopRunning(directory: string): Promise<boolean> {
  const pid = runningPid(directory);
  if (pid !== null) {
    process.kill(pid, 'SIGTERM');
    const deadline = performance.now() + STOP_TIMEOUT_MS;
    while (runningPid(directory) !== null) {
      if (performance.now() > deadline) {
        process.kill(pid, 'SIGKILL');
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
  rmSync(pidFile(directory), { force: true });
  return pid !== null;
}
