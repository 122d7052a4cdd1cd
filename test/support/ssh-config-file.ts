/** ssh with the configuration that `ssh-config` prints, as people use it. */
import { appendFile, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestGateway } from './gateway.ts';
import { type KeyPair, type RunOptions, runProgram } from './ssh-client.ts';

/** The ssh_config that `ssh-config` prints, with this test's address and known hosts in it. */
export async function sshConfigFile(door: TestGateway, key: KeyPair = door.admin): Promise<string> {
  const printed = await door.ssh(`ssh-config --identity-file=${key.file}`, { key });
  const known = await door.ssh('ssh-config --known-hosts', { key });
  const folder = await mkdtemp(join(door.folder, 'config-'));
  await writeFile(join(folder, 'known_hosts'), known.text);
  const file = join(folder, 'config');
  await writeFile(file, printed.text);
  await appendFile(
    file,
    `\nHost *\n  UserKnownHostsFile ${join(folder, 'known_hosts')}\n  StrictHostKeyChecking yes\n  LogLevel ERROR\n`,
  );
  return file;
}

/** `ssh -F FILE ARGS…`. */
export const viaConfig = (file: string, args: readonly string[], options: RunOptions = {}) =>
  runProgram('ssh', ['-F', file, ...args], options);
