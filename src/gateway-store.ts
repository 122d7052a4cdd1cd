/** Which store stands behind the port. */
import type { Logger } from 'pino';
import type { Config } from './config/config.ts';
import { isDatabaseUrl } from './config/store-url.ts';
import { makeFolder } from './platform/make-folder.ts';
import { lockFolder } from './store/lowdb/folder-lock.ts';
import { openLowdbStore } from './store/lowdb/open-lowdb-store.ts';
import type { Store } from './store/store.ts';

/** Throws what the stores throw when they open. */
export async function openStore(
  config: Config,
  log: Logger,
  onWritten: (seconds: number, failed: boolean) => void,
  /** Of the process that an operator stops; unset: of this one. */
  pid?: number,
): Promise<Store> {
  const { store, dataDir, gatewayName } = config;
  if (!isDatabaseUrl(store)) return openLowdbStore({ dataDir, log, onWritten, pid });
  // Audit, recordings and the control socket are in the folder still, and one gateway's alone.
  await makeFolder(dataDir);
  const lock = await lockFolder(dataDir, pid);
  try {
    // Loaded only where it is wanted: the driver costs a start some time.
    const { openPostgresStore } = await import('./store/postgres/open-postgres-store.ts');
    const cacheSeconds = () => config.storeCacheSeconds;
    const opened = await openPostgresStore({ url: store, gatewayName, cacheSeconds, log, onWritten });
    return { ...opened, close: () => opened.close().finally(lock.release) };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
