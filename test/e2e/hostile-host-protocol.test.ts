/** Hosts that break the protocol in the login, at the start of a session and in forwards, or leave it unanswered. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { string, uint32 } from '../../src/ssh/wire.ts';
import {
  type HostileActs,
  type HostileHost,
  handlersOf,
  sendRaw,
  startHostileHost,
} from '../support/hostile-host.ts';
import { type HostsBehind, startHostsBehind } from '../support/hosts-behind.ts';
import { collect, spawnSsh } from '../support/ssh-client.ts';

/** Enough for a login at a machine that does other things besides, and far less than by default. */
const hostConnectTimeoutMs = 3_000;
let door: HostsBehind;
const hosts: HostileHost[] = [];
beforeAll(async () => {
  door = await startHostsBehind({ config: { hostConnectTimeoutMs } });
});
afterAll(async () => {
  for (const host of hosts) host.stop();
  await door.stop();
});

const start = async (name: string, acts: HostileActs) => {
  hosts.push(await startHostileHost(door, name, acts));
};
const visit = (name: string) => door.ssh('anything', { login: `rexec-${name}` });
async function isListed(name: string, at = door): Promise<boolean> {
  const { text } = await at.ssh('session list --json');
  const { sessions } = JSON.parse(text) as { sessions: { target: string }[] };
  return sessions.some(({ target }) => target === name);
}
/** By the log, from the login to the end: an ssh takes its time to start. */
async function lastConnectionMs(): Promise<number> {
  const login = door.logged().findLast(({ audit }) => audit === 'login-accepted');
  const end = () =>
    door
      .logged()
      .find(
        ({ audit, connectionId }) =>
          audit === 'connection-closed' && connectionId === login?.['connectionId'],
      );
  await expect.poll(end).toBeDefined();
  return Number(end()?.['time']) - Number(login?.['time']);
}
const inTimeMs = hostConnectTimeoutMs + 5_000;
const bugs = () =>
  door
    .logged()
    .filter(({ level, msg }) => Number(level) >= 40 && msg !== undefined && !/disk/.test(String(msg)));

const message = {
  loginFailure: 51,
  loginSuccess: 52,
  keyIsKnown: 60,
  openConfirmation: 91,
  close: 97,
  request: 98,
};
const exitStatus = (client: Connection, status: number) => {
  sendRaw(client, message.request, uint32(0), string('exit-status'), 0, uint32(status));
  sendRaw(client, message.close, uint32(0));
};

describe('a host in the login', () => {
  it('second-yes: many yeses begin one connection, and the session in it goes on', async () => {
    await start('eager', {
      onReady(client) {
        client.on('session', (accept) =>
          accept().on('exec', (acceptExec) => {
            acceptExec();
            for (let n = 0; n < 20_000; n++) sendRaw(client, message.loginSuccess);
            exitStatus(client, 7);
          }),
        );
      },
    });
    expect(await visit('eager')).toMatchObject({ stderr: '', status: 7 });
  });

  it.each([
    ['a no that ends too soon', [message.loginFailure, uint32(9_999)]],
    ['a no without anything', [message.loginFailure]],
    ['extensions that are none', [7, uint32(4_000_000_000), uint32(7)]],
  ])('malformed-login: %s ends it with a sentence', async (what, parts) => {
    const name = `malformed-${what.length}`;
    await start(name, { onLogin: (client) => sendRaw(client, ...parts) });
    const { stderr, status } = await visit(name);
    expect(status).toBe(255);
    expect(stderr).toMatch(
      /^postern: malformed-\d+ cannot be reached from the gateway \(at the login: .+\)\.\n$/,
    );
  });
});

