import { chmod, mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkIdentityFile } from '../../../src/hosts/identity-files.ts';
import { forEachTest } from '../../support/lifetimes.ts';

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
      await writeFile(file, 'a key', { mode: 0o600 });
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
    'nosuch',
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
      await refused(path, /is not in DATA/);
  });

  it.each([0o644, 0o640, 0o604, 0o660])('of mode %o is refused', async (mode) => {
    await chmod(join(folders.identities, 'db'), mode);
    await refused('db', /0600/);
  });

  it('a folder is none', () => refused('team', /is no file/));

  it('without the folder there are none', async () => {
    await rename(folders.identities, join(folders.dataDir, 'elsewhere'));
    await refused('db', /is not in DATA/);
  });
});
