/** Cut off at any moment, a restore leaves the old state or the new one, never some of both. */
import * as fs from 'node:fs/promises';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DiskCalls } from '../../../src/backup/durable-copy.ts';
import { finishRestore, isRestorePending, stageRestore } from '../../../src/backup/restore-state.ts';
import { listState, placeOf, type StateFolders } from '../../../src/backup/state-files.ts';

const filesOf = (texts: Record<string, string>) =>
  new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));
const before = {
  'store/postern.json': 'old store',
  'hostkeys/ssh_host_ed25519_key': 'old host key',
  'hostkeys/ssh_host_ed25519_key.pub': 'old public key',
  'hostkeys/ssh_host_rsa_key.next': 'old next key',
  'data/identities/team/deploy': 'old identity',
};
const after = {
  'store/postern.json': 'new store',
  'hostkeys/ssh_host_ed25519_key': 'new host key',
  'hostkeys/ssh_host_ed25519_key.pub': 'new public key',
  'data/egress_ed25519_key': 'new egress key',
  'data/identities/other': 'new identity',
};

let folder: string;
let folders: StateFolders;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-restore-'));
  folders = { dataDir: join(folder, 'data'), hostKeysDir: join(folder, 'keys') };
  for (const [name, content] of filesOf(before)) {
    const path = placeOf(name, folders);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function stateIn(where: StateFolders): Promise<Record<string, string>> {
  const state: Record<string, string> = {};
  for (const name of await listState(where)) state[name] = await readFile(placeOf(name, where), 'utf8');
  return state;
}

/** As after kill -9: the calls after the first `count` never happen. */
function callsUntil(count: number): DiskCalls & { readonly made: () => number } {
  let made = 0;
  const counted =
    <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> => {
      made++;
      return made > count ? new Promise<Result>((_, reject) => reject(new Error('killed'))) : call(...args);
    };
  return {
    open: counted(fs.open),
    rename: counted(fs.rename),
    unlink: counted(fs.unlink),
    link: counted(fs.link),
    made: () => made,
  };
}

const now = Date.UTC(2026, 0, 2, 3, 4, 5);
const restore = async (calls?: DiskCalls) => {
  await stageRestore(filesOf(after), folders, now, calls);
  await finishRestore(folders, calls);
};

describe('a restore', () => {
  it('puts the new state in place of the old one, which is kept', async () => {
    await restore();
    expect(await stateIn(folders)).toEqual(after);
    const kept = join(folders.dataDir, 'before-restore-2026-01-02T03-04-05-000Z');
    for (const [name, text] of Object.entries(before)) {
      expect(await readFile(join(kept, name), 'utf8')).toBe(text);
    }
    const modeOf = async (name: string) => (await stat(placeOf(name, folders))).mode & 0o777;
    expect(await modeOf('hostkeys/ssh_host_ed25519_key')).toBe(0o600);
    expect(await modeOf('store/postern.json')).toBe(0o600);
    expect((await stat(kept)).mode & 0o777).toBe(0o700);
    expect((await readdir(folders.dataDir)).filter((name) => name.startsWith('restore-'))).toEqual([]);
  });

  it('killed-at-any-call: the old state stands, or the next start finishes the new one', async () => {
    const whole = callsUntil(Number.POSITIVE_INFINITY);
    const outcomes = new Set<string>();
    await restore(whole);
    for (let count = 0; count < whole.made(); count++) {
      await rm(folder, { recursive: true, force: true });
      for (const [name, content] of filesOf(before)) {
        await mkdir(dirname(placeOf(name, folders)), { recursive: true });
        await writeFile(placeOf(name, folders), content);
      }
      await restore(callsUntil(count)).catch(() => {});
      const isPending = await isRestorePending(folders.dataDir);
      await finishRestore(folders);
      const state = await stateIn(folders);
      expect([before, after], `killed after ${count} calls`).toContainEqual(state);
      if (isPending) expect(state).toEqual(after);
      outcomes.add(state['store/postern.json'] as string);
    }
    expect(outcomes).toEqual(new Set(['old store', 'new store']));
  });

  it('killed twice while it is finished, it is finished all the same, and what was there is kept', async () => {
    for (let count = 1; count < 40; count += 3) {
      await rm(folder, { recursive: true, force: true });
      for (const [name, content] of filesOf(before)) {
        await mkdir(dirname(placeOf(name, folders)), { recursive: true });
        await writeFile(placeOf(name, folders), content);
      }
      await stageRestore(filesOf(after), folders, now);
      await finishRestore(folders, callsUntil(count)).catch(() => {});
      await finishRestore(folders, callsUntil(count + 7)).catch(() => {});
      await finishRestore(folders);
      expect(await stateIn(folders)).toEqual(after);
      const kept = join(folders.dataDir, 'before-restore-2026-01-02T03-04-05-000Z/store/postern.json');
      expect(await readFile(kept, 'utf8')).toBe('old store');
    }
  });

  it('folder-in-the-way: where a file must lie, it is refused before anything is changed', async () => {
    const path = join(folders.dataDir, 'identities/other');
    await mkdir(path);
    await expect(restore()).rejects.toThrow(`${path} is in the way of one of its files`);
    expect(await isRestorePending(folders.dataDir)).toBe(false);
    expect(await stateIn(folders)).toEqual(before);
  });

  it('link-in-the-way: a backup is never written through a link among the identity files', async () => {
    const elsewhere = join(folder, 'elsewhere');
    await mkdir(elsewhere);
    await symlink(elsewhere, join(folders.dataDir, 'identities/linked'));
    const files = filesOf({ ...after, 'data/identities/linked/passwd': 'of a stranger' });
    await expect(stageRestore(files, folders, now)).rejects.toThrow('identities/linked is in the way');
    expect(await readdir(elsewhere)).toEqual([]);
  });

  it('a folder of identity files takes the place of a file of its name', async () => {
    const files = filesOf({ 'store/postern.json': 'new', 'data/identities/team/deploy/key': 'deep' });
    await stageRestore(files, folders, now);
    await finishRestore(folders);
    expect(await stateIn(folders)).toEqual(
      Object.fromEntries([...files].map(([name, text]) => [name, `${text}`])),
    );
  });

  it('into folders that are not there makes them', async () => {
    await rm(folder, { recursive: true });
    await restore();
    expect(await stateIn(folders)).toEqual(after);
  });
});

describe('the state of a gateway', () => {
  it('linked-host-keys: host keys that are links, as a mounted secret has them, are in the backup', async () => {
    const name = 'hostkeys/ssh_host_ed25519_key';
    const path = placeOf(name, folders);
    await fs.rename(path, join(folder, 'secret'));
    await symlink(join(folder, 'secret'), path);
    expect((await stateIn(folders))[name]).toBe('old host key');
    await restore();
    expect(await stateIn(folders)).toEqual(after);
    expect(await readFile(join(folder, 'secret'), 'utf8')).toBe('old host key');
  });

  it('linked-identity: a link among the identity files is not followed', async () => {
    await symlink('/etc/hostname', join(folders.dataDir, 'identities/link'));
    await symlink('/etc', join(folders.dataDir, 'identities/folder'));
    expect(Object.keys(await stateIn(folders))).toEqual(Object.keys(before).toSorted());
  });
});
