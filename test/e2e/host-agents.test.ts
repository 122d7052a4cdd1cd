/** The person's agent in hosts through the gateway: what logs in with it, and what may use it there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RealAgent, startRealAgent } from '../support/agent.ts';
import { type HostsBehind, lettingIn, startHostsBehind } from '../support/hosts-behind.ts';
import { type KeyPair, makeKeyPair } from '../support/ssh-client.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let door: HostsBehind;
let sshd: Sshd;
let agent: RealAgent;
let inAgent: readonly KeyPair[];
beforeAll(async () => {
  door = await startHostsBehind();
  inAgent = await Promise.all(['ed25519', 'rsa', 'ecdsa'].map((type) => makeKeyPair(type)));
  agent = await startRealAgent(inAgent);
  sshd = await startSshd([
    ...(await lettingIn(door.identity, inAgent[1] as KeyPair)),
    'AllowAgentForwarding yes',
  ]);
  await door.addHost('identity', sshd.port);
  const { identityFile: _, ...row } = await door.addHost('keyless', sshd.port);
  await door.store.transact((transaction) => transaction.put('hosts', row));
});
afterAll(async () => {
  await Promise.all([door.stop(), sshd.stop(), agent.stop()]);
});

const lent = (host: string, key?: KeyPair) => ({
  login: `rexec-${host}`,
  args: ['-A'],
  env: agent.env,
  ...(key ? { key } : {}),
});

describe('an agent that is lent', () => {
  it('logs in to a host that the gateway has no key for, with the key of it that the host knows', async () => {
    expect(await door.ssh('exit 3', lent('keyless'))).toMatchObject({ stderr: '', status: 3 });
  });

  it('logs in from the lobby too, but goes no further from there', async () => {
    const { login: _, ...fromLobby } = lent('keyless');
    const outcome = await door.ssh('ssh keyless echo [$SSH_AUTH_SOCK]; exit 3', fromLobby);
    expect([outcome.text, outcome.stderr, outcome.status]).toEqual(['[]\n', '', 3]);
    const { stderr } = await door.ssh('ssh keyless true', { ...fromLobby, args: [] });
    expect(stderr).toContain('no key to log in to "keyless"');
  });

  it('is not asked where it was not lent', async () => {
    const { stderr } = await door.ssh('true', { ...lent('keyless'), args: [] });
    expect(stderr).toContain('no key to log in to "keyless"');
  });

  it('is not asked where the key that one came with forbids it', async () => {
    const key = await makeKeyPair();
    const line = `no-agent-forwarding ${key.publicKey}\n`;
    expect((await door.ssh('ssh-key add', { stdin: line })).status).toBe(0);
    const { stderr } = await door.ssh('true', lent('keyless', key));
    expect(stderr).toContain('no key to log in');
    expect((await door.ssh('echo [$SSH_AUTH_SOCK]', lent('identity', key))).text).toBe('[]\n');
  });

  it('is there for programs on the host, and for none when the session has ended', async () => {
    const { text } = await door.ssh('ssh-add -L; echo $SSH_AUTH_SOCK', lent('identity'));
    for (const { publicKey } of inAgent) expect(text).toContain(publicKey.split(' ')[1]);
    const socket = text.trim().split('\n').at(-1) ?? '';
    const later = await door.ssh(`SSH_AUTH_SOCK=${socket} ssh-add -L`, { login: 'rexec-identity' });
    // Refused, or ended by SIGPIPE: the agent's socket is closed under it.
    expect([later.text, later.status > 0]).toEqual(['', true]);
  });
});
