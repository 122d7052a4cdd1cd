/** What to tell people who are in the lobby but evidently meant something else. */
import type { Config } from '../config/config.ts';
import type { Endpoint } from './command.ts';

/** Login names that the usual ssh_config stanzas send when they meant a container. */
export function meantTarget(loginName: string, { targetPrefix }: Pick<Config, 'targetPrefix'>): boolean {
  const name = loginName.toLowerCase();
  return name === 'root' || name === targetPrefix.slice(0, -1) || name.startsWith(targetPrefix);
}

/** ssh keeps the alias to itself: say so, and what to put instead. */
export function targetHint({ targetPrefix }: Pick<Config, 'targetPrefix'>, { host, port }: Endpoint): string {
  const ssh = port === 22 ? 'ssh' : `ssh -p ${port}`;
  return (
    `This is the lobby. If you meant a target: ssh does not send the alias "${targetPrefix}NAME" of an ssh_config; ` +
    `use "${ssh} ${targetPrefix}NAME@${host}", or put what "${ssh} ${host} ssh-config" prints in the place of that Host block.`
  );
}

const copyPrograms = new Set(['scp', 'rsync', 'sftp', 'sftp-server', 'internal-sftp']);

/** `scp -t …`, `rsync --server …`, `/usr/lib/openssh/sftp-server`: file transfer wants a target. */
export function meantFiles(line: string): boolean {
  const program = line.trimStart().split(/\s/, 1)[0] ?? '';
  return copyPrograms.has(program.slice(program.lastIndexOf('/') + 1));
}

/** Somebody piped or typed a public key instead of a command. */
export function keyHint(firstWord: string): string | undefined {
  return /^(ssh-(ed25519|rsa|dss)|ecdsa-sha2-|sk-)/.test(firstWord)
    ? 'To register a public key: "cat KEY.pub | ssh GATEWAY ssh-key add".'
    : undefined;
}