describe('a host that leaves what it is asked unanswered', () => {
  const mute: HostileActs = {
    onReady(client) {
      handlersOf(client)['CHANNEL_OPEN'] = () => {};
    },
  };
  beforeAll(() => start('mute', mute));

  it('unanswered-session: the person reads a sentence in time', async () => {
    const { stderr, status } = await visit('mute');
    expect([stderr, status]).toEqual(['postern: "mute" refused the session: no answer in time.\n', 255]);
    expect(await lastConnectionMs()).toBeLessThan(inTimeMs);
  });

  it('unanswered-session: nothing is left of a person who did not wait', async () => {
    // One at which it would be there for a minute.
    const patient = await startHostsBehind({ config: { hostConnectTimeoutMs: 60_000 } });
    hosts.push(await startHostileHost(patient, 'mute', mute));
    const child = spawnSsh(patient, 'x', { login: 'rexec-mute', key: patient.admin });
    await expect.poll(() => isListed('mute', patient)).toBe(true);
    child.kill('SIGKILL');
    await expect.poll(() => isListed('mute', patient)).toBe(false);
    await patient.stop();
  });

  it('unanswered-forward: a forward ends in time', async () => {
    const args = ['-W', 'localhost:80', '-o', 'LogLevel=INFO'];
    const { stderr, status } = await door.ssh(undefined, { login: 'rexec-mute', args });
    expect([stderr, status]).toEqual([expect.stringContaining('no answer in time'), 255]);
    expect(await lastConnectionMs()).toBeLessThan(inTimeMs);
  });

  it('unanswered-way: a host on the way that connects nowhere is left in time', async () => {
    await door.addHost('beyond', 22, { via: 'host-mute', hostKeys: [] });
    const { stderr } = await visit('beyond');
    expect(stderr).toMatch(
      /^postern: beyond cannot be reached from the gateway \(by way of mute: .*no answer in time/,
    );
    expect(await lastConnectionMs()).toBeLessThan(inTimeMs);
  });

  it('late-channel: one that opens when nobody waits any longer is closed', async () => {
    const closed: number[] = [];
    await start('late', {
      onReady(client) {
        const handlers = handlersOf(client);
        handlers['CHANNEL_OPEN'] = ((_protocol: unknown, info: { sender: number }) =>
          void setTimeout(
            () =>
              sendRaw(
                client,
                message.openConfirmation,
                uint32(info.sender),
                uint32(5),
                uint32(9_999),
                uint32(9_999),
              ),
            hostConnectTimeoutMs + 1_000,
          )) as (...args: never[]) => void;
        handlers['CHANNEL_CLOSE'] = ((_protocol: unknown, channel: number) => void closed.push(channel)) as (
          ...args: never[]
        ) => void;
      },
    });
    expect((await visit('late')).status).toBe(255);
    await expect.poll(() => closed).toEqual([5]);
  });
});

describe('a host that is asked to listen', () => {
  /** `isAlive`: a moment after each -R was answered. */
  const listenAt = async (name: string, ...args: readonly string[]) => {
    const asked = args.filter((each) => each === '-R').length;
    const child = spawnSsh(door, undefined, {
      login: `rexec-${name}`,
      key: door.admin,
      args: ['-N', '-o', 'LogLevel=INFO', ...args],
    });
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    const outcome = collect(child);
    const answers = () => said.match(/Allocated port|remote port forwarding failed/g) ?? [];
    await expect.poll(answers).toHaveLength(asked);
    await pause(500);
    const isAlive = child.exitCode === null;
    // A SIGTERM that comes while ssh is busy waits for its next message.
    child.kill('SIGKILL');
    return { isAlive, said: (await outcome).stderr };
  };
  const answering = (name: string, ...answers: readonly (readonly (Buffer | number)[])[]) =>
    start(name, {
      onReady(client) {
        let asked = 0;
        handlersOf(client)['GLOBAL_REQUEST'] = () => {
          sendRaw(client, ...(answers[asked++] ?? [82]));
        };
      },
    });

  it.each([
    ['says no port', [81]],
    ['says half a port', [81, 0, 0]],
    ['says port 0', [81, uint32(0)]],
    ['says a port that there is not', [81, uint32(70_000)]],
  ])('invented-port: it %s, which is a refusal and ends nothing', async (what, answer) => {
    const name = `port-${what.length}`;
    await answering(name, answer);
    const { isAlive, said } = await listenAt(name, '-R', '0:localhost:80');
    expect([isAlive, said]).toEqual([true, expect.stringContaining('remote port forwarding failed')]);
  });

  it('same-port: said twice, it is one listener, and nothing is left when the person is gone', async () => {
    await answering('twice', [81, uint32(4_000)], [81, uint32(4_000)]);
    const { said } = await listenAt('twice', '-R', '0:localhost:80', '-R', '0:localhost:81');
    expect(said.match(/Allocated port 4000/g)).toHaveLength(1);
    await expect.poll(() => isListed('twice')).toBe(false);
  });
});

it('none of it is taken for a fault of ours', () => expect(bugs()).toEqual([]));
