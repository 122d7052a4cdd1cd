/**
 * What the rules stand on. In one process all of it is here; where there are several, what is the gateway's and no
 * process' own (store, audit, penalties, rates, slots, the list of sessions, room for recordings) is elsewhere, and asked.
 */
import type { Audit } from './audit/audit.ts';
import type { AuditLog } from './audit/open-audit-log.ts';
import type { GatewayPenalties } from './auth/gateway-penalties.ts';
import type { TokenRate } from './auth/token-rate.ts';
import type { PageSnapshots } from './dialects/page-snapshots.ts';
import type { Engines } from './engines/engines.ts';
import type { Meter } from './metrics/meter.ts';
import type { Clock } from './platform/clock.ts';
import type { createLifecycle } from './platform/lifecycle.ts';
import type { Slots } from './platform/slots.ts';
import type { Recordings } from './recordings/recordings.ts';
import type { Connections } from './sessions/connections.ts';
import type { SessionDirectory } from './sessions/session-directory.ts';
import type { EgressKey } from './ssh/egress-key.ts';
import type { Store } from './store/store.ts';
import type { HostEngine } from './targets/host-engine.ts';
import type { JoinedEngine } from './targets/joined-engine.ts';
import type { ContainerEngine } from './targets/target.ts';

export interface GatewayPorts {
  readonly clock: Clock;
  readonly meter: Meter;
  readonly store: Store;
  readonly engine: JoinedEngine;
  readonly engines: Engines;
  readonly hostEngine: HostEngine;
  /** The gateway's own key, which it logs in to hosts with. */
  readonly egressKey: () => Promise<EgressKey>;
  readonly audit: Audit;
  readonly auditLog: Pick<AuditLog, 'problem' | 'flush' | 'head'>;
  readonly penalties: GatewayPenalties;
  readonly tokenRate: TokenRate;
  readonly slots: Slots;
  readonly recordings: Recordings;
  readonly pageSnapshots: PageSnapshots;
  /** Of this process. */
  readonly connections: Connections;
  /** Of the whole gateway. */
  readonly sessions: SessionDirectory;
}

/** What tests may put in the place of the real thing. */
export interface GatewayOverrides {
  readonly clock?: Clock;
  readonly store?: Store;
  readonly engine?: ContainerEngine;
}

export type Lifecycle = ReturnType<typeof createLifecycle>;
