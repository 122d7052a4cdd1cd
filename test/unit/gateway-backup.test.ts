import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packBackup } from '../../src/backup/archive.ts';
import { restoreStopped } from '../../src/gateway-backup.ts';
import { makeEd25519 } from '../../src/ssh/host-keys.ts';

let folder: string;
let folders: { dataDir: string; hostKeysDir: string };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-gateway-backup-'));
  folders = { dataDir: join(folder, 'data'), hostKeysDir: join(folder, 'hostkeys') };
  await mkdir(folders.hostKeysDir);
  await writeFile(join(folders.hostKeysDir, 'ssh_host_ed25519_key'), 'of now');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const facts = { version: '1', createdAt: '2026-01-02T03:04:05Z', auditHead: { seq: 0, hash: '' } };
const backupWith = (name: string, key: string) =>
  packBackup(
    facts,
    new Map([
      ['store/postern.json', Buffer.from('{"schema":1,"sequence":0,"tables":{}}')],
      [`hostkeys/${name}`, Buffer.from(key)],
    ]),
  );

it.each(['ssh_host_ed25519_key', 'ssh_host_rsa_key.next'])(
  'unusable-host-key: a backup with which no gateway would start is refused, and nothing changes (%s)',
  async (name) => {
    const restoring = restoreStopped(await backupWith(name, makeEd25519().public), folders);
    await expect(restoring).rejects.toThrow(`"hostkeys/${name}" is not a private key`);
    expect(await readdir(folders.hostKeysDir)).toEqual(['ssh_host_ed25519_key']);
    expect((await readdir(folders.dataDir)).filter((each) => each.includes('restore'))).toEqual([]);
  },
);

it('a sound one takes the place of the host keys that were there', async () => {
  const { private: key } = makeEd25519();
  await restoreStopped(await backupWith('ssh_host_ed25519_key', key), folders);
  expect(await readFile(join(folders.hostKeysDir, 'ssh_host_ed25519_key'), 'utf8')).toBe(key);
});

/** Not root, even where this process is. */
const owner = process.getuid?.() === 0 ? 12_345 : (process.getuid?.() as number);

/** As those of a gateway that runs as somebody else, who can get at them. */
async function giveAway(): Promise<void> {
  await chmod(folder, 0o755);
  await mkdir(folders.dataDir);
  for (const place of [...Object.values(folders), join(folders.hostKeysDir, 'ssh_host_ed25519_key')]) {
    await chown(place, owner, -1);
  }
}

it('restored-by-root: what is put into folders of somebody else is theirs, or the gateway could not read it', async () => {
  await giveAway();
  const before = [process.geteuid?.(), process.getegid?.(), process.getgroups?.()];
  await restoreStopped(await backupWith('ssh_host_ed25519_key', makeEd25519().private), folders);
  for (const place of Object.values(folders)) {
    for (const name of await readdir(place, { recursive: true })) {
      expect((await stat(join(place, name))).uid, name).toBe(owner);
    }
  }
  expect([process.geteuid?.(), process.getegid?.(), process.getgroups?.()]).toEqual(before);
});

describe('planted-links: whoever owns the folders reaches nothing of root’s by a restore that root makes', () => {
  let outside: string;
  beforeEach(async () => {
    await giveAway();
    outside = join(folder, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'deploy'), 'of root');
    await chmod(join(outside, 'deploy'), 0o400);
    await chmod(outside, 0o555);
  });

  it('by a link to a folder, all of which would become theirs', async () => {
    await symlink(outside, join(folders.dataDir, 'anything'));
    await restoreStopped(await backupWith('ssh_host_ed25519_key', makeEd25519().private), folders);
    expect((await stat(join(outside, 'deploy'))).uid).toBe(process.getuid?.());
  });

  it('by a restore that they began, into a folder that a link leads to', async () => {
    const pending = join(folders.dataDir, 'restore-pending');
    await mkdir(join(pending, 'files/data/identities'), { recursive: true });
    await writeFile(join(pending, 'files/data/identities/deploy'), 'theirs');
    await writeFile(join(pending, 'all-kept'), '');
    const plan = { kept: 'before-restore-1', names: ['data/identities/deploy'] };
    await writeFile(join(pending, 'plan.json'), JSON.stringify(plan));
    await symlink(outside, join(folders.dataDir, 'identities'));
    for (const name of ['', ...(await readdir(pending, { recursive: true }))]) {
      await chown(join(pending, name), owner, -1);
    }
    await restoreStopped(await backupWith('ssh_host_ed25519_key', makeEd25519().private), folders).catch(
      () => {},
    );
    expect(await readFile(join(outside, 'deploy'), 'utf8')).toBe('of root');
    expect(await readdir(outside)).toEqual(['deploy']);
  });
});
