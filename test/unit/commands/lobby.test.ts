import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { forEachTest } from '../../support/lifetimes.ts';
import { makePublicKey, openPeopledLobby, statusOf } from '../../support/lobby.ts';
import { identityOf, putKey } from '../../support/people.ts';
import { terminal } from '../../support/session-io.ts';

const lobby = forEachTest(openPeopledLobby, ({ close }) => close());

describe('whatever else people start in the lobby', () => {
  it.each([
    'scp -t /tmp',
    'scp -v -f x',
    'rsync --server -e.LsfxC . x',
    '/usr/lib/openssh/sftp-server',
    'sftp-server -l',
  ])('%s is told which login name has files', async (command) => {
    const result = await lobby.run(lobby.owner, command);
    expect(statusOf(result)).toBe(255);
    expect(result.stderr).toMatch(/^postern: the lobby has no files: name a target as the login name/);
  });

  it('subsystems: sftp is told the same, others are unknown', async () => {
    const sftp = await lobby.run(lobby.owner, { kind: 'subsystem', name: 'sftp' });
    expect(sftp.stderr).toMatch(/the lobby has no files/);
    const other = await lobby.run(lobby.owner, { kind: 'subsystem', name: 'netconf\x1b[2J' });
    expect(other.stderr).toMatch(/^postern: the subsystem "netconf\\x1b\[2J" is not offered/);
  });

  it('a shell without a pty runs the lines of stdin; the last one decides the status', async () => {
    const stdin = "whoami\r\n\n  \nversion\nwhoami 'x\nversion\nnosuch";
    const result = await lobby.run(lobby.owner, { kind: 'shell' }, { stdin });
    expect(statusOf(result)).toBe(2);
    expect(result.stdout.match(/postern \d/g)).toHaveLength(2);
    expect(result.stderr.match(/^postern: /gm)).toHaveLength(2);
    const left = await lobby.run(lobby.owner, { kind: 'shell' }, { stdin: 'nosuch\nexit\nnosuch\n' });
    expect(statusOf(left)).toBe(0);
    expect(left.stderr.match(/nosuch/g)).toHaveLength(1);
  });

  it('a script that is ended from outside does not wait for its next line', async () => {
    const session = lobby.start(lobby.owner, { kind: 'shell' });
    session.stdin.write('version\nvers');
    await session.saw('postern ');
    setTimeout(() => session.vanish(), 20);
    expect(await session.end).toEqual({ exitStatus: 0 });
    expect(session.stdout().toString()).toMatch(/^postern \S+\n$/);
  });

  it('endless-script: other sessions get their turn between its lines', async () => {
    let turns = 0;
    let ended = false;
    const count = () => {
      turns++;
      if (!ended) setImmediate(count);
    };
    setImmediate(count);
    await lobby.run(lobby.owner, { kind: 'shell' }, { stdin: ' \n'.repeat(1_000) });
    ended = true;
    expect(turns).toBeGreaterThan(900);
  });

  it('a line of 1 MB on stdin is refused and the next one runs', async () => {
    const result = await lobby.run(
      lobby.owner,
      { kind: 'shell' },
      { stdin: `${'x'.repeat(1_000_000)}\nversion\n` },
    );
    expect(result.stderr).toBe('postern: a line is longer than 64 KiB.\n');
    expect(result.stdout).toMatch(/^postern \d/);
  });

  it('private-key-piped: "ssh gateway < id_ed25519" shows the sentence once and no line of the key', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'postern-private-')), 'k');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
    const key = readFileSync(file, 'utf8');
    const lines = key.split('\n').slice(1, -2);
    for (const start of [{ kind: 'shell' } as const, 'ssh-key add', `ssh-key add '${key}'`, key]) {
      const result = await lobby.run(lobby.owner, start, { stdin: key });
      expect(statusOf(result)).toBe(2);
      expect(result.stderr.match(/that is the private key/g)).toHaveLength(1);
      const everything = result.stdout + result.stderr + JSON.stringify(lobby.logged());
      for (const line of lines) expect(everything).not.toContain(line);
    }
    expect((await lobby.json(lobby.owner, 'ssh-key list')).data.ssh_keys).toHaveLength(1);
  });

  it('a public key instead of a command is told how to register it', async () => {
    const result = await lobby.run(lobby.owner, { kind: 'shell' }, { stdin: `${makePublicKey()}\n` });
    expect(result.stderr).toMatch(/ssh GATEWAY ssh-key add/);
  });

  it.each(['root', 'ROOT', 'rexec'])(
    'the old stanza ends here as %s: told that the alias was not sent',
    async (loginName) => {
      const exec = await lobby.run(lobby.owner, 'uptime', { loginName });
      expect(statusOf(exec)).toBe(2);
      expect(exec.stderr).toMatch(
        /ssh does not send the alias.*"ssh -p 2222 rexec-NAME@gw\.example\.com".*ssh-config/,
      );
      const shell = await lobby.run(lobby.owner, { kind: 'shell' }, { loginName });
      expect(shell.stderr).toMatch(/ssh-config/);
      const typed = { loginName, pty: terminal(), stdin: 'nosuch\rexit\r' };
      const { stdout } = await lobby.run(lobby.owner, { kind: 'shell' }, typed);
      expect(stdout).toContain('there is no command "nosuch"');
      expect(stdout.match(/ssh does not send the alias/g)).toHaveLength(1);
      expect((await lobby.run(lobby.owner, 'whoami', { loginName })).stderr).toBe('');
      expect((await lobby.run(lobby.owner, 'uptime')).stderr).not.toMatch(/ssh-config/);
    },
  );

  it('a forced command runs instead of whatever was asked, sftp included', async () => {
    const forced = identityOf(
      lobby.olga,
      await putKey(lobby.services.store, lobby.olga, 'ci', { restrictions: { command: 'version' } }),
    );
    for (const start of ['account list', { kind: 'shell' }, { kind: 'subsystem', name: 'sftp' }] as const) {
      expect(await lobby.run(forced, start)).toMatchObject({
        end: { exitStatus: 0 },
        stdout: expect.stringMatching(/^postern \d/),
      });
    }
    expect((await lobby.run(forced, { kind: 'shell' }, { pty: terminal() })).stdout).toMatch(
      /^postern \d.*\r\n$/,
    );
  });

  it('with a pty line ends are CR LF, and ssh-key add does not wait for stdin', async () => {
    const session = lobby.start(lobby.owner, 'ssh-key add', { pty: terminal() });
    expect(await session.end).toEqual({ exitStatus: 2 });
    expect(session.stderr().toString()).toMatch(/give the public key[^\n]*\r\n$/);
  });

  it('at the prompt a complaint stands in the one output of the terminal, before the next prompt', async () => {
    const session = lobby.start(lobby.owner, { kind: 'shell' }, { pty: terminal() });
    await session.saw('▶');
    session.stdin.write('nosuch\r');
    const shown = await session.saw(/there is no command[\s\S]*▶/);
    expect(shown).toMatch(/nosuch\r\npostern: there is no command "nosuch"[^▶]*\r\n[^▶]*▶/);
    expect(session.stderr().toString()).toBe('');
    session.stdin.end();
    await session.end;
  });

  it('a client that vanishes while ssh-key add waits for its key ends the session', async () => {
    const session = lobby.start(lobby.owner, 'ssh-key add');
    setTimeout(() => session.vanish(), 20);
    expect(await session.end).toEqual({ exitStatus: 2 });
  });

  it('more than a megabyte on stdin is refused', async () => {
    const result = await lobby.run(lobby.owner, 'ssh-key add', { stdin: 'x'.repeat(1_100_000) });
    expect(result.stderr).toMatch(/stdin holds more than/);
  });
});
