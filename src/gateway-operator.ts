/** What an operator asks of a gateway, at its control socket or by a signal. */
import type { Logger } from 'pino';
import type { Audit } from './audit/audit.ts';
import { maxBackupBytes } from './backup/archive.ts';
import type { Restores } from './backup/restores.ts';
import type { Config } from './config/config.ts';
import type { LiveConfig } from './config/live-config.ts';
import { putInForce } from './config/reload.ts';
import { isDatabaseUrl } from './config/store-url.ts';
import { type ControlDoor, openControlDoor } from './control/control-door.ts';
import { createOperatorCommands, type OperatorMeans } from './control/operator-commands.ts';
import { createOperatorLines } from './control/operator-lines.ts';
import { createBackups } from './gateway-backup.ts';
import { type DoorsDependencies, servicesOf } from './gateway-doors.ts';
import type { GatewayProgram } from './gateway-facade.ts';
import type { HostKeyRotation } from './ssh/host-key-ring.ts';

export interface RenewalMeans {
  readonly live: LiveConfig;
  readonly log: Logger;
  readonly readConfig: () => Config;
  readonly hostKeys: Pick<HostKeyRotation, 'read'>;
  /** Resolves when whoever serves has configuration and host keys of now. */
  readonly renew: () => Promise<void>;
}

/** Reads configuration and host keys anew; resolves when whoever serves has them. If either cannot be used, both stay. */
export function createRenewal({
  live,
  log,
  readConfig,
  hostKeys,
  renew,
}: RenewalMeans): () => Promise<string> {
  let renewed = Promise.resolve();
  live.onReplace(() => {
    log.level = live.config.logLevel;
    renewed = renew();
  });
  return async () => {
    const config = readConfig();
    // Another gateway may have rotated those of a folder that both have.
    await hostKeys.read();
    const said = putInForce(live, config);
    await renewed;
    return said;
  };
}

/** As SIGHUP asks for it. */
export const audited = (reload: () => Promise<string>, audit: Audit) => async (): Promise<string> => {
  const act = (outcome: 'done' | 'failed') => audit.operatorActed({ what: 'reload (SIGHUP)', outcome });
  try {
    const said = await reload();
    act('done');
    return said;
  } catch (error) {
    act('failed');
    throw error;
  }
};

export async function openControl(
  parts: DoorsDependencies,
  { replace }: GatewayProgram,
  restores: Restores,
  means: Pick<OperatorMeans, 'renewHostKeys' | 'reload' | 'hostKeys'>,
): Promise<ControlDoor> {
  const { config, log, rules } = parts;
  const backups = createBackups({ ...rules, folders: config, isDatabase: isDatabaseUrl(config.store) });
  const { make: makeBackup } = backups;
  const stageRestore = (bytes: Buffer) => restores.stage(() => backups.stage(bytes));
  const { restart } = restores;
  const commands = createOperatorCommands({ ...means, makeBackup, stageRestore, restart, replace });
  return openControlDoor({
    dataDir: config.dataDir,
    maxBodyBytes: maxBackupBytes,
    takesBody: (line) => line === 'restore',
    log,
    answer: await createOperatorLines(servicesOf(parts), log, commands),
  });
}
