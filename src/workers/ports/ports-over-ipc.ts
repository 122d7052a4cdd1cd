/** A worker's ends of the ports whose state is the gateway's. */
import type { GatewayPenalties } from '../../auth/gateway-penalties.ts';
import type { TokenRate } from '../../auth/token-rate.ts';
import type { PageSnapshots } from '../../dialects/page-snapshots.ts';
import type { SteadyPeer } from '../../ipc/open-steady-peer.ts';
import type { Slots } from '../../platform/slots.ts';
import type { RecordingSpace } from '../../recordings/recording-space.ts';
import type { SessionDirectory } from '../../sessions/session-directory.ts';
import { type AuditOverIpc, auditOverIpc } from './audit.ts';
import { changesOverIpc, type FollowChanges } from './changes.ts';
import { type OnProgram, programsOverIpc } from './programs.ts';
import { pageSnapshotsOverIpc, penaltiesOverIpc, tokenRateOverIpc } from './questions.ts';
import { recordingSpaceOverIpc } from './recording-space.ts';
import { sessionsOverIpc } from './sessions.ts';
import { slotsOverIpc } from './slots.ts';

export interface PortsOverIpc extends AuditOverIpc {
  readonly penalties: GatewayPenalties;
  readonly tokenRate: TokenRate;
  readonly pageSnapshots: PageSnapshots;
  readonly slots: Slots;
  readonly recordingSpace: RecordingSpace;
  readonly sessions: SessionDirectory;
  readonly onProgram: OnProgram;
  readonly followChanges: FollowChanges;
}

/** To be called in the turn of `openSteadyPeer`. `own`: the sessions of this worker. */
export const portsOverIpc = (supervisor: SteadyPeer, own: SessionDirectory): PortsOverIpc => ({
  ...auditOverIpc(supervisor),
  penalties: penaltiesOverIpc(supervisor),
  tokenRate: tokenRateOverIpc(supervisor),
  pageSnapshots: pageSnapshotsOverIpc(supervisor),
  slots: slotsOverIpc(supervisor),
  recordingSpace: recordingSpaceOverIpc(supervisor),
  sessions: sessionsOverIpc(supervisor, own),
  onProgram: programsOverIpc(supervisor),
  followChanges: changesOverIpc(supervisor),
});
