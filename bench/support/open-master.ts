/** ControlMasters: what runs over them pays for no login. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endClient } from './end-client.ts';

export interface Master {
  /** Arguments of ssh for a session over the open connection; the command follows. */
  readonly args: readonly string[];
  /** Processor time of the process that carries all sessions, so far. */
  readonly cpuMs: () => number;
  readonly close: () => Promise<void>;
}

/** An open ControlMaster to that destination, the last of the arguments. */
export async function openMaster(args: readonly string[]): Promise<Master> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-master-'));
  const path = join(folder, 'control');
  const shared = ['-o', `ControlPath=${path}`];
  const master = spawn('ssh', ['-o', 'ControlMaster=yes', ...shared, '-N', ...args], { stdio: 'inherit' });
  for (let tries = 200; ; tries--) {
    try {
      execFileSync('ssh', [...shared, '-O', 'check', ...args], { stdio: 'ignore' });
      break;
    } catch (error) {
      if (tries === 0) throw error;
      await sleep(50);
    }
  }
  return {
    args: [...shared, ...args],
    // proc(5): nanoseconds; `stat` has steps of 10 ms, and ssh has one thread.
    cpuMs: () => Number.parseInt(readFileSync(`/proc/${master.pid}/schedstat`, 'utf8'), 10) / 1e6,
    close: async () => {
      await endClient(master);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
