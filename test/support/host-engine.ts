import type { Config } from '../../src/config/config.ts';
import { dialHost } from '../../src/hosts/dial-host.ts';
import { readIdentityFile } from '../../src/hosts/identity-files.ts';
import { createHostAccess } from '../../src/ssh/client/create-host-access.ts';
import type { HostEngine } from '../../src/targets/host-engine.ts';
import { createHostEngine } from '../../src/targets/remote-host/create-host-engine.ts';

/** The real one: nothing is dialled before something is asked of it. */
export function hostEngineOf(config: Config): HostEngine {
  const { egressKey, ...access } = createHostAccess(config);
  return createHostEngine({
    ...access,
    dialHost,
    readIdentityFile: async (path) => (await readIdentityFile(config.dataDir, path)).privateKey,
    readEgressKey: async () => (await egressKey()).privateKey,
  });
}
