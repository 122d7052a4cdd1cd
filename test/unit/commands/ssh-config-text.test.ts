import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  knownHostsText,
  parseAlias,
  parseIdentityFile,
  type SshConfigFacts,
  sshConfigText,
} from '../../../src/commands/ssh-config-text.ts';

const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
const facts: SshConfigFacts = {
  endpoint: { host: 'gw.example.com', port: 2222, hostKeys: [hostKey, hostKey] },
  alias: 'postern',
  loginName: 'alice',
  targetPrefix: 'rexec-',
  hosts: [],
};

const folder = mkdtempSync(join(tmpdir(), 'postern-ssh-config-'));
let files = 0;

function write(text: string): string {
  const file = join(folder, `file-${files++}`);
  writeFileSync(file, `${text}\n`);
  return file;
}

/** What the real ssh makes of the text for a destination. */
function sshSettings(text: string, destination: string): Map<string, string> {
  const shown = execFileSync('ssh', ['-G', '-F', write(text), destination], { encoding: 'utf8' });
  return new Map(
    shown
      .trim()
      .split('\n')
      .map((line): [string, string] => [line.split(' ', 1)[0] as string, line.slice(line.indexOf(' ') + 1)]),
  );
}

describe('sshConfigText, read by the real ssh', () => {
  it("sends any rexec- alias through the gateway, as the default user, under the gateway's host key", () => {
    const settings = sshSettings(sshConfigText(facts), 'rexec-web');
    expect(Object.fromEntries(settings)).toMatchObject({
      hostname: 'rexec-web',
      user: 'rexec',
      port: '22',
      proxyjump: 'postern',
      hostkeyalias: 'postern',
      canonicalizehostname: 'false',
    });
  });

  it('root@rexec-web picks another user', () => {
    expect(sshSettings(sshConfigText(facts), 'root@rexec-web').get('user')).toBe('root');
  });

  it('names the gateway itself, without a jump', () => {
    const settings = sshSettings(sshConfigText(facts), 'postern');
    expect(settings.get('hostname')).toBe('gw.example.com');
    expect(settings.get('port')).toBe('2222');
    expect(settings.get('user')).toBe('alice');
    expect(settings.get('hostkeyalias')).toBe('postern');
    expect(settings.has('proxyjump')).toBe(false);
  });

  it.each(['~/.ssh/id_work', '/home/a b/.ssh/id ed', 'C:/Users/Zoë/.ssh/id'])(
    'the identity file %s stands in every block, and is the only one',
    (identityFile) => {
      const text = sshConfigText({ ...facts, identityFile });
      for (const destination of ['postern', 'rexec-web']) {
        const settings = sshSettings(text, destination);
        expect(settings.get('identityfile')).toBe(identityFile);
        expect(settings.get('identitiesonly')).toBe('yes');
      }
    },
  );

  it('never suggests to skip the check of host keys', () => {
    const text = sshConfigText({ ...facts, identityFile: '~/k' });
    expect(text).not.toMatch(/StrictHostKeyChecking|UserKnownHostsFile/i);
    expect(sshSettings(text, 'rexec-web').get('stricthostkeychecking')).toBe('ask');
  });
});

describe('knownHostsText, read by the real ssh-keygen', () => {
  it('has a line for each host key under the bare alias and under [host]:port', () => {
    const file = write(knownHostsText(facts));
    for (const name of ['postern', '[gw.example.com]:2222']) {
      const found = execFileSync('ssh-keygen', ['-F', name, '-f', file], { encoding: 'utf8' });
      expect(found.split('\n').filter((line) => line.includes(hostKey))).toHaveLength(2);
    }
  });

  it('port 22 is written without a port', () => {
    const text = knownHostsText({ ...facts, endpoint: { ...facts.endpoint, port: 22 } });
    expect(text).toMatch(/^postern,gw\.example\.com ssh-ed25519 /);
  });
});

describe('config injection', () => {
  it.each([
    'a b',
    'a\nProxyCommand evil',
    '"a"',
    "a'",
    '*',
    '!x',
    'a*',
    '',
    '-o',
    'rexec-x',
    'REXEC-x',
    'a,b',
    'a%h',
    'a\\',
    'x'.repeat(64),
    'é',
    '..',
  ])('%j is no alias', (name) => {
    expect(() => parseAlias(name, 'rexec-')).toThrow(/cannot be the gateway's alias/);
  });

  it.each([
    '~/.ssh/k\nProxyCommand evil',
    '"~/k"',
    "~/'k",
    '%d/k',
    '$HOME/k',
    `\${HOME}/k`,
    'a\\b',
    'k\t',
    ' k',
    'k ',
    '',
    '-k',
    '#k',
    'a\u0000b',
    'a\u2028b',
    'a`id`',
    'k;x',
  ])('%j is no identity file', (path) => {
    expect(() => parseIdentityFile(path)).toThrow(/cannot stand in an ssh_config/);
  });
});
