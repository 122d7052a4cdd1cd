import { chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
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

it('restored-by-root: what is put into folders of somebody else is theirs, or the gateway could not read it', async () => {
  const owner = process.getuid?.() === 0 ? 12_345 : (process.getuid?.() as number);
  await mkdir(folders.dataDir);
  for (const place of Object.values(folders)) await chown(place, owner, -1);
  await restoreStopped(await backupWith('ssh_host_ed25519_key', makeEd25519().private), folders);
  for (const place of Object.values(folders)) {
    for (const name of await readdir(place, { recursive: true })) {
      expect((await stat(join(place, name))).uid, name).toBe(owner);
    }
  }
});
