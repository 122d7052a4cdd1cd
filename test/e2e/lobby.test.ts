/** The lobby as people meet it: the real ssh against the real gateway. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { makeKeyPair, spawnSsh } from '../support/ssh-client.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway.stop());

/** An ssh with a terminal at the far end, typed at. */
function typeAt(login: string) {
  const args = ['-tt', '-p', String(gateway.port), '-i', gateway.admin.file, '-o', 'IdentitiesOnly=yes'];
  args.push(
    '-o',
    `UserKnownHostsFile=${gateway.knownHosts}`,
    '-o',
    'StrictHostKeyChecking=yes',
    '-F',
    'none',
  );
  const child = spawn('ssh', [...args, `${login}@127.0.0.1`], { stdio: ['pipe', 'pipe', 'pipe'] });
  let seen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString('utf8');
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    ended,
    seen: () => seen,
    async type(text: string, expected: RegExp) {
      child.stdin.write(text);
      const deadline = Date.now() + 30_000;
      while (!expected.test(seen)) {
        if (Date.now() > deadline) throw new Error(`not seen: ${expected}; seen: ${JSON.stringify(seen)}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
  };
}

describe('the lobby over ssh', () => {
  it('cat key.pub | ssh gateway ssh-key add, and the new key logs in', async () => {
    const key = await makeKeyPair('ecdsa');
    const added = await gateway.ssh('ssh-key add --json', { stdin: `${key.publicKey}\n` });
    expect(added).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(added.text)).toMatchObject({ fingerprint: key.fingerprint, current: false });
    const whoami = await gateway.ssh('whoami --json', { key });
    const current = JSON.parse(whoami.text).ssh_keys.filter((row: { current: boolean }) => row.current);
    expect(current).toMatchObject([{ fingerprint: key.fingerprint }]);
  });

  it('removing the key of a connection ends that connection, and the key logs in no more', async () => {
    const key = await makeKeyPair();
    await gateway.ssh('ssh-key add --name=gone', { stdin: key.publicKey });
    const refused = await gateway.ssh('ssh-key remove gone', { key });
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringMatching(/connected with/) });
    await gateway.ssh('ssh-key remove gone --yes', { key });
    expect((await gateway.ssh('whoami', { key })).stderr).toMatch(/Permission denied/);
  });

  it('a terminal gets a prompt: typing, completion, history, exit', async () => {
    const person = typeAt('anybody');
    await person.type('', /admin ▶ /);
    await person.type('who\t\r', /Account: admin\r\n/);
    await person.type('ssh-key l\t\r', /NAME +TYPE +FINGERPRINT/);
    await person.type('exi\t\r', /exit/);
    expect(await person.ended).toBe(0);
  });

  it('lines on stdin run without a terminal, and the last one decides the status', async () => {
    const ran = await gateway.ssh(undefined, { stdin: 'version\nnosuch\n' });
    expect(ran.text).toMatch(/^postern \d/);
    expect(ran.status).toBe(2);
  });

  it('a script that waits for its next line is killed at once, and told by whom', async () => {
    const child = spawnSsh(gateway, undefined, { key: await gateway.addMember('scripter') });
    child.stdin?.write('version\n');
    await once(child.stdout as Readable, 'data');
    const { sessions } = JSON.parse((await gateway.ssh('session list --json')).text);
    const { id } = sessions.find(({ account }: { account: string }) => account === 'scripter');
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk;
    });
    const closed = once(child, 'close');
    expect((await gateway.ssh(`session kill ${id}`)).status).toBe(0);
    expect((await closed)[0]).toBe(255);
    expect(stderr).toContain('postern: this session was ended by admin.');
  });

  it('the stanza of old ends in the lobby, which says what to put instead', async () => {
    const person = typeAt('root');
    await person.type('\x04', /ssh does not send the alias|▶/);
    await person.ended;
    const ran = await gateway.ssh('uptime', { login: 'root' });
    expect(ran.stderr).toMatch(/ssh does not send the alias.*ssh-config/);
  });

  it('sftp and scp are told which login name has files', async () => {
    const ran = await gateway.ssh('scp -t /tmp');
    expect(ran).toMatchObject({ status: 255, stderr: expect.stringMatching(/the lobby has no files/) });
  });
});
