/** What the real ssh makes of the blocks and lines for registered hosts. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { SshConfigHost } from '../../../src/commands/ssh-config-hosts.ts';
import { knownHostsText, sshConfigText } from '../../../src/commands/ssh-config-text.ts';
import { temporaryFile } from '../../support/gateway.ts';
import { hostKey, makePublicKey } from '../../support/lobby.ts';

const pinned = makePublicKey().split(' ').slice(0, 2).join(' ');
const production: SshConfigHost = {
  slug: 'production-db',
  username: 'ubuntu',
  hostname: 'DB.example.com',
  port: 2200,
  way: 'end-to-end',
  needsAgent: true,
  hostKeys: [pinned],
  isTrusted: true,
};
const legacy: SshConfigHost = {
  ...production,
  slug: 'legacy',
  port: 22,
  way: 'through-the-gateway',
  needsAgent: false,
};
const facts = (...hosts: readonly SshConfigHost[]) => ({
  endpoint: { host: 'gw.example.com', port: 2222, hostKeys: [hostKey] },
  alias: 'postern',
  loginName: 'alice',
  targetPrefix: 'rexec-',
  identityFile: '~/.ssh/work',
  hosts,
});

/** What the real ssh makes of the text for a destination. */
async function settingsOf(destination: string, ...hosts: readonly SshConfigHost[]) {
  const file = await temporaryFile('config', `${sshConfigText(facts(...hosts))}\n`);
  const shown = execFileSync('ssh', ['-G', '-F', file, destination], { encoding: 'utf8' });
  return Object.fromEntries(
    shown.split('\n').map((line) => [line.split(' ', 1)[0], line.slice(line.indexOf(' ') + 1)]),
  ) as Readonly<Record<string, string>>;
}

describe('a block of ssh-config', () => {
  it('of a host end to end: a jump to it by name, with its own user, port and host-key alias', async () => {
    expect(await settingsOf('rexec-production-db', production)).toMatchObject({
      hostname: 'rexec-production-db',
      port: '2200',
      user: 'ubuntu',
      proxyjump: 'postern',
      hostkeyalias: 'rexec-production-db',
      identityfile: '~/.ssh/work',
      forwardagent: 'no',
    });
    expect((await settingsOf('root@rexec-production-db', production))['user']).toBe('root');
  });

  it('of a host through the gateway: its login name on the gateway itself, and no jump', async () => {
    const settings = await settingsOf('rexec-legacy', production, legacy);
    expect(settings).toMatchObject({
      hostname: 'gw.example.com',
      port: '2222',
      user: 'rexec-legacy',
      hostkeyalias: 'postern',
      identityfile: '~/.ssh/work',
      forwardagent: 'no',
    });
    expect(settings['proxyjump']).toBeUndefined();
    expect(await settingsOf('app+legacy@postern', legacy)).toMatchObject({
      user: 'app+legacy',
      hostname: 'gw.example.com',
    });
  });

  it('forwards the agent only where the gateway has no other key', async () => {
    const settings = await settingsOf('rexec-legacy', { ...legacy, needsAgent: true });
    expect(settings['forwardagent']).toBe('yes');
  });

  it('lent-agent: another member’s host is lent no agent unless it is asked for with -A', async () => {
    const settings = await settingsOf('rexec-legacy', { ...legacy, needsAgent: true, isTrusted: false });
    expect(settings['forwardagent']).toBe('no');
  });

  it('leaves containers to the wildcard', async () => {
    expect(await settingsOf('rexec-web', production, legacy)).toMatchObject({
      hostname: 'rexec-web',
      user: 'rexec',
      proxyjump: 'postern',
      hostkeyalias: 'postern',
    });
  });
});

describe('known_hosts lines of pinned hosts, read by the real ssh-keygen', () => {
  const find = async (name: string, ...hosts: readonly SshConfigHost[]) => {
    const file = await temporaryFile('known_hosts', `${knownHostsText(facts(...hosts))}\n`);
    try {
      return execFileSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8' }).includes(pinned);
    } catch {
      return false;
    }
  };

  it.each([
    ['rexec-production-db', production],
    ['[db.example.com]:2200', production],
    ['db.example.com', legacy],
    ['2001:db8::7', { ...legacy, hostname: '2001:DB8::7' }],
    ['[2001:db8::7]:2200', { ...production, hostname: '2001:db8::7' }],
  ] as const)('%s is found', async (name, host) => {
    expect(await find(name, host)).toBe(true);
  });

  it('an unpinned host has none', async () => {
    expect(await find('rexec-production-db', { ...production, hostKeys: [] })).toBe(false);
  });

  it('poisoned-known-hosts: a host of another member gives no line for the address that they named', async () => {
    const github = { ...legacy, hostname: 'github.com', isTrusted: false };
    expect(await find('github.com', github)).toBe(false);
    expect(await find('rexec-legacy', github)).toBe(true);
  });
});
