/** Servers that are a process of ours: started, waited for, ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Folder, RunningPeer } from './peer.ts';

export interface ChildServer {
  readonly pid: number;
  /** The first line that it printed. */
  readonly firstLine: () => Promise<string>;
  /** What it printed until this is in it. */
  readonly outputUntil: (pattern: RegExp) => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** Its stderr is kept and told only where it ends by itself. */
export function startChild(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): ChildServer {
  const child: ChildProcess = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const kill = () => void child.kill('SIGTERM');
  process.once('exit', kill);
  let errors = '';
  child.stderr?.on('data', (data: Buffer) => {
    errors = (errors + data).slice(-4_000);
  });
  const ended = once(child, 'exit');
  const outputUntil = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      let text = '';
      child.stdout?.on('data', (data: Buffer) => {
        text += data;
        if (pattern.test(text)) resolve(text);
      });
      void ended.then(() => reject(new Error(`${command} did not start: ${text}${errors}`)));
    });
  return {
    pid: child.pid as number,
    firstLine: async () => (await outputUntil(/\n/)).split('\n')[0] as string,
    outputUntil,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
      process.off('exit', kill);
    },
  };
}

/** The server that is this process, listens on 127.0.0.1, and leaves nothing in its folder. */
export function childPeer({ name, key, port, child, folder }: ChildPlace): RunningPeer {
  return {
    name,
    pid: child.pid,
    host: '127.0.0.1',
    port,
    user: 'root',
    key,
    stop: async () => {
      await child.stop();
      folder.remove();
    },
  };
}

interface ChildPlace {
  readonly name: string;
  readonly key: string;
  readonly port: number;
  readonly child: ChildServer;
  readonly folder: Folder;
}

/**
 * The command with a folder of ours in the place of root's ~/.ssh, for servers that look nowhere else for keys; in a
 * mount namespace of its own, so that nobody else sees it.
 */
export function withOwnSshFolder(folder: string, command: readonly string[]): readonly [string, string[]] {
  const place = join(userInfo().homedir, '.ssh');
  mkdirSync(place, { recursive: true, mode: 0o700 });
  const script = 'mount --bind "$0" "$1" && shift && exec "$@"';
  return ['unshare', ['--mount', 'sh', '-c', script, folder, place, ...command]];
}
