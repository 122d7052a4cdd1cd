/** A process of its own, for native-crypto.test.ts: drops ciphers while bytes arrive, as a busy gateway does. */
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';

const { AESGCMCipher } = createRequire(import.meta.url)(
  'ssh2/lib/protocol/crypto/build/Release/sshcrypto.node',
) as { AESGCMCipher: new (name: string, key: Buffer, iv: Buffer) => { free(): void } };

const held: Buffer[] = [];
const server = createServer((socket) => {
  socket.on('data', (data) => {
    held.push(data);
    if (held.length > 3_000) held.length = 0;
    for (let n = 0; n < 50; n++) new AESGCMCipher('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(12)).free();
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  const sender = connect(port, '127.0.0.1');
  const chunk = Buffer.alloc(1024 * 1024);
  const send = () => {
    while (sender.write(chunk));
  };
  sender.on('drain', send);
  send();
});
setTimeout(() => process.stdout.write('alive\n', () => process.exit(0)), 3_000);
