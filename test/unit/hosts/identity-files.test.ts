import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkIdentityFile, readIdentityFile } from '../../../src/hosts/identity-files.ts';
import { forEachTest } from '../../support/lifetimes.ts';
import { runProgram } from '../../support/ssh-client.ts';

const plainKey = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { format: 'pem', type: 'sec1' },
  publicKeyEncoding: { format: 'pem', type: 'spki' },
}).privateKey;

const folders = forEachTest(
  async () => {
    const dataDir = await realpath(await mkdtemp(join(tmpdir(), 'postern-identities-')));
    const identities = join(dataDir, 'identities');
    await mkdir(join(identities, 'team'), { recursive: true });
    for (const file of [
      join(identities, 'db'),
      join(identities, 'team', 'db'),
      join(dataDir, 'postern.json'),
    ]) {
      await writeFile(file, plainKey, { mode: 0o600 });
    }
    return { dataDir, identities };
  },
  ({ dataDir }) => rm(dataDir, { recursive: true }),
);

const refused = async (path: string, why: RegExp) => {
  const checked = checkIdentityFile(folders.dataDir, path);
  await expect(checked).rejects.toMatchObject({ code: 'invalid-host', message: expect.stringMatching(why) });
};

describe('an identity file', () => {
  it('is named below DATA/identities, or by its full path there', async () => {
    const { dataDir, identities } = folders;
    expect(await checkIdentityFile(dataDir, 'db')).toBe('db');
    expect(await checkIdentityFile(dataDir, './team//db')).toBe('team/db');
    expect(await checkIdentityFile(dataDir, join(identities, 'team', 'db'))).toBe('team/db');
    expect(await checkIdentityFile(relative(process.cwd(), dataDir), join(identities, 'db'))).toBe('db');
  });

  it('may lie where DATA is reached by a link', async () => {
    const link = `${folders.dataDir}-link`;
    await symlink(folders.dataDir, link);
    expect(await checkIdentityFile(link, 'db')).toBe('db');
    await rm(link);
  });

  it.each([
    '../postern.json',
    'team/../../postern.json',
    'team/../db',
    '..',
    '.',
    '',
    '/',
    '/etc/passwd',
    '~/.ssh/id_ed25519',
    'db/',
    'db\0',
    'a\nb',
  ])('identity-file-outside: %j', (path) => refused(path, /is not in DATA\/identities/));

  it('identity-file-outside: the full path of what lies beside the folder', async () => {
    await refused(join(folders.dataDir, 'postern.json'), /is not in DATA/);
    await writeFile(join(folders.dataDir, 'identities2'), 'a key', { mode: 0o600 });
    await refused(join(folders.dataDir, 'identities2'), /is not in DATA/);
  });

  it('identity-file-by-link: the file, a folder on its way', async () => {
    const { dataDir, identities } = folders;
    await symlink(join(dataDir, 'postern.json'), join(identities, 'out'));
    await symlink(join(identities, 'db'), join(identities, 'in'));
    await symlink(dataDir, join(identities, 'up'));
    for (const path of ['out', 'in', 'up/postern.json', 'up/identities/db'])
      await refused(path, /is a link, or is reached through one/);
  });

  it.each([0o644, 0o640, 0o604, 0o660])('of mode %o is refused', async (mode) => {
    await chmod(join(folders.identities, 'db'), mode);
    await refused('db', /0600/);
  });

  it('a folder is none', () => refused('team', /is no file/));

  it('without the folder there are none', async () => {
    await rename(folders.identities, join(folders.dataDir, 'elsewhere'));
    await refused('db', /is not there/);
  });

  it.each(['nosuch', 'team/nosuch', 'db/below'])('that is not there is told: %s', (path) =>
    refused(path, /is not there/),
  );

  const keygen = async (...options: string[]) => {
    const file = join(folders.identities, 'made');
    await runProgram('ssh-keygen', ['-q', '-f', file, '-N', '', ...options]);
    return file;
  };

  it.each([
    ['-t', 'ed25519'],
    ['-t', 'ecdsa', '-b', '521'],
    ['-t', 'rsa', '-b', '2048'],
    ['-t', 'rsa', '-b', '2048', '-m', 'PEM'],
    ['-t', 'ecdsa', '-m', 'PEM'],
  ])('of ssh-keygen %s %s %s %s %s is taken', async (...options) => {
    await keygen(...options.filter((option) => option !== undefined));
    const { path, privateKey } = await readIdentityFile(folders.dataDir, 'made');
    expect([path, privateKey]).toEqual(['made', await readFile(join(folders.identities, 'made'))]);
  });

  it.each([
    ['-t', 'ed25519'],
    ['-t', 'rsa', '-m', 'PEM'],
    ['-t', 'ecdsa', '-m', 'PKCS8'],
  ])('with a passphrase is refused: %s %s %s %s', async (...options) => {
    await keygen(...options.filter((option) => option !== undefined), '-N', 'secret');
    await refused('made', /has a passphrase, which nobody is there to type/);
  });

  it('that is the public half is no private key', async () => {
    await keygen('-t', 'ed25519');
    await chmod(join(folders.identities, 'made.pub'), 0o600);
    await refused('made.pub', /holds no private key/);
  });

  it.each([
    ['of PuTTY', 'PuTTY-User-Key-File-2: ssh-ed25519\n'],
    ['PKCS#8', '-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n'],
  ])('%s is to be converted', async (_what, text) => {
    await writeFile(join(folders.identities, 'db'), text);
    await refused('db', /in a format that is not used here/);
  });

  it('identity-file-huge: is read no further than a key is long', async () => {
    await writeFile(join(folders.identities, 'db'), plainKey + ' '.repeat(70_000));
    await refused('db', /holds no private key/);
  });

  it('leaks-the-key: no sentence says what is in it', async () => {
    await writeFile(join(folders.identities, 'db'), plainKey.replace('END', 'XEND'));
    const said = await checkIdentityFile(folders.dataDir, 'db').catch((error: Error) => error.message);
    expect(said).not.toContain(plainKey.split('\n')[1]);
  });
});
