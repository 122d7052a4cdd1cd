import { GatewayError, isGatewayError } from '../../errors.ts';
import { hostKey } from '../../hosts/hosts.ts';
import { excerpt } from '../../platform/excerpt.ts';
import type { RecordingSummary } from '../../recordings/recordings.ts';
import type { CommandContext } from '../command.ts';

/** How a recording looks in JSON. */
export function recordingData(summary: RecordingSummary) {
  const { end, durationS } = summary;
  return {
    id: summary.id,
    ...(summary.gateway === undefined ? {} : { gateway: summary.gateway }),
    kind: summary.kind,
    account: summary.account,
    target: summary.target,
    user: summary.user ?? null,
    command: summary.command,
    source: summary.source,
    fingerprint: summary.fingerprint,
    started_at: summary.startedAt,
    duration_s: durationS ?? null,
    bytes: summary.bytes,
    required: summary.required,
    state: summary.state,
    end: end ?? null,
  };
}

/** `exit 0`, `signal HUP`, or that it has none. */
export function endText({ state, end }: RecordingSummary): string {
  if (state !== 'finished' || !end) return state;
  const told = [
    ['exitStatus', 'exit'],
    ['exitSignal', 'signal'],
    ['failure', 'failed:'],
  ].find(([key]) => end[key as string] !== undefined);
  return told ? `${told[1]} ${String(end[told[0] as string])}` : 'closed';
}

/**
 * Whose recordings somebody may see: an admin everybody's, others those in targets that they manage (owner, registrant) now;
 * undefined: nobody's. The target is what it hangs on: a container of that name, a host of that id.
 */
export async function visibleRecordings(
  context: CommandContext,
): Promise<((summary: RecordingSummary) => boolean) | undefined> {
  const { principal, targets, authorizer, hosts } = context;
  if (principal.account.role === 'admin') return () => true;
  // With the engine away nobody knows whose its containers are.
  const containers = await targets.list(principal).catch((error: unknown) => {
    if (isGatewayError(error, 'engine-unavailable')) return [];
    throw error;
  });
  const registered = await authorizer.reachableHosts(principal, await hosts.list());
  const managed = new Set([
    ...containers.filter((target) => authorizer.mayManage(principal, target)).map(({ key }) => key),
    ...registered.filter((host) => authorizer.mayManageHost(principal, host)).map(hostKey),
  ]);
  return managed.size === 0 ? undefined : ({ targetKey }) => managed.has(targetKey);
}

/** Throws recording-not-found, also for one that is not for the principal to see. */
export async function getRecording(id: string, context: CommandContext): Promise<RecordingSummary> {
  const isVisible = await visibleRecordings(context);
  const found = isVisible && (await context.recordings.find(id));
  if (found && isVisible(found)) return found;
  throw new GatewayError('recording-not-found', { recording: excerpt(id) });
}
