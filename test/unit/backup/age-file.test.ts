/** What is encrypted to an SSH key is an age file like any other: Debian's `age` reads and writes the same. */
import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { decryptWith, encryptTo, isAgeFile } from '../../../src/backup/age-file.ts';
import { parseKeysToAdd } from '../../../src/keys/parse-keys-to-add.ts';
import { temporaryFile } from '../../support/gateway.ts';
import { type KeyPair, makeKeyPair, runProgram } from '../../support/ssh-client.ts';

const content = Buffer.from('host keys and seeds, 64 KiB and more '.repeat(2_000));
const publicKeyOf = (pair: KeyPair) => parseKeysToAdd(pair.publicKey)[0]?.key as never;
const textOf = (pair: KeyPair) => readFile(pair.file, 'utf8');

describe.each([
  ['ed25519', []],
  ['rsa', ['-b', '2048']],
  ['rsa', ['-b', '3072', '-m', 'PEM']],
])('an age file for a key of type %s %j', (type, extra) => {
  let pair: KeyPair;
  beforeAll(async () => {
    pair = await makeKeyPair(type, extra);
  });

  it('is opened by age -d -i KEY', async () => {
    const file = await temporaryFile('backup.age', await encryptTo(publicKeyOf(pair), content));
    const opened = await runProgram('age', ['-d', '-i', pair.file, file]);
    expect(opened.stderr).toBe('');
    expect(opened.stdout.equals(content)).toBe(true);
  });

  it('is opened here, and so is what age -R KEY.pub makes, in armor too', async () => {
    const ours = await encryptTo(publicKeyOf(pair), content);
    expect(isAgeFile(ours)).toBe(true);
    expect((await decryptWith(await textOf(pair), ours)).equals(content)).toBe(true);
    for (const flags of [[], ['-a']]) {
      const made = await runProgram('age', [...flags, '-R', `${pair.file}.pub`], { stdin: content });
      expect(isAgeFile(made.stdout)).toBe(true);
      expect((await decryptWith(await textOf(pair), made.stdout)).equals(content)).toBe(true);
    }
  });

  it('is opened by no other key, and not at all once a byte of it was changed', async () => {
    const file = await encryptTo(publicKeyOf(pair), content);
    const other = await makeKeyPair(type);
    await expect(decryptWith(await textOf(other), file)).rejects.toThrow(/cannot be opened with this key/);
    for (const at of [60, file.length >> 1, file.length - 1]) {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] as number) ^ 1;
      await expect(decryptWith(await textOf(pair), changed)).rejects.toThrow(/cannot be opened/);
    }
  });
});

describe('a key that cannot be used', () => {
  it('to encrypt to is refused by its type', async () => {
    const pair = await makeKeyPair('ecdsa');
    await expect(encryptTo(publicKeyOf(pair), content)).rejects.toThrow(/type ecdsa-sha2-nistp256; name one/);
  });

  it('because of a passphrase is refused with what to do', async () => {
    const pair = await makeKeyPair();
    const file = await encryptTo(publicKeyOf(pair), content);
    await runProgram('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'a passphrase', '-f', pair.file]);
    await expect(decryptWith(await textOf(pair), file)).rejects.toThrow(
      /has a passphrase; open the backup with it first, "age -d -i KEY FILE \| postern restore -"/,
    );
  });

  it('because it is no private key, or a damaged one, is refused', async () => {
    const pair = await makeKeyPair();
    const file = await encryptTo(publicKeyOf(pair), content);
    await expect(decryptWith(pair.publicKey, file)).rejects.toThrow(/holds no private key/);
    const text = await textOf(pair);
    const half = text.replace(/\n[^\n]+\n[^\n]+\n-----END/, '\n-----END');
    await writeFile(pair.file, half);
    await expect(decryptWith(half, file)).rejects.toThrow(/is damaged/);
  });
});
