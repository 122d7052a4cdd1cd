/** What host keys a server has, asked of OpenSSH's and dropbear's own servers, and of some that are none. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scanHostKeys } from '../../src/ssh/client/scan-host-keys.ts';
import { createEgressKey } from '../../src/ssh/egress-key.ts';
import { type Dropbear, startDropbear } from '../support/dropbear.ts';
import { temporaryFile } from '../support/gateway.ts';
import { makeKeyPair, runProgram } from '../support/ssh-client.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let sshd: Sshd;
let dropbear: Dropbear;
beforeAll(async () => {
  const rsa = await makeKeyPair('rsa');
  const ecdsa = await makeKeyPair('ecdsa');
  [sshd, dropbear] = await Promise.all([
    startSshd([`HostKey ${rsa.file}`, `HostKey ${ecdsa.file}`]),
    startDropbear(),
  ]);
});
afterAll(async () => {
  await Promise.all([sshd.stop(), dropbear.stop()]);
});

const dial = (port: number) => async () => connect({ host: '127.0.0.1', port, allowHalfOpen: true });

async function keyscan(port: number): Promise<string[]> {
  const { text } = await runProgram('ssh-keyscan', ['-T', '30', '-p', String(port), '127.0.0.1']);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.split(' ').slice(1).join(' ')).toSorted();
}

/** A server that does with each connection what it is told to. */
async function serve(onConnection: (socket: Socket) => void) {
  let closed = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {}).once('close', () => closed++);
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return { port: (server.address() as AddressInfo).port, closed: () => closed, stop: () => server.close() };
}

describe('the scan of host keys', () => {
  it('finds what ssh-keyscan finds, ed25519 first', async () => {
    const found = await scanHostKeys('db', dial(sshd.port));
    expect(found.map((key) => key.split(' ')[0])).toEqual(['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa']);
    expect(found.toSorted()).toEqual(await keyscan(sshd.port));
  });

  it('finds the keys of dropbear', async () => {
    const found = await scanHostKeys('db', dial(dropbear.port));
    expect(found.toSorted()).toEqual(await keyscan(dropbear.port));
  });

  it('says of what is no SSH server that it has no key', async () => {
    const web = await serve((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await expect(scanHostKeys('db', dial(web.port))).rejects.toMatchObject({ code: 'host-unreachable' });
    web.stop();
  });

  it('a server that greets without end is left after a quarter of a MiB', async () => {
    let sent = 0;
    const chatter = await serve((socket) => {
      const line = Buffer.from(`${'x'.repeat(1000)}\r\n`.repeat(60));
      const more = () => {
        while (!socket.destroyed && socket.write(line)) sent += line.length;
      };
      socket.on('drain', more);
      more();
    });
    await expect(scanHostKeys('db', dial(chatter.port))).rejects.toMatchObject({ code: 'host-unreachable' });
    expect(sent).toBeLessThan(20 * 1024 * 1024);
    await expect.poll(chatter.closed).toBe(3);
    chatter.stop();
  });

  it('a key that the server has not signed with is not believed', async () => {
    // Between us and the host: its key is passed off as another's, whose private half nobody here has.
    const [type, base64 = ''] =
      (await keyscan(sshd.port)).find((key) => key.startsWith('ssh-ed25519'))?.split(' ') ?? [];
    expect(type).toBe('ssh-ed25519');
    const real = Buffer.from(base64, 'base64').subarray(-32);
    const forged = Buffer.from((await makeKeyPair()).publicKey.split(' ')[1] as string, 'base64').subarray(
      -32,
    );
    const between = await serve((socket) => {
      const host = connect(sshd.port, '127.0.0.1');
      host
        .on('error', () => {})
        .on('data', (data) => {
          const at = data.indexOf(real);
          if (at !== -1) forged.copy(data, at);
          socket.write(data);
        });
      host.once('close', () => socket.destroy());
      socket.pipe(host);
    });
    const found = await scanHostKeys('db', dial(between.port));
    expect(found.map((key) => key.split(' ')[0])).toEqual(['ecdsa-sha2-nistp256', 'ssh-rsa']);
    between.stop();
  });
});

describe("the gateway's egress key", () => {
  it('is made once, ed25519, for the gateway alone, and stays the same', async () => {
    const folder = (await temporaryFile('x', '')).replace(/\/x$/, '');
    const [one, two] = await Promise.all([createEgressKey(folder)(), createEgressKey(folder)()]);
    expect(one.publicKey).toBe(two.publicKey);
    expect((await createEgressKey(folder)()).publicKey).toBe(one.publicKey);
    const file = `${folder}/egress_ed25519_key`;
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { text } = await runProgram('ssh-keygen', ['-y', '-f', file]);
    expect(text.split(' ').slice(0, 2).join(' ')).toBe(one.publicKey);
    expect(await readFile(`${file}.pub`, 'utf8')).toContain(one.publicKey);
    const digest = createHash('sha256').update(Buffer.from(one.publicKey.split(' ')[1] as string, 'base64'));
    expect(one.fingerprint).toBe(`SHA256:${digest.digest('base64').replace(/=+$/, '')}`);
  });
});
