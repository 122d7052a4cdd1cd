/** dropbear: one process for each connection. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.ts';
import { answering } from '../support/answering.ts';
import { childPeer, startChild, withOwnSshFolder } from './child-server.ts';
import { makeFolder, type Peer, packageVersion } from './peer.ts';

export const dropbear: Peer = {
  name: 'dropbear',
  version: () => packageVersion('dropbear-bin'),
  ciphers: ['chacha20-poly1305@openssh.com', 'aes128-ctr'],
  // MAX_UNAUTH_PER_IP is 5, compiled in; one that has just left may still be counted.
  mostStartups: 4,
  async start(key) {
    const folder = makeFolder('dropbear');
    const hostKey = join(folder.path, 'host');
    execFileSync('dropbearkey', ['-t', 'ed25519', '-f', hostKey], { stdio: 'ignore' });
    const ssh = join(folder.path, 'ssh');
    mkdirSync(ssh, { mode: 0o700 });
    copyFileSync(`${key}.pub`, join(ssh, 'authorized_keys'));
    const port = await freePort();
    const own = ['-F', '-p', `127.0.0.1:${port}`, '-P', join(folder.path, 'pid'), '-r', hostKey];
    const child = startChild(...withOwnSshFolder(ssh, ['dropbear', ...own]));
    await answering(port);
    return childPeer({ name: dropbear.name, key, port, child, folder });
  },
};
