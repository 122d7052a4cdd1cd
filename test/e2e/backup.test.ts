/** `postern backup` and `postern restore`: everything that a gateway is, there and back. */
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { codeAt, stepAt } from '../../src/second-factor/totp.ts';
import { answering } from '../support/second-factor.ts';
import { main, type Served, serve as startServing, stop } from '../support/served.ts';
import {
  type KeyPair,
  makeKeyPair,
  type RunOptions,
  runProgram,
  type SshOptions,
  spawnSsh,
  ssh,
  writeKnownHosts,
} from '../support/ssh-client.ts';

let top: string;
let first: string;
let served: Served;
let admin: KeyPair;
let bob: KeyPair;
let recoveryCodes: string[];
let token: string;
let egressKey: string;
/** What everybody knew of the first gateway, and must go on knowing. */
let hostKeys: string[];
let file: string;

const hostKeysIn = async (folder: string) =>
  Promise.all(
    ['ed25519', 'rsa'].map(async (type) =>
      (await readFile(join(folder, `hostkeys/ssh_host_${type}_key.pub`), 'utf8')).trim(),
    ),
  );
const portsOf = ({ printed }: Served) =>
  [...printed().matchAll(/SSH on 127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port));
const execOf = ({ printed }: Served) => /POST (http:\S+\/exec)/.exec(printed())?.[1] as string;
/** Restored is a folder, with the rows in it, whatever store the backup is of; backup-of-database.test.ts goes on from there. */
const inFolder = ['--store=lowdb', '--http-listen=127.0.0.1:0', '--log-level=info'];
const serve = (folder: string) => startServing(folder, inFolder);

/** Strictly by the first gateway's host keys. */
async function asAdmin(gateway: Served, command: string, options: SshOptions = {}) {
  const port = portsOf(gateway).at(-1) as number;
  const knownHosts = await writeKnownHosts(port, hostKeys);
  return ssh({ port, knownHosts }, command, { key: admin, ...options });
}

const postern = (folder: string, args: readonly string[], options?: RunOptions) =>
  runProgram(process.execPath, [main, ...args, `--data=${folder}/data`], options);
const restoreInto = (folder: string, args: readonly string[], options?: RunOptions) =>
  postern(folder, ['restore', ...args, `--hostkeys=${folder}/hostkeys`], options);
const newFolder = async (name: string) => {
  const folder = join(top, name);
  await mkdir(folder);
  return folder;
};

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'postern-backup-'));
  first = await newFolder('first');
  [admin, bob] = await Promise.all([makeKeyPair(), makeKeyPair()]);
  served = await startServing(first, [
    `--admin-key=${admin.file}.pub`,
    '--http-listen=127.0.0.1:0',
    '--log-level=info',
  ]);
  hostKeys = await hostKeysIn(first);
  const { code } = JSON.parse((await asAdmin(served, 'invite create --name=bob --json')).text);
  await asAdmin(served, 'join', { key: bob, login: `join+${code}` });
  await asAdmin(served, `host add db root@192.0.2.1 --host-key='${hostKeys[0]}'`);
  egressKey = (await asAdmin(served, 'host key')).text;
  const made = await asAdmin(served, 'ssh-key generate-api-key --label=ci --json');
  token = (JSON.parse(made.text) as { token: string }).token;
  const enrolled = await asAdmin(served, 'mfa enroll --json', { key: bob });
  const { secret } = JSON.parse(enrolled.text) as { secret: string };
  const confirmed = await asAdmin(served, `mfa confirm ${codeAt(secret, stepAt(Date.now()))} --json`, {
    key: bob,
  });
  recoveryCodes = (JSON.parse(confirmed.text) as { recovery_codes: string[] }).recovery_codes;
  await mkdir(join(first, 'data/identities'), { mode: 0o700 });
  await writeFile(join(first, 'data/identities/deploy'), await readFile(bob.file), { mode: 0o600 });
  file = join(top, 'backup.tar');
});
afterAll(async () => {
  await stop(served);
  await rm(top, { recursive: true, force: true });
});

