/** tinysshd, which serves one connection on its stdin and stdout: one process for each, started as inetd would. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { childPeer, startChild, withOwnSshFolder } from './child-server.ts';
import { goProgram } from './go.ts';
import { makeFolder, type Peer, packageVersion } from './peer.ts';

export const tinysshd: Peer = {
  name: 'tinysshd',
  version: () => packageVersion('tinysshd'),
  ciphers: ['chacha20-poly1305@openssh.com'],
  oneSession: true,
  async start(key) {
    const folder = makeFolder('tinysshd');
    const hostKeys = join(folder.path, 'host');
    execFileSync('tinysshd-makekey', ['-q', hostKeys], { stdio: 'ignore' });
    const ssh = join(folder.path, 'ssh');
    mkdirSync(ssh, { mode: 0o700 });
    copyFileSync(`${key}.pub`, join(ssh, 'authorized_keys'));
    const command = [goProgram(), 'inetd', '/usr/sbin/tinysshd', '-q', hostKeys];
    const child = startChild(...withOwnSshFolder(ssh, command));
    return childPeer({ name: tinysshd.name, key, port: Number(await child.firstLine()), child, folder });
  },
};
