/**
 * Whom the kernel ends where a container has no memory left (proc_pid_oom_score_adj(5)): this process before anything of the
 * container's, and its programs like any other. Imports nothing but Node.
 */
import { openSync, readFileSync, writeSync } from 'node:fs';

const path = '/proc/self/oom_score_adj';
const first = '1000';

let file: number | undefined;
let usual = '';

/** `known`: what programs are to have, where this process has been made to go first already; else what it has itself. */
export function goFirst(known: string): void {
  try {
    usual = /^-?\d{1,4}$/.test(known) ? known : readFileSync(path, 'latin1').trim();
    file = openSync(path, 'w');
    set(first);
  } catch {
    // Then it is like any other.
    file = undefined;
  }
}

/** Whatever `start` starts, which must be in the very call, does not go first. */
export function asProgram<T>(start: () => T): T {
  set(usual);
  try {
    return start();
  } finally {
    set(first);
  }
}

function set(score: string): void {
  if (file === undefined) return;
  try {
    writeSync(file, score);
  } catch {
    file = undefined;
  }
}
