import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createLobby } from '../../../src/commands/lobby.ts';
import { forEachTest } from '../../support/lifetimes.ts';
import { openPeopledLobby, type PeopledLobby, statusOf } from '../../support/lobby.ts';
import { context, runSession } from '../../support/session-io.ts';

const lobby = forEachTest(openPeopledLobby, ({ close }) => close());

describe('other answers', () => {
  it('ssh-config is text alone, and quoted values cannot add lines', async () => {
    const { stdout, stderr } = await lobby.run(lobby.owner, 'ssh-config --name=gw --identity-file=~/.ssh/k');
    expect(stdout).toMatch(/^Host gw$/m);
    expect(stderr).toBe('');
    expect((await lobby.json(lobby.owner, 'ssh-config --known-hosts')).data.text).toMatch(
      /^postern,\[gw\.example\.com\]:2222 ssh-ed25519/,
    );
    expect(statusOf(await lobby.run(lobby.owner, "ssh-config --name='x\nProxyCommand evil'"))).toBe(2);
  });

  it('version and exit', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect((await lobby.json(lobby.owner, 'version')).data).toEqual({ version });
    expect(await lobby.run(lobby.owner, 'exit')).toEqual({ end: { exitStatus: 0 }, stdout: '', stderr: '' });
    expect((await lobby.json(lobby.owner, 'exit')).data).toEqual({});
  });

  it('help: the list, one command, all; --help on every command does nothing else', async () => {
    const { data } = await lobby.json(lobby.admin, 'help');
    for (const entry of data.commands) expect(Object.keys(entry)).toEqual(['name', 'summary', 'usage']);
    const names: string[] = data.commands.map((entry: { name: string }) => entry.name);
    expect(names).toEqual(
      expect.arrayContaining(['help', 'ssh-key add', 'account role', 'session kill', 'ssh-config']),
    );
    expect((await lobby.run(lobby.owner, 'help')).stdout).not.toContain('account list');
    expect((await lobby.run(lobby.owner, 'help ssh-key add')).stdout).toMatch(
      /^Usage: ssh-key add .*[\s\S]*--name=N[\s\S]*Examples:/,
    );
    expect((await lobby.run(lobby.owner, 'help ssh-key')).stdout).toMatch(
      /ssh-key list[\s\S]*ssh-key rename/,
    );
    expect((await lobby.run(lobby.admin, 'help all')).stdout.match(/^Usage: /gm)).toHaveLength(names.length);
    for (const name of names) {
      expect(await lobby.run(lobby.owner, `${name} --help`)).toMatchObject({
        end: { exitStatus: 0 },
        stderr: '',
      });
      expect((await lobby.json(lobby.owner, `${name} --help`)).data.commands[0].name).toBe(name);
    }
    expect(lobby.asked).toEqual([]);
  });
});

describe('failures', () => {
  it.each(['--bogus', '--constructor', '--__proto__=1', '--json'])('%s and no command', async (line) => {
    const { stderr } = await lobby.run(lobby.owner, line);
    expect(stderr).toBe('postern: the line names no command; "help" lists them.\n');
  });

  it.each([
    ['frobnicate', 2, 'unknown-command'],
    ['whoam', 2, 'unknown-command'],
    ['ssh-key', 2, 'usage'],
    ["whoami 'x", 2, 'usage'],
    ['whoami --bogus', 2, 'usage'],
    ['whoami x', 2, 'usage'],
    ['ssh-key remove nosuch', 1, 'key-not-found'],
    ['connect nosuch', 1, 'target-not-found'],
    ['ssh nosuch ls', 255, 'target-not-found'],
    ['account list', 1, 'not-allowed'],
  ])('%s → status %d, %s', async (line, status, code) => {
    const text = await lobby.run(lobby.owner, line);
    expect(statusOf(text)).toBe(status);
    expect(text.stdout).toBe('');
    expect(text.stderr).toMatch(/^postern: .+\n$/);
    const asked = line.startsWith('ssh nosuch')
      ? 'ssh --json nosuch ls'
      : line.startsWith("whoami 'x")
        ? line
        : `${line} --json`;
    const { stdout } = await lobby.run(lobby.owner, asked);
    if (asked !== line) expect(JSON.parse(stdout)).toEqual({ error: expect.any(String), code });
  });

  it('a command that breaks tells a number, which the log has with the cause', async () => {
    lobby.services.keys.list = async () => {
      throw new TypeError('secret detail');
    };
    const broken = await openLobbyWith({ ...lobby.services });
    const result = await broken();
    expect(statusOf(result)).toBe(255);
    expect(result.stderr).toMatch(/internal error [a-z2-7]{8};/);
    expect(result.stderr).not.toContain('secret detail');
  });

  async function openLobbyWith(services: PeopledLobby['services']) {
    const handler = await createLobby(services, lobby.log);
    return () =>
      runSession((request, io) => handler(request, io, { ...context, identity: lobby.owner }), 'whoami');
  }
});
