/** Hosts that are not what they seem: what a server behind the gateway can do to it and to the person before it. */
import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import ssh2, { type Connection } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transportOf } from '../../src/ssh/ssh2-internals.ts';
import { mostHeldMib } from '../support/held-memory.ts';
import { type HostsBehind, hostKeysOf, startHostsBehind } from '../support/hosts-behind.ts';

let door: HostsBehind;
beforeAll(async () => {
  door = await startHostsBehind();
});
afterAll(async () => {
  await door.stop();
});

type Raw = {
  _protocol: {
    _packetRW: {
      write: { allocStart: number; alloc(size: number): Buffer; finalize(packet: Buffer): Buffer };
    };
    _cipher: { encrypt(packet: Buffer): void };
  };
};

/** Sends one message as it is, whatever the protocol says of it. */
function sendRaw(client: Connection, payload: Buffer): void {
  const { _protocol: protocol } = client as unknown as Raw;
  const { write } = protocol._packetRW;
  const start = write.allocStart;
  const packet = write.alloc(payload.length);
  packet.set(payload, start);
  protocol._cipher.encrypt(write.finalize(packet));
}

const uint32 = (value: number) => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
};
const string = (text: string | Buffer) => Buffer.concat([uint32(Buffer.byteLength(text)), Buffer.from(text)]);

