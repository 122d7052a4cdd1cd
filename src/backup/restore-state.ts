/**
 * A backup's files put in the place of those that are there, so that whenever it is cut off, the old state stands or the
 * new one will. In two steps. `stageRestore` writes all of it beside, and with one rename says that it holds: DATA/restore-pending.
 * `finishRestore`, before anything is opened, keeps the old files in a folder, copies the new ones, and may be begun again from
 * wherever it was cut off.
 */
import { access, constants, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { GatewayError } from '../errors.ts';
import { syncFolder } from '../platform/durable-file.ts';
import { randomId } from '../platform/ids.ts';
import { isThere } from '../platform/is-there.ts';
import { makeFolder } from '../platform/make-folder.ts';
import { type DiskCalls, diskCalls, place, sweepCopies } from './durable-copy.ts';
import { findObstacle, isSecret, isStateName, listState, placeOf, type StateFolders } from './state-files.ts';

const pendingIn = (dataDir: string) => join(dataDir, 'restore-pending');
const leftover = /^restore-[a-z2-7]+\.tmp$/;

const planSchema = z.strictObject({
  /** Name of the folder in DATA for what was there. */
  kept: z.string().regex(/^before-restore-[\w-]+$/),
  names: z.array(z.string().refine(isStateName)),
});
/** In the plan's folder, once all that was there is kept. */
const allKept = 'all-kept';

const modeOf = (name: string) => (isSecret(name) ? 0o600 : 0o644);
const keptName = (nowMs: number) => `before-restore-${new Date(nowMs).toISOString().replace(/[:.]/g, '-')}`;

/** Resolves to the folder that what is there now will be kept in. Throws backup-refused, or what the disk throws; then nothing has changed. */
export async function stageRestore(
  files: ReadonlyMap<string, Buffer>,
  folders: StateFolders,
  nowMs: number,
  calls: DiskCalls = diskCalls,
): Promise<string> {
  const { dataDir, hostKeysDir } = folders;
  const obstacle = await findObstacle(files.keys(), folders);
  if (obstacle !== undefined) {
    const problem = `${obstacle} is in the way of one of its files; move that away, and try again`;
    throw new GatewayError('backup-refused', { problem });
  }
  await makeFolder(dataDir);
  await makeFolder(hostKeysDir);
  await access(hostKeysDir, constants.W_OK);
  await sweep(dataDir);
  const staging = join(dataDir, `restore-${randomId()}.tmp`);
  const kept = keptName(nowMs);
  for (const [name, content] of files) await place(join(staging, 'files', name), content, 0o600, calls);
  const plan = JSON.stringify({ kept, names: [...files.keys()] });
  await place(join(staging, 'plan.json'), Buffer.from(plan), 0o600, calls);
  for (const folder of foldersOf(files.keys(), join(staging, 'files'))) await syncFolder(folder, calls);
  await syncFolder(staging, calls);
  // From here on the new state holds.
  await calls.rename(staging, pendingIn(dataDir));
  await syncFolder(dataDir, calls);
  return join(dataDir, kept);
}

/** Whether a restore is to be finished. What one that never held has left is removed. */
export async function isRestorePending(dataDir: string): Promise<boolean> {
  await sweep(dataDir);
  return isThere(pendingIn(dataDir));
}

/** For whoever holds the data folder's lock. Does nothing where none is pending. */
export async function finishRestore(folders: StateFolders, calls: DiskCalls = diskCalls): Promise<void> {
  const { dataDir } = folders;
  const pending = pendingIn(dataDir);
  if (!(await isThere(pending))) return;
  const plan = planSchema.parse(JSON.parse(await readFile(join(pending, 'plan.json'), 'utf8')));
  const kept = join(dataDir, plan.kept);
  if (!(await isThere(join(pending, allKept)))) {
    await keepPresent(kept, folders, calls);
    await place(join(pending, allKept), Buffer.alloc(0), 0o600, calls);
    await syncFolder(pending, calls);
  }
  const names = new Set(plan.names);
  const places = new Set([...names].map((name) => dirname(placeOf(name, folders))));
  for (const folder of places) await sweepCopies(folder);
  for (const name of await listState(folders)) {
    if (!names.has(name)) await calls.unlink(placeOf(name, folders));
  }
  for (const name of names) {
    const content = await readFile(join(pending, 'files', name));
    await place(placeOf(name, folders), content, modeOf(name), calls);
  }
  for (const folder of places) await syncFolder(folder, calls);
  const done = join(dataDir, `restore-${randomId()}.tmp`);
  await calls.rename(pending, done);
  await rm(done, { recursive: true, force: true });
}

async function keepPresent(kept: string, folders: StateFolders, calls: DiskCalls): Promise<void> {
  const names = await listState(folders);
  for (const name of names) {
    await place(join(kept, name), await readFile(placeOf(name, folders)), modeOf(name), calls);
  }
  for (const folder of foldersOf(names, kept)) await syncFolder(folder, calls).catch(ignoreMissing);
  await syncFolder(folders.dataDir, calls);
}

/** Every folder from `top` down that one of these names lies in. */
function foldersOf(names: Iterable<string>, top: string): ReadonlySet<string> {
  const folders = new Set([top]);
  for (const name of names) {
    for (let folder = dirname(name); folder !== '.'; folder = dirname(folder)) folders.add(join(top, folder));
  }
  return folders;
}

async function sweep(dataDir: string): Promise<void> {
  const names = await readdir(dataDir).catch(() => []);
  for (const name of names.filter((each) => leftover.test(each))) {
    await rm(join(dataDir, name), { recursive: true, force: true });
  }
}

const ignoreMissing = (error: NodeJS.ErrnoException) => {
  if (error.code !== 'ENOENT') throw error;
};
