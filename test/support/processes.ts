/** The processes of a gateway with workers that runs as a program. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { vi } from 'vitest';
import type { Served } from './served.ts';

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** In ticks since the machine's start: numbers begin anew after the highest. */
  readonly startedAt: number;
  readonly words: readonly string[];
}

function listProcesses(): Process[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const [state, parent] = fields;
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      return state === 'Z'
        ? []
        : [{ pid: Number(name), parent: Number(parent), startedAt: Number(fields[19]), words }];
    } catch {
      return [];
    }
  });
}

const childrenOf = (pid: number, word: string) =>
  listProcesses().filter(({ parent, words }) => parent === pid && words.includes(word));

/** Oldest first: the last one is in charge, or about to be. */
export const supervisorsOf = ({ child }: Served): number[] =>
  childrenOf(child.pid as number, 'supervise')
    .sort((one, other) => one.startedAt - other.startedAt)
    .map(({ pid }) => pid);

export const workersOf = (supervisor: number): number[] =>
  childrenOf(supervisor, 'work').map(({ pid }) => pid);

/** Of the supervisor that is in charge. */
export const servingWorkers = (served: Served): number[] => workersOf(supervisorsOf(served).at(-1) ?? 0);

export const isRunning = (pid: number): boolean => listProcesses().some((process) => process.pid === pid);

export const until = (holds: () => unknown, timeout = 20_000) =>
  vi.waitUntil(holds, { timeout, interval: 20 });

/** The workers that hold a socket of a connection from this port: the one in which it lives. */
export function workersWith(served: Served, clientPort: number): number[] {
  const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0');
  const ends = `:${hex(served.port)} 0100007F:${hex(clientPort)} `;
  const line = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .find((each) => each.includes(ends));
  const socket = `socket:[${line?.trim().split(/\s+/)[9]}]`;
  const workers = listProcesses().filter(({ words }) => words.includes('work'));
  return workers.map(({ pid }) => pid).filter((pid) => openFiles(pid).includes(socket));
}

/** Whether it has this port's listening socket, which it may share. */
export function isListening(pid: number, port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n');
  const words = lines.map((line) => line.trim().split(/\s+/));
  const inode = words.find(([, address, , state]) => address?.endsWith(local) && state === '0A')?.[9];
  return openFiles(pid).includes(`socket:[${inode}]`);
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}
