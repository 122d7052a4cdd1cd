import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ssh2 from 'ssh2';
import { describe, expect, it } from 'vitest';
import { loadHostKeys, makeEd25519 } from '../../../src/ssh/host-keys.ts';

const run = promisify(execFile);
const newFolder = async () => join(await mkdtemp(join(tmpdir(), 'postern-hostkeys-')), 'keys');

describe('host keys', () => {
  it('are made once, private to their owner, and readable by ssh-keygen', async () => {
    const folder = await newFolder();
    const made = await loadHostKeys(folder);
    expect(made.map(({ type }) => type)).toEqual(['ssh-ed25519', 'ssh-rsa']);
    expect((await loadHostKeys(folder)).map((key) => key.fingerprint)).toEqual(
      made.map((key) => key.fingerprint),
    );
    for (const name of ['ssh_host_ed25519_key', 'ssh_host_rsa_key']) {
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
      const derived = (await run('ssh-keygen', ['-y', '-f', join(folder, name)])).stdout.split(' ')[1];
      expect((await readFile(join(folder, `${name}.pub`), 'utf8')).split(' ')[1]?.trim()).toBe(
        derived?.trim(),
      );
    }
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('that others may read are refused, with what to do', async () => {
    const folder = await newFolder();
    await loadHostKeys(folder);
    await chmod(join(folder, 'ssh_host_ed25519_key'), 0o644);
    await expect(loadHostKeys(folder)).rejects.toThrow(/may be read by others.+chmod 600/);
  });

  it('that are no keys are refused', async () => {
    const folder = await newFolder();
    await loadHostKeys(folder);
    await writeFile(join(folder, 'ssh_host_rsa_key'), 'nonsense');
    await expect(loadHostKeys(folder)).rejects.toThrow(/is not a private key/);
  });

  it('in a folder that cannot be made fail at once', async () => {
    await expect(loadHostKeys('/proc/postern/keys')).rejects.toThrow(
      /cannot be made \(no such file or folder\); name another with --hostkeys/,
    );
  });

  it('two gateways that start at once on one folder agree on the keys', async () => {
    const folder = await newFolder();
    const [one, two] = await Promise.all([loadHostKeys(folder), loadHostKeys(folder)]);
    expect(one.map((key) => key.fingerprint)).toEqual(two.map((key) => key.fingerprint));
  });

  it('leading-zero-key: a pair that ssh2 wrote without its leading zero is made again', async () => {
    const generate = () => ssh2.utils.generateKeyPairSync('ed25519', { comment: 'postern' });
    let broken = generate();
    // ssh2 itself cannot read them; one in 256 is so.
    for (
      let tries = 0;
      tries < 20_000 && ssh2.utils.parseKey(broken.private) instanceof Error === false;
      tries++
    ) {
      broken = generate();
    }
    expect(ssh2.utils.parseKey(broken.private)).toBeInstanceOf(Error);
    const pairs = [broken];
    expect(ssh2.utils.parseKey(makeEd25519(() => pairs.pop() ?? generate()).private)).not.toBeInstanceOf(
      Error,
    );
  });
});
