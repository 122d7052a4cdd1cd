/** What a server costs with all the processes that it has started, from proc(5). */
import { readdirSync, readFileSync } from 'node:fs';

const tickMs = 10;

/** The fields of /proc/PID/stat behind the name; undefined when the process is gone. */
function statOf(pid: number): readonly string[] | undefined {
  return readOf(pid, 'stat')
    ?.replace(/^.*\) /s, '')
    .split(' ');
}

function readOf(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}

/** The process and whatever descends from it. */
export function treeOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statOf(Number(name))?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/**
 * User and system time of the tree so far, in steps of 10 ms. Children that have ended are in it as soon as their parent
 * has waited for them.
 */
export function cpuMsOf(root: number): number {
  let ticks = 0;
  for (const pid of treeOf(root)) {
    // utime, stime, cutime, cstime.
    for (const field of statOf(pid)?.slice(11, 15) ?? []) ticks += Number(field);
  }
  return ticks * tickMs;
}

/** Proportional set size of the tree: pages that processes share are counted once, split among them. */
export function pssBytesOf(root: number): number {
  let kib = 0;
  for (const pid of treeOf(root)) {
    kib += Number(/^Pss:\s+(\d+)/m.exec(readOf(pid, 'smaps_rollup') ?? '')?.[1] ?? 0);
  }
  return kib * 1024;
}

const sigusr2Bit = 1n << 11n;

/** Has every process of the tree that listens for SIGUSR2 collect its garbage; see peers/postern.ts. */
export function collectGarbageOf(root: number): void {
  for (const pid of treeOf(root)) {
    const caught = /^SigCgt:\s+([\da-f]+)/m.exec(readOf(pid, 'status') ?? '')?.[1];
    if (caught && BigInt(`0x${caught}`) & sigusr2Bit) process.kill(pid, 'SIGUSR2');
  }
}
