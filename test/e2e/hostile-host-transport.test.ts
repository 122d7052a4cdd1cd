/** Hosts that break what was settled: other keys at a rekey, rekeys without end, two endings, greetings without end. */
import { type AddressInfo, createServer } from 'node:net';
import ssh2, { type Connection } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { string, uint32 } from '../../src/ssh/wire.ts';
import { type HostileHost, sendRaw, startHostileHost } from '../support/hostile-host.ts';
import { type HostsBehind, startHostsBehind } from '../support/hosts-behind.ts';

let door: HostsBehind;
const hosts: HostileHost[] = [];
beforeAll(async () => {
  door = await startHostsBehind({ config: { hostConnectTimeoutMs: 40_000 } });
});
afterAll(async () => {
  for (const host of hosts) host.stop();
  await door.stop();
});

/** At each session, once its program has been asked for. */
const start = async (name: string, onProgram: (client: Connection, stream: ssh2.ServerChannel) => void) => {
  const onReady = (client: Connection) =>
    void client.on('session', (accept) => accept().on('exec', (begin) => onProgram(client, begin())));
  hosts.push(await startHostileHost(door, name, { onReady }));
};
const visit = (name: string) => door.ssh('anything', { login: `rexec-${name}` });

const message = { data: 94, eof: 96, close: 97, request: 98 };
const exitStatus = (client: Connection, status: number) =>
  sendRaw(client, message.request, uint32(0), string('exit-status'), 0, uint32(status));

describe('a host whose connection is open', () => {
  it('other-key-at-rekey: proves itself with the pinned key each time, or is left', async () => {
    const other = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
    const parsed = ssh2.utils.parseKey(other.private);
    await start('turncoat', (client, stream) => {
      stream.write('before\n');
      const { _protocol } = client as unknown as { _protocol: { _hostKeys: Record<string, unknown> } };
      _protocol._hostKeys['ecdsa-sha2-nistp256'] = parsed;
      client.rekey(() => {
        stream.write('after\n');
        stream.exit(0);
        stream.end();
      });
    });
    const { text, stderr, status } = await visit('turncoat');
    expect([text, status]).toEqual(['before\n', 255]);
    expect(stderr).toContain('the connection from the gateway to "turncoat" was lost');
  });

  it('rekey-storm: new keys thirty times over lose nothing, and others are served meanwhile', async () => {
    await start('restless', (client, stream) => {
      let left = 30;
      const again = () => {
        stream.write(`${left}\n`);
        if (left-- > 0) return client.rekey(again);
        stream.exit(4);
        stream.end();
      };
      again();
    });
    const [storm, other] = await Promise.all([visit('restless'), door.ssh('whoami')]);
    expect([storm.text.split('\n').length, storm.stderr, storm.status]).toEqual([32, '', 4]);
    expect(other.status).toBe(0);
  });

  it('two-endings: the first one counts, and nothing that follows it harms', async () => {
    await start('undecided', (client) => {
      exitStatus(client, 3);
      exitStatus(client, 0);
      const signal = [string('exit-signal'), 0, string('KILL'), 0, string(''), string('')];
      sendRaw(client, message.request, uint32(0), ...signal);
      sendRaw(client, message.close, uint32(0));
      for (const type of [message.close, message.eof]) sendRaw(client, type, uint32(0));
      sendRaw(client, message.data, uint32(0), string('late'));
      exitStatus(client, 0);
    });
    expect(await visit('undecided')).toMatchObject({ text: '', stderr: '', status: 3 });
  });

  it('data-after-eof: ends the connection with a sentence', async () => {
    await start('talkative', (client) => {
      sendRaw(client, message.eof, uint32(0));
      sendRaw(client, message.data, uint32(0), string('more'));
    });
    const { text, stderr, status } = await visit('talkative');
    expect([text, status]).toEqual(['', 255]);
    expect(stderr).toContain('data after EOF');
  });

  it('half-a-message: requests and channels that end too soon end the connection with a sentence', async () => {
    for (const [name, payload] of [
      ['half-request', Buffer.concat([Buffer.from([message.request]), uint32(0), uint32(9_999)])],
      ['half-open', Buffer.concat([Buffer.from([90]), string('forwarded-tcpip'), uint32(1)])],
      ['half-status', Buffer.concat([Buffer.from([98]), uint32(0), string('exit-status'), Buffer.from([0])])],
    ] as const) {
      await start(name, (client) => sendRaw(client, payload));
      const { stderr, status } = await visit(name);
      expect([stderr, status]).toEqual([expect.stringContaining(`to "${name}" was lost: `), 255]);
    }
  });
});

it('endless-greeting: a host that greets without end is left long before its time is over', async () => {
  let isRegistered = false;
  const greeter = createServer((socket) => {
    socket.on('error', () => {});
    // Else ssh-keyscan would wait for the end of it.
    if (!isRegistered) return void socket.destroy();
    const more = () => {
      while (!socket.destroyed && socket.write('welcome to this server\r\n'.repeat(400)));
    };
    socket.on('drain', more);
    more();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => greeter.once('listening', resolve));
  await door.addHost('greeter', (greeter.address() as AddressInfo).port, { hostKeys: [] });
  isRegistered = true;
  const since = Date.now();
  const { stderr, status } = await visit('greeter');
  expect([stderr, status]).toEqual([
    expect.stringContaining('greeter cannot be reached from the gateway'),
    255,
  ]);
  expect(Date.now() - since).toBeLessThan(20_000);
  greeter.close();
});

it('none of it is taken for a fault of ours', () => {
  const bugs = door.logged().filter(({ level, msg }) => Number(level) >= 50 || msg === 'internal error');
  expect(bugs).toEqual([]);
});
