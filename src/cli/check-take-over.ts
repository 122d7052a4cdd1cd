/** What is known to fail before it is tried, while whoever is in charge can stay so. */
import { resolve } from 'node:path';
import { readAdminKey } from '../accounts/first-admin.ts';
import type { Config } from '../config/config.ts';
import { openListener } from '../listening/open-listener.ts';
import { openHostKeyRing } from '../ssh/host-key-ring.ts';

/** Throws a sentence for TLS files that no worker could use: each would end, and another be tried, for ever. */
export async function checkTls({ httpListen, tlsCert: certFile, tlsKey: keyFile }: Config): Promise<void> {
  if (httpListen === undefined || certFile === undefined || keyFile === undefined) return;
  const { readTls } = await import('../http/tls-files.ts');
  readTls({ certFile, keyFile });
}

export interface TakeOver {
  readonly config: Config;
  /** Of whoever is in charge; undefined where that is not known. */
  readonly dataDir: string | undefined;
  /** What is to be listened on and is not held yet. */
  readonly newListeners: readonly { readonly flag: string; readonly listen: string }[];
}

/** Throws a sentence where a supervisor of this configuration could not go on with what is open, or could not begin. */
export async function checkTakeOver({ config, dataDir, newListeners }: TakeOver): Promise<void> {
  if (dataDir !== undefined && resolve(dataDir) !== resolve(config.dataDir)) {
    throw new Error(
      `the data folder is ${dataDir} and cannot be changed by a restart; stop the gateway and start it for that.`,
    );
  }
  await openHostKeyRing(config.hostKeysDir);
  if (config.adminKeyFile !== undefined) await readAdminKey(config.adminKeyFile);
  for (const { flag, listen } of newListeners) {
    (await openListener({ listen, flag, config }, (socket) => void socket.destroy())).close();
  }
}