/** What was made above is there and works, for people who trust the first gateway's host keys and no others. */
async function expectEverything(gateway: Served): Promise<void> {
  const accounts = (await asAdmin(gateway, 'account list')).text;
  expect([accounts.includes('admin'), accounts.includes('bob')]).toEqual([true, true]);
  expect((await asAdmin(gateway, 'host list')).text).toContain('192.0.2.1');
  expect((await asAdmin(gateway, 'host key')).text).toBe(egressKey);
  const args = ['-sS', '-H', `Authorization: Bearer ${token}`, '-d', 'whoami', execOf(gateway)];
  expect((await runProgram('curl', args)).text).toContain('"admin"');
  const { options, asked } = await answering(recoveryCodes.shift() as string);
  const withCode = await asAdmin(gateway, 'whoami', { key: bob, ...options });
  expect([withCode.text.includes('bob'), (await asked()).length]).toEqual([true, 1]);
}

describe('postern backup', () => {
  it('writes one file, mode 0600, and says what is in it', async () => {
    const made = await postern(first, ['backup', file]);
    expect([made.stderr, made.status]).toEqual(['', 0]);
    expect(made.text).toContain(
      'It holds the host keys, the egress key, identity files and the second-factor seeds',
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { text } = await runProgram('tar', ['-tf', file]);
    expect(text.split('\n')).toEqual([
      'manifest.json',
      'store/postern.json',
      'data/egress_ed25519_key',
      'data/egress_ed25519_key.pub',
      'data/identities/deploy',
      'hostkeys/ssh_host_ed25519_key',
      'hostkeys/ssh_host_ed25519_key.pub',
      'hostkeys/ssh_host_rsa_key',
      'hostkeys/ssh_host_rsa_key.pub',
      '',
    ]);
  });

  it('names where the audit stood, which can be held against the audit', async () => {
    const { text } = await runProgram('tar', ['-xOf', file, 'manifest.json']);
    const { auditHead } = JSON.parse(text) as { auditHead: { seq: number; hash: string } };
    expect(auditHead.seq).toBeGreaterThan(5);
    expect((await postern(first, ['audit', 'verify'])).status).toBe(0);
    const lines = (await readFile(join(first, 'data/audit/audit.jsonl'), 'utf8')).split('\n');
    expect(JSON.parse(lines[auditHead.seq] as string)).toMatchObject({ prev: auditHead.hash });
  });

  it('writes over nothing, and leaves nothing behind where it cannot write', async () => {
    const again = await postern(first, ['backup', file]);
    expect(again.status).toBe(1);
    expect(again.stderr).toContain('exists already');
    const nowhere = await postern(first, ['backup', join(top, 'nowhere/backup.tar')]);
    expect(nowhere.status).toBe(1);
    expect(nowhere.stderr).toContain('cannot be written (no such file or folder)');
    expect((await readdir(top)).toSorted()).toEqual(['backup.tar', 'first']);
  });
});

describe('postern restore', () => {
  it('fills empty folders: same accounts, keys, hosts, tokens, second factors and host keys', async () => {
    const folder = await newFolder('empty');
    const restored = await restoreInto(folder, [file]);
    expect([restored.stderr, restored.status]).toEqual(['', 0]);
    expect(restored.text).toContain(`started with --data ${folder}/data and --hostkeys ${folder}/hostkeys.`);
    const second = await serve(folder);
    await expectEverything(second);
    expect(await readFile(join(folder, 'data/identities/deploy'), 'utf8')).toBe(
      await readFile(bob.file, 'utf8'),
    );
    expect(await stop(second)).toBe(0);
  });

  it('takes what age opened, and opens what was encrypted to a key itself', async () => {
    const key = await makeKeyPair();
    const sealed = join(top, 'backup.age');
    const made = await postern(first, ['backup', sealed, '--encrypt-to', `${key.file}.pub`]);
    expect([made.stderr, made.status]).toEqual(['', 0]);
    expect(made.text).toContain(`encrypted to ${key.fingerprint}`);
    expect((await readFile(sealed)).includes('PRIVATE KEY')).toBe(false);
    const opened = await runProgram('age', ['-d', '-i', key.file, sealed]);
    expect(opened.status).toBe(0);
    const piped = await newFolder('piped');
    expect((await restoreInto(piped, ['-'], { stdin: opened.stdout })).status).toBe(0);
    const direct = await newFolder('direct');
    const without = await restoreInto(direct, [sealed]);
    expect([without.status, without.stderr.includes('--identity FILE')]).toEqual([2, true]);
    expect((await restoreInto(direct, [sealed, '--identity', key.file])).status).toBe(0);
    for (const folder of [piped, direct]) expect(await hostKeysIn(folder)).toEqual(hostKeys);
    const byText = join(top, 'by-text.age');
    expect((await postern(first, ['backup', byText, '--encrypt-to', key.publicKey])).status).toBe(0);
  });

  it('on a running gateway ends all connections with a sentence, and it goes on with what was restored', async () => {
    const folder = await newFolder('running');
    await mkdir(join(folder, 'data'), { mode: 0o700 });
    const mallory = await makeKeyPair();
    const other = await startServing(folder, [`--admin-key=${mallory.file}.pub`, ...inFolder]);
    const known = await writeKnownHosts(portsOf(other)[0] as number, await hostKeysIn(folder));
    const prompt = spawnSsh({ port: portsOf(other)[0] as number, knownHosts: known }, undefined, {
      key: mallory,
      args: ['-tt'],
    });
    let shown = '';
    for (const stream of [prompt.stdout, prompt.stderr]) {
      stream?.on('data', (chunk) => {
        shown += chunk;
      });
    }
    await vi.waitUntil(() => shown.includes('▶'), { timeout: 30_000, interval: 20 });
    const left = once(prompt, 'close');
    // The admin of the command line would be made again at the next start.
    const restored = await postern(folder, ['restore', file]);
    expect([restored.stderr, restored.status]).toEqual(['', 0]);
    expect(restored.text).toMatch(/is kept in .*before-restore-.* All connections were ended\./);
    expect(await left).toEqual([255, null]);
    expect(shown).toContain('the gateway was restored from a backup; connect again.');
    await vi.waitUntil(() => portsOf(other).length === 2, { timeout: 30_000, interval: 20 });
    expect((await asAdmin(other, 'account list')).text).toContain('bob');
    expect(await stop(other)).toBe(0);
  });

  it('kill-9-during-restore: killed as it begins again, the next start has all of the new state', async () => {
    const folder = await newFolder('killed');
    const other = await serve(folder);
    const exited = once(other.child, 'exit');
    const restoring = restoreInto(folder, [file]);
    await vi.waitUntil(() => other.printed().includes('starting again with the restored backup'), {
      timeout: 30_000,
      interval: 5,
    });
    other.child.kill('SIGKILL');
    await exited;
    const again = await serve(folder);
    await restoring;
    await expectEverything(again);
    expect((await readdir(join(folder, 'data'))).filter((name) => name.startsWith('restore-'))).toEqual([]);
    expect(await stop(again)).toBe(0);
  });

  it('changed-backup: one in which a byte was changed is refused, and the gateway runs on as it was', async () => {
    const damaged = join(top, 'damaged.tar');
    const bytes = await readFile(file);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    await writeFile(damaged, bytes);
    const refused = await postern(first, ['restore', damaged]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/^postern: the backup cannot be restored: .* Nothing was changed\.\n$/);
    expect((await asAdmin(served, 'account list')).text).toContain('bob');
    expect(portsOf(served)).toHaveLength(1);
  });

  it('refuses a store of a newer version, and an identity file that others may read', async () => {
    const folder = await newFolder('newer');
    const unpacked = await newFolder('unpacked');
    await runProgram('tar', ['-xf', file, '-C', unpacked]);
    const store = join(unpacked, 'store/postern.json');
    const newer = (await readFile(store, 'utf8')).replace('{"schema":1', '{"schema":999');
    await writeFile(store, newer);
    const manifestFile = join(unpacked, 'manifest.json');
    const manifest = JSON.parse(await readFile(manifestFile, 'utf8')) as { files: { name: string }[] };
    const sum = await runProgram('sha256sum', [store]);
    const files = manifest.files.map((each) =>
      each.name === 'store/postern.json'
        ? { ...each, bytes: Buffer.byteLength(newer), sha256: sum.text.slice(0, 64) }
        : each,
    );
    await writeFile(manifestFile, JSON.stringify({ ...manifest, files }));
    const made = join(top, 'newer.tar');
    const names = ['manifest.json', ...files.map(({ name }) => name)];
    await runProgram('tar', ['-cf', made, '-C', unpacked, ...names]);
    const refused = await restoreInto(folder, [made]);
    expect(refused.stderr).toContain('a newer version of Postern made it (schema 999');
    const key = await makeKeyPair();
    await chmod(key.file, 0o644);
    const open = await restoreInto(folder, [join(top, 'backup.age'), '--identity', key.file]);
    expect(open.stderr).toContain('may be read by others');
  });
});
