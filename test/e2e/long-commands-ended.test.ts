/** What a command of the lobby does for minutes ends when whoever began it may do it no more, by whichever door it came. */
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { newest } from '../support/recorded-gateway.ts';
import { type RexecApi, startRexec } from '../support/rexec-api.ts';
import { type KeyPair, makeKeyPair, spawnSsh } from '../support/ssh-client.ts';
import { putManagers } from '../support/stand-in-managers.ts';

let api: RexecApi;
let container: TestContainer;
/** Another admin, until a test says otherwise. */
let boss: KeyPair;
beforeAll(async () => {
  api = await startRexec({ config: { hangupGraceMs: 500 } });
  container = await runContainer(images.busybox);
  boss = await api.addMember('boss');
});
afterAll(async () => {
  await api.stop();
  await container.remove();
});
beforeEach(async () => {
  for (const line of ['account enable boss', 'account role boss admin']) await api.ssh(line);
});

/** More than a step of the installation would be waited for. */
const withinMs = 8_000;
const installing = () => container.sh('ps | grep -c "[s]leep 76543" || true');

const withdrawals = {
  'the key is removed': (label: string) => `ssh-key remove ${label} --yes`,
  'the account is disabled': () => 'account disable boss',
  'the admin is demoted': () => 'account role boss member',
};

interface Ended {
  readonly status: number;
  readonly text: string;
}

const byHttp = async (asking: ReturnType<RexecApi['ask']>): Promise<Ended> => {
  const { status, body } = await asking;
  return { status, text: body };
};
const doors: Readonly<Record<string, (token: string, key: KeyPair) => Promise<Ended>>> = {
  'POST /exec': (token) => byHttp(api.ask({ token, line: `sshd install ${container.name}` })),
  'a REST dialect': (token) =>
    byHttp(api.ask({ token, path: `/api/ssh/install/${container.name}`, args: ['-X', 'POST'] })),
  async ssh(_token, key) {
    const { status, stderr } = await api.ssh(`sshd install ${container.name}`, { key });
    return { status, text: stderr };
  },
};

describe.each(Object.entries(doors))('an installation that was begun by %s', (name, begin) => {
  it.each(Object.entries(withdrawals))('is ended in the container when %s', async (_what, withdraw) => {
    await putManagers(container, ['apk'], '#!/bin/sh\nexec sleep 76543\n');
    const label = `k${Math.random().toString(36).slice(2)}`;
    const token = await api.apiKey(`--label=${label} --cmds="sshd install"`, boss);
    const key = await makeKeyPair();
    const keyLabel = `${label}-ssh`;
    await api.ssh(`ssh-key add --name=${keyLabel}`, { key: boss, stdin: key.publicKey });
    const running = begin(token, key);
    await expect.poll(installing, { timeout: 20_000 }).toBe('1');
    const line = withdraw(name === 'ssh' ? keyLabel : label);
    const by = line.startsWith('ssh-key') ? { key: boss } : {};
    expect((await api.ssh(line, by)).status).toBe(0);
    const sinceMs = performance.now();
    const { status, text } = await running;
    expect(performance.now() - sinceMs).toBeLessThan(withinMs);
    expect(text).toMatch(/you may no longer run \\*"sshd install/);
    expect(status).toBe(name === 'ssh' ? 1 : 403);
    await expect.poll(installing, { timeout: withinMs }).toBe('0');
  });
});

it('an installation goes on when what changes has nothing to do with it', async () => {
  const slow = '#!/bin/sh\nsleep 3\ncp /opt/sshd /opt/ssh-keygen /usr/sbin/\n';
  await putManagers(container, ['apk'], slow);
  const running = api.told('POST', `/install/${container.name}`);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await api.ssh('account role boss member');
  await api.ssh('account disable boss');
  expect((await running)[0]).toBe(200);
});

/** All that it has shown so far. */
function outputOf({ stdout, stderr }: ReturnType<typeof spawnSsh>): () => string {
  let text = '';
  const hear = (chunk: Buffer) => {
    text += chunk;
  };
  for (const stream of [stdout, stderr]) stream?.on('data', hear);
  return () => text;
}

describe('a recording that is being played', () => {
  let id = '';
  beforeAll(async () => {
    await api.ssh(`recording set ${container.name} on`);
    const login = `rexec-${container.name}`;
    await api.ssh('printf begun; sleep 4; printf over', { login, args: ['-tt'] });
    ({ id } = await newest(api, ({ kind }) => kind === 'terminal'));
  });

  it.each(Object.entries(withdrawals))('ends when %s', async (_what, withdraw) => {
    const key = await makeKeyPair();
    const label = `k${Math.random().toString(36).slice(2)}`;
    await api.ssh(`ssh-key add --name=${label}`, { key: boss, stdin: key.publicKey });
    // Five times as slow: it would go on for twenty seconds. So is what comes before: until the program had begun, a second or more.
    const playing = spawnSsh(api, `recording play ${id} --speed=0.2`, { key, args: ['-tt'] });
    const all = outputOf(playing);
    const over = once(playing, 'close');
    await expect.poll(all, { timeout: 40_000 }).toContain('begun');
    const line = withdraw(label);
    await api.ssh(line, line.startsWith('ssh-key') ? { key: boss } : {});
    const sinceMs = performance.now();
    const [status] = await over;
    expect(performance.now() - sinceMs).toBeLessThan(withinMs);
    expect(all()).toContain('you may no longer run "recording play"');
    expect([all().includes('over'), status === 0]).toEqual([false, false]);
  });

  it('ends at the prompt, too, which goes on for whoever may still be there', async () => {
    const playing = spawnSsh(api, undefined, { key: boss, args: ['-tt'] });
    const all = outputOf(playing);
    const over = once(playing, 'close');
    await expect.poll(all, { timeout: 20_000 }).toContain('▶');
    playing.stdin?.write(`recording play ${id} --speed=0.2\r`);
    await expect.poll(all, { timeout: 40_000 }).toContain('begun');
    await api.ssh('account role boss member');
    await expect.poll(all, { timeout: withinMs }).toContain('you may no longer run "recording play"');
    playing.stdin?.write('exit\r');
    await over;
    expect(all()).not.toContain('over');
  });
});
