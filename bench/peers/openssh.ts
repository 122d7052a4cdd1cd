/** OpenSSH's sshd, as root for root: that is one process for each connection, where anybody else's are two. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.ts';
import { answering } from '../support/answering.ts';
import { childPeer, startChild } from './child-server.ts';
import { ciphers, generateKey, makeFolder, type Peer } from './peer.ts';

export const openssh: Peer = {
  name: "OpenSSH's sshd",
  version: () => /OpenSSH_\S+/.exec(String(spawnSync('ssh', ['-V']).stderr))?.[0] ?? 'unknown',
  ciphers,
  start: (key) => startOpenssh(key, `${key}.pub`),
};

/** `authorizedKeys`: the file; sshd reads it at each login. */
export async function startOpenssh(key: string, authorizedKeys: string) {
  const folder = makeFolder('sshd');
  const port = await freePort();
  generateKey(join(folder.path, 'host'));
  mkdirSync('/run/sshd', { recursive: true });
  const config = join(folder.path, 'config');
  writeFileSync(config, opensshConfig(`${folder.path}/host`, authorizedKeys, `127.0.0.1:${port}`));
  const child = startChild('/usr/sbin/sshd', ['-D', '-f', config]);
  await answering(port);
  return childPeer({ name: openssh.name, key, port, child, folder });
}

/** Limits are out of the way, as they are at the gateway. */
export function opensshConfig(hostKey: string, authorizedKeys: string, listen: string): string {
  return `ListenAddress ${listen}
HostKey ${hostKey}
AuthorizedKeysFile ${authorizedKeys}
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
MaxStartups 10000
MaxSessions 1000
PidFile none
Subsystem sftp /usr/lib/openssh/sftp-server
`;
}
