/** Bytes through a session of OpenSSH's ssh, over a connection that is open already, so that no login is in the time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync, openSync, rmSync } from 'node:fs';
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

/** A file with a hole in it, which is gone when it is closed: no process writes into a pipe beside those that are measured. */
function openZeros(bytes: number): number {
  const path = join(tmpdir(), `postern-bench-zeros-${process.pid}`);
  const descriptor = openSync(path, 'w+');
  rmSync(path);
  ftruncateSync(descriptor, bytes);
  return descriptor;
}
