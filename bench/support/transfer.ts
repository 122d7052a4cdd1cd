/** Bytes through a session of OpenSSH's ssh, over a connection that is open already, so that no login is in the time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Way = 'up' | 'down';

/** MiB a second for `mib` zeros; `args` are those of ssh, with the destination. Nothing of ours stands in their way. */
export async function transfer(args: readonly string[], way: Way, mib: number): Promise<number> {
  const bytes = mib * 1024 * 1024;
  const command = way === 'down' ? `head -c ${bytes} /dev/zero` : 'cat >/dev/null';
  const stdin = way === 'up' ? openZeros(bytes) : openSync('/dev/null', 'r');
  const begun = performance.now();
  const child = spawn('ssh', [...args, command], { stdio: [stdin, 'ignore', 'inherit'] });
  closeSync(stdin);
  const [status] = await once(child, 'exit');
  if (status !== 0) throw new Error(`ssh ${args.join(' ')} ended with ${status}`);
  return (mib * 1000) / (performance.now() - begun);
}

const kept = new Map<number, number>();

/**
 * A file that lies in memory, from its start. A pipe would need a process that writes into it; a file with a hole would have the client
 * pay for pages that are made as it reads, which takes several times as long where a machine gives back those that were free for
 * some seconds.
 */
function openZeros(bytes: number): number {
  const descriptor = kept.get(bytes) ?? makeZeros(bytes);
  kept.set(bytes, descriptor);
  return openSync(`/proc/self/fd/${descriptor}`, 'r');
}

/** Gone with this process. */
function makeZeros(bytes: number): number {
  const path = join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), `postern-bench-zeros-${process.pid}`);
  const descriptor = openSync(path, 'w+');
  rmSync(path);
  const piece = Buffer.alloc(1024 * 1024);
  for (let left = bytes; left > 0; left -= piece.length) {
    writeSync(descriptor, piece, 0, Math.min(left, piece.length));
  }
  return descriptor;
}
