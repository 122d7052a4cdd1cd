/** asyncssh, a server in Python on its own event loop: one process for all. */
import { join } from 'node:path';
import { childPeer, startChild } from './child-server.ts';
import { ciphers, generateKey, makeFolder, type Peer, packageVersion } from './peer.ts';

export const asyncssh: Peer = {
  name: 'asyncssh',
  version: () => packageVersion('python3-asyncssh'),
  ciphers,
  async start(key) {
    const folder = makeFolder('asyncssh');
    const hostKey = join(folder.path, 'host');
    generateKey(hostKey);
    const script = join(import.meta.dirname, 'asyncssh_server.py');
    const child = startChild('/usr/bin/python3', ['-W', 'ignore', script, hostKey, `${key}.pub`]);
    return childPeer({ name: asyncssh.name, key, port: Number(await child.firstLine()), child, folder });
  },
};
