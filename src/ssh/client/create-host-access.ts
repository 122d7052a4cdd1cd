import type { Config } from '../../config/config.ts';
import type { ScanHostKeys } from '../../hosts/host-key-scan.ts';
import type { OpenHostConnection } from '../../targets/host-connection.ts';
import { createEgressKey, type EgressKey } from '../egress-key.ts';
import { createOpenHostConnection } from './open-host-connection.ts';
import { scanHostKeys } from './scan-host-keys.ts';

/** What SSH does for registered hosts, as a client of theirs. */
export interface HostAccess {
  readonly scanHostKeys: ScanHostKeys;
  /** Made at the first call. */
  readonly egressKey: () => Promise<EgressKey>;
  readonly openConnection: OpenHostConnection;
}

export const createHostAccess = (
  config: Pick<
    Config,
    | 'dataDir'
    | 'hostConnectTimeoutMs'
    | 'rekeyAfterBytes'
    | 'rekeyAfterMs'
    | 'keepaliveIntervalMs'
    | 'keepaliveCountMax'
  >,
): HostAccess => ({
  scanHostKeys,
  egressKey: createEgressKey(config.dataDir),
  openConnection: createOpenHostConnection({
    get answerWithinMs() {
      return config.hostConnectTimeoutMs;
    },
    get rekeyLimits() {
      return { bytes: config.rekeyAfterBytes, intervalMs: config.rekeyAfterMs };
    },
    get keepAlive() {
      return { intervalMs: config.keepaliveIntervalMs, countMax: config.keepaliveCountMax };
    },
  }),
});
