/** The composition of backups: what a gateway is as one file, and such a file as what a gateway is. */
import type { ChainEnd } from './audit/chain.ts';
import { packBackup, unpackBackup } from './backup/archive.ts';
import { asOwnerOf } from './backup/as-owner-of.ts';
import { finishRestore, isRestorePending, stageRestore } from './backup/restore-state.ts';
import { listState, readStateFiles, type StateFolders, storeName } from './backup/state-files.ts';
import { GatewayError } from './errors.ts';
import { type Clock, isoTime, systemClock } from './platform/clock.ts';
import { makeFolder } from './platform/make-folder.ts';
import { version } from './platform/version.ts';
import { hostKeyFiles, parseHostKey } from './ssh/host-keys.ts';
import { checkSnapshot } from './store/lowdb/check-snapshot.ts';
import { lockFolder } from './store/lowdb/folder-lock.ts';
import type { Store } from './store/store.ts';

export interface Backups {
  /** All of it, of one moment of the store. */
  make(): Promise<Buffer>;
  /**
   * Checks a backup as a whole, and decides that it holds from the next start on. Resolves to a sentence about what is kept of
   * what was there. Throws backup-refused.
   */
  stage(bytes: Buffer): Promise<string>;
}

export interface BackupsDependencies {
  readonly folders: StateFolders;
  readonly clock: Clock;
  readonly store: Pick<Store, 'snapshot'>;
  /** The store is no file of these folders. */
  readonly isDatabase: boolean;
  /** Where the audit stands once everything so far is in it. */
  readonly auditHead: () => Promise<ChainEnd>;
}

export function createBackups({
  folders,
  clock,
  store,
  isDatabase,
  auditHead,
}: BackupsDependencies): Backups {
  return {
    async make() {
      // The store first: the audit then tells of everything that is in it.
      const snapshot = await store.snapshot();
      const facts = { version, createdAt: isoTime(clock), auditHead: await auditHead() };
      return packBackup(
        facts,
        new Map([[storeName, Buffer.from(snapshot)], ...(await readStateFiles(folders))]),
      );
    },
    async stage(bytes) {
      if (isDatabase) throw new GatewayError('backup-refused', { problem: inDatabase });
      return stage(bytes, folders, clock);
    },
  };
}

const inDatabase =
  'this gateway keeps its rows in a database, which other gateways use, too: restore the backup into another folder (postern restore FILE --data DIR --hostkeys DIR), and fill an empty database from there (postern migrate --from DIR --to URL)';

async function stage(bytes: Buffer, folders: StateFolders, clock: Clock): Promise<string> {
  const { manifest, files } = await unpackBackup(bytes);
  checkSnapshot((files.get(storeName) as Buffer).toString('utf8'));
  checkHostKeys(files);
  const isEmpty = (await listState(folders)).length === 0;
  const kept = await stageRestore(files, folders, clock.now());
  const checked = `The backup of ${manifest.createdAt} was checked`;
  return isEmpty
    ? `${checked}; nothing was here before.`
    : `${checked} and takes the place of what was here, which is kept in ${kept}.`;
}

/** With one that cannot be read no gateway starts. */
function checkHostKeys(files: ReadonlyMap<string, Buffer>): void {
  for (const key of hostKeyFiles) {
    for (const name of [`hostkeys/${key.name}`, `hostkeys/${key.name}.next`]) {
      const content = files.get(name);
      if (content && !parseHostKey(content)) {
        const problem = `"${name}" is not a private key that can be read without a passphrase`;
        throw new GatewayError('backup-refused', { problem });
      }
    }
  }
}

/** Before anything is opened: a restore that holds and was not finished is finished now. */
export async function finishPendingRestore(folders: StateFolders): Promise<void> {
  if (!(await isRestorePending(folders.dataDir))) return;
  const lock = await lockFolder(folders.dataDir);
  try {
    await finishRestore(folders).catch((cause: Error) => {
      throw new Error(
        `a restore was begun in ${folders.dataDir} and cannot be finished (${cause.message}); mend that and start again.`,
        { cause },
      );
    });
  } finally {
    await lock.release();
  }
}

/**
 * The same for a data folder that no gateway uses, or that is not there; by root, with the rights of the folder's owner.
 * Throws backup-refused, store-held.
 */
export const restoreStopped = (bytes: Buffer, folders: StateFolders): Promise<string> =>
  asOwnerOf(folders.dataDir, async () => {
    await makeFolder(folders.dataDir);
    const lock = await lockFolder(folders.dataDir);
    try {
      await finishRestore(folders);
      const said = await stage(bytes, folders, systemClock);
      await finishRestore(folders);
      return said;
    } finally {
      await lock.release();
    }
  });
