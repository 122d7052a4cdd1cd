/** The gateway's own keys, certified: clients that know the authority need not know the keys. */
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadHostKeys } from '../../src/ssh/host-keys.ts';
import { certify, placeBeside } from '../support/certificates.ts';
import { startTestGateway, type TestGateway, temporaryFile } from '../support/gateway.ts';
import { type KeyPair, makeKeyPair, runProgram, sshArguments } from '../support/ssh-client.ts';

const files = ['ssh_host_ed25519_key', 'ssh_host_rsa_key'] as const;

let folder: string;
let authority: KeyPair;
let door: TestGateway;
let onlyAuthority: string;

async function certifyHostKey(file: string, principals: string, host = true): Promise<void> {
  const key = { file, publicKey: '', fingerprint: '' };
  await placeBeside(await certify(authority, key, { principals, host }), file);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-host-certificates-'));
  authority = await makeKeyPair();
  const hostKeysDir = join(folder, 'hostkeys');
  await loadHostKeys(hostKeysDir);
  for (const name of files) await certifyHostKey(join(hostKeysDir, name), 'gw.example,127.0.0.1');
  door = await startTestGateway({
    folders: { dataDir: join(folder, 'data'), hostKeysDir },
    config: { domain: 'gw.example' },
  });
  onlyAuthority = await temporaryFile(
    'known_hosts',
    `@cert-authority [127.0.0.1]:${door.port} ${authority.publicKey}\n`,
  );
});
afterAll(async () => {
  await door.stop();
  await rm(folder, { recursive: true, force: true });
});

/** With a known_hosts file that names the authority and no key. */
const run = (command: string[], stdin: string, args: readonly string[]) =>
  runProgram(
    'ssh',
    [
      ...sshArguments({ port: door.port, knownHosts: onlyAuthority }, { key: door.admin, args }),
      ...['-p', String(door.port), 'x@127.0.0.1', ...command],
    ],
    { stdin },
  );
const whoami = (...args: string[]) => run(['whoami'], '', args);

describe('a host certificate', () => {
  it.each([
    'ssh-ed25519-cert-v01@openssh.com',
    'rsa-sha2-512-cert-v01@openssh.com',
    'rsa-sha2-256-cert-v01@openssh.com',
  ])('%s is served, and signs under the plain name', async (algorithm) => {
    const outcome = await whoami('-o', `HostKeyAlgorithms=${algorithm}`, '-v');
    expect(outcome.stderr).toContain(`kex: host key algorithm: ${algorithm}`);
    expect(outcome.text).toContain('Account: admin');
  });

  it('lasts over rekeys', async () => {
    const outcome = await run([], 'help all\n'.repeat(40), ['-o', 'RekeyLimit=16K', '-v']);
    expect(outcome.status).toBe(0);
    expect(outcome.stderr.match(/SSH2_MSG_NEWKEYS received/g)?.length).toBeGreaterThan(1);
  });

  it('is refused by a client that asks for another name', async () => {
    const outcome = await whoami('-o', 'HostKeyAlias=elsewhere.example');
    expect(outcome.status).toBe(255);
    expect(outcome.text).toBe('');
  });

  it('a client that knows the plain keys only gets in as before', async () => {
    expect((await door.ssh('whoami')).stderr).toBe('');
    for (const algorithm of ['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256']) {
      const outcome = await door.ssh('whoami', { args: ['-o', `HostKeyAlgorithms=${algorithm}`] });
      expect(outcome.status).toBe(0);
    }
  });

  it('ssh-config --known-hosts names the authority, and a client that keeps these lines gets in', async () => {
    const { text } = await door.ssh('ssh-config --known-hosts');
    const [type, base64] = authority.publicKey.split(' ');
    const [first = '', ...others] = text.trim().split('\n');
    expect(first).toBe(`@cert-authority postern,[gw.example]:${door.port} ${type} ${base64}`);
    expect(others).toHaveLength(2);
    const knownHosts = await temporaryFile('known_hosts', `${first}\n`);
    const args = ['-o', 'HostName=127.0.0.1', '-o', 'CheckHostIP=no', '-o', `HostKeyAlias=gw.example`];
    const line = (await readFile(knownHosts, 'utf8')).replace(`[gw.example]:${door.port}`, 'gw.example');
    await writeFile(knownHosts, line);
    const outcome = await runProgram('ssh', [
      ...sshArguments({ port: door.port, knownHosts }, { key: door.admin, args }),
      ...['-p', String(door.port), 'x@gw.example', 'whoami'],
    ]);
    expect(outcome.stderr).toBe('');
    expect(outcome.text).toContain('Account: admin');
  });
});

describe('a host certificate that cannot be used stops the start with a sentence', () => {
  const prepared = async () => {
    const own = join(await mkdtemp(join(tmpdir(), 'postern-host-certificates-')), 'hostkeys');
    await mkdir(own, { mode: 0o700 });
    for (const name of files) {
      for (const ending of ['', '.pub']) {
        await copyFile(join(door.hostKeysDir, name + ending), join(own, name + ending));
      }
    }
    return own;
  };

  it('one for a user', async () => {
    const own = await prepared();
    await certifyHostKey(join(own, files[0]), 'gw.example', false);
    await expect(loadHostKeys(own)).rejects.toThrow(/cannot be used: it is for a user/);
  });

  it('one of another key', async () => {
    const own = await prepared();
    await certifyHostKey(join(own, files[1]), 'gw.example');
    await copyFile(join(own, `${files[1]}-cert.pub`), join(own, `${files[0]}-cert.pub`));
    await expect(loadHostKeys(own)).rejects.toThrow(/it is for another key/);
  });

  it('nonsense', async () => {
    const own = await prepared();
    await writeFile(join(own, `${files[0]}-cert.pub`), 'nonsense\n');
    await expect(loadHostKeys(own)).rejects.toThrow(/cannot be used: .* Replace it, or remove it\./);
  });
});