const servers: Server[] = [];
/** A server of ssh2's that lets everybody in and then does `act`, registered under that name. */
async function hostile(name: string, act: (client: Connection) => void): Promise<void> {
  const { private: key } = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
  const server = new ssh2.Server({ hostKeys: [key] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (login) => login.accept());
    client.on('ready', () => act(client));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  servers.push(server as unknown as Server);
  await door.addHost(name, port, { hostKeys: await hostKeysOf(port) });
}
afterAll(() => {
  for (const server of servers) server.close();
});

const visit = (name: string) => door.ssh('anything', { login: `rexec-${name}` });
const onSession = (client: Connection, act: () => void) =>
  client.on('session', (accept) => {
    const session = accept();
    session.on('exec', (acceptExec) => {
      acceptExec();
      act();
    });
  });
const bugs = () => door.logged().filter(({ level, msg }) => Number(level) >= 50 || msg === 'internal error');

describe('a hostile host', () => {
  afterAll(() => expect(bugs()).toEqual([]));

  it('window-overrun: more data than was granted ends its connection, not the gateway', async () => {
    await hostile('flood', (client) =>
      onSession(client, () => {
        const chunk = randomBytes(32_000);
        for (let sent = 0; sent < 20_000_000; sent += chunk.length) {
          sendRaw(client, Buffer.concat([Buffer.from([94]), uint32(0), string(chunk)]));
        }
      }),
    );
    const held = await mostHeldMib(async () => {
      const { stderr, status } = await visit('flood');
      expect(status).toBe(255);
      expect(stderr).toContain('the connection from the gateway to "flood" was lost');
    });
    expect(held).toBeLessThan(150);
  });

  it('channels-unasked: what it opens by itself is refused', async () => {
    const answers: number[] = [];
    await hostile('opener', (client) =>
      onSession(client, () => {
        const types = ['session', 'direct-tcpip', 'x11', 'auth-agent@openssh.com', 'forwarded-tcpip'];
        const fields = [
          uint32(7),
          uint32(1_000_000),
          uint32(32_768),
          string('127.0.0.1'),
          uint32(22),
          string('x'),
          uint32(1),
        ];
        for (const type of types)
          sendRaw(client, Buffer.concat([Buffer.from([90]), string(type), ...fields]));
        client.on('close', () => {});
        sendRaw(
          client,
          Buffer.concat([Buffer.from([98]), uint32(0), string('exit-status'), Buffer.from([0]), uint32(9)]),
        );
        sendRaw(client, Buffer.concat([Buffer.from([97]), uint32(0)]));
        const handlers = (
          client as unknown as { _protocol: { _handlers: Record<string, (...args: unknown[]) => void> } }
        )._protocol._handlers;
        handlers['CHANNEL_OPEN_FAILURE'] = (_protocol, _recipient, reason) =>
          void answers.push(Number(reason));
      }),
    );
    expect((await visit('opener')).status).toBe(9);
    await expect.poll(() => answers.length).toBe(5);
  });

  it('terminal-escapes: what it says of itself cannot write on the terminal', async () => {
    await hostile('painter', (client) => {
      client.on('session', (_accept, reject) => reject());
    });
    const { port } = (servers.at(-1) as Server).address() as AddressInfo;
    const between = createServer((socket: Socket) => socket.end('\x1b]0;owned\x07\x1b[2J\r\n')).listen(
      0,
      '127.0.0.1',
    );
    await new Promise((resolve) => between.once('listening', resolve));
    await door.addHost('escapes', (between.address() as AddressInfo).port, {
      hostKeys: await hostKeysOf(port),
    });
    for (const name of ['painter', 'escapes']) {
      const { stderr, status } = await visit(name);
      expect(status).toBe(255);
      expect(stderr).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
    }
    between.close();
  });

  it('exit-signal-text: a signal name or message that is none does no harm', async () => {
    await hostile('signaller', (client) =>
      onSession(client, () => {
        const end = [
          string('exit-signal'),
          Buffer.from([0]),
          string('X\x1b[2J'),
          Buffer.from([1]),
          string('\x1b'.repeat(20_000)),
          string(''),
        ];
        sendRaw(client, Buffer.concat([Buffer.from([98]), uint32(0), ...end]));
        sendRaw(client, Buffer.concat([Buffer.from([97]), uint32(0)]));
      }),
    );
    expect(await visit('signaller')).toMatchObject({ status: 255, stderr: '' });
  });

  it('tiny-packets: a host that takes packets of no size is left', async () => {
    await hostile('tiny', (client) => {
      const handlers = (
        client as unknown as { _protocol: { _handlers: Record<string, (...args: never[]) => void> } }
      )._protocol._handlers;
      handlers['CHANNEL_OPEN'] = () => {
        sendRaw(
          client,
          Buffer.concat([Buffer.from([91]), uint32(0), uint32(0), uint32(1_000_000), uint32(0)]),
        );
      };
    });
    expect((await visit('tiny')).status).toBe(255);
  });

  it('login-flood: a host that never stops asking before the login is left', async () => {
    const { private: key } = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
    const server = new ssh2.Server({ hostKeys: [key] }, (client) => {
      client.on('error', () => {});
      const transport = transportOf(client);
      const banner = Buffer.concat([Buffer.from([53]), string('banner '.repeat(100)), string('')]);
      // As fast as they are read, so that what is held is the gateway's and not the attacker's, who is in this process.
      const flood = () => {
        while (!transport.destroyed && transport.writableLength < 1024 * 1024) sendRaw(client, banner);
        if (!transport.destroyed) setImmediate(flood);
      };
      client.on('authentication', flood);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await door.addHost('banners', port, { hostKeys: await hostKeysOf(port) });
    const held = await mostHeldMib(async () => {
      const { stderr, status } = await visit('banners');
      expect([stderr, status]).toEqual([expect.stringContaining('it sent more than a login takes'), 255]);
    });
    expect(held).toBeLessThan(32);
    server.close();
  });

  it('silent-host: one that accepts and says nothing is left in time', async () => {
    let waitedMs = 0;
    const silent = createServer((socket) => {
      const since = Date.now();
      socket.on('error', () => {}).resume();
      socket.once('close', () => {
        waitedMs = Date.now() - since;
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    // With the others a busy machine may take longer than that.
    const hasty = await startHostsBehind({ config: { hostConnectTimeoutMs: 1_500 } });
    await hasty.addHost('silent', (silent.address() as AddressInfo).port, { hostKeys: [] });
    const { stderr, status } = await hasty.ssh('anything', { login: 'rexec-silent' });
    expect([stderr, status]).toEqual([expect.stringContaining('no answer in time'), 255]);
    // By the server's own watch: what comes before, and what is told afterwards, takes a busy machine long.
    await expect.poll(() => waitedMs).toBeGreaterThan(1_000);
    expect(waitedMs).toBeLessThan(4_000);
    silent.close();
    await hasty.stop();
  });
});
