/** `postern serve` as a process of its own, as an operator starts it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { giveHostKeys } from './host-keys.ts';
import { type SshTarget, writeKnownHosts } from './ssh-client.ts';
import { storeOf } from './store-under-test.ts';

export const main = new URL('../../src/main.ts', import.meta.url).pathname;

export interface Served {
  readonly child: ChildProcess;
  readonly printed: () => string;
  readonly port: number;
}

/** With data and host keys in `folder`, on a free port. */
export const serveArgs = (folder: string, extra: readonly string[] = []) => [
  main,
  'serve',
  ...(extra.some((each) => each.startsWith('--ssh-listen=')) ? [] : ['--ssh-listen=127.0.0.1:0']),
  `--data=${folder}/data`,
  `--hostkeys=${folder}/hostkeys`,
  '--log-level=warn',
  ...extra,
];

/** Resolves once what it prints of itself is there. `stderr` may be a file descriptor instead; `within`: a command that becomes it. */
export async function serve(
  folder: string,
  extra: readonly string[] = [],
  stderr: 'pipe' | number = 'pipe',
  within: readonly string[] = [],
): Promise<Served> {
  const [program = '', ...args] = [...within, process.execPath, ...serveArgs(folder, extra)];
  const store = await storeOf(join(folder, 'data'));
  await giveHostKeys(join(folder, 'hostkeys'));
  const env = { ...process.env, POSTERN_STORE: store };
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', stderr], env });
  let text = '';
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      text += chunk;
      if (/Host key ssh-rsa/.test(text)) resolve();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', () => reject(new Error(text)));
  });
  await pause(200);
  return { child, printed: () => text, port: Number(/SSH on 127\.0\.0\.1:(\d+)/.exec(text)?.[1]) };
}

/** Resolves to the exit status, or null when it had to be killed after `patienceMs`. */
export async function stop({ child }: Served, patienceMs = 30_000): Promise<number | null> {
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  const status = await exited;
  clearTimeout(impatience);
  return status;
}

/** The line of its first host key. */
export const hostKeyIn = async (folder: string) =>
  (await readFile(join(folder, 'hostkeys/ssh_host_ed25519_key.pub'), 'utf8')).trim();

/** The way to a gateway with host keys in `folder`, for one that knows the first of them. */
export const targetIn = async (folder: string, port: number): Promise<SshTarget> => ({
  port,
  knownHosts: await writeKnownHosts(port, [await hostKeyIn(folder)]),
});
