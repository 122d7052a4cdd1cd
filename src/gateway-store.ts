/** Which store stands behind the port, and which gateways there are beside this one. */
import type { Logger } from 'pino';
import type { Config } from './config/config.ts';
import { isDatabaseUrl } from './config/store-url.ts';
import { readGatewayIdentity } from './gateways/gateway-identity.ts';
import type { OtherGateways } from './gateways/other-gateways.ts';
import { makeFolder } from './platform/make-folder.ts';
import { lockFolder } from './store/lowdb/folder-lock.ts';
import { openLowdbStore } from './store/lowdb/open-lowdb-store.ts';
import type { Store } from './store/store.ts';

export interface OpenedStore {
  readonly store: Store;
  /** Where several gateways may share it; they close with it. */
  readonly others?: OtherGateways;
}

/** Throws what the stores throw when they open. */
export async function openStore(
  config: Config,
  log: Logger,
  onWritten: (seconds: number, failed: boolean) => void,
  /** Of the process that an operator stops; unset: of this one. */
  pid?: number,
): Promise<OpenedStore> {
  const { store: url, dataDir } = config;
  if (!isDatabaseUrl(url)) return { store: await openLowdbStore({ dataDir, log, onWritten, pid }) };
  // Audit, recordings and the control socket are in the folder still, and one gateway's alone.
  await makeFolder(dataDir);
  const lock = await lockFolder(dataDir, pid);
  try {
    const { store, others } = await openDatabase(config, log, onWritten);
    return { store: { ...store, close: () => store.close().finally(lock.release) }, others };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openDatabase(
  config: Config,
  log: Logger,
  onWritten: (seconds: number, failed: boolean) => void,
): Promise<Required<OpenedStore>> {
  const { store: url, dataDir, gatewayName: name } = config;
  // Loaded only where it is wanted: the driver costs a start some time.
  const [{ openPostgresStore }, { openGateways }] = await Promise.all([
    import('./store/postgres/open-postgres-store.ts'),
    import('./store/postgres/gateways/open-gateways.ts'),
  ]);
  const cacheSeconds = () => config.storeCacheSeconds;
  const store = await openPostgresStore({ url, gatewayName: name, cacheSeconds, log, onWritten });
  try {
    const identity = await readGatewayIdentity(dataDir);
    const others = await openGateways({ url, name, identity, log });
    return { store: { ...store, close: () => others.close().finally(store.close) }, others };
  } catch (error) {
    await store.close();
    throw error;
  }
}
