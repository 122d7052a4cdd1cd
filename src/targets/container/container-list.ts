/** Containers as the engine lists them, as targets. */
import type { ContainerTarget } from '../target.ts';
import type { ContainerSummary } from './engine-api.ts';

/** On containers of the gateway's own, which nobody enters. */
const internalLabel = 'postern.internal';

/** Leaves out the gateway's own container (`selfId`: its id or the beginning of it) and internal ones. */
export function toTargets(
  summaries: readonly ContainerSummary[],
  selfId: string | undefined,
): readonly ContainerTarget[] {
  return summaries
    .filter(
      ({ Id, Labels }) => !(selfId && Id.startsWith(selfId)) && !Object.hasOwn(Labels ?? {}, internalLabel),
    )
    .map(toTarget);
}

/** A container's host name is the first 12 digits of its id, unless somebody chose one. */
export function findSelfId(hostname: string): string | undefined {
  return /^[0-9a-f]{12,64}$/.test(hostname) ? hostname : undefined;
}

function toTarget(summary: ContainerSummary): ContainerTarget {
  // A linked container has further names, like /web/db.
  const names = (summary.Names ?? []).map((each) => each.replace(/^\//, ''));
  const name = names.find((each) => !each.includes('/')) ?? summary.Id.slice(0, 12);
  const networks = Object.values(summary.NetworkSettings?.Networks ?? {});
  const address = networks.find(({ IPAddress }) => IPAddress)?.IPAddress;
  return {
    kind: 'container',
    id: summary.Id,
    name,
    key: `container:${name}`,
    image: summary.Image,
    state: summary.State,
    status: summary.Status,
    labels: summary.Labels ?? {},
    ...(address ? { address } : {}),
    networkMode: summary.HostConfig?.NetworkMode ?? '',
    createdAt: new Date(summary.Created * 1000).toISOString(),
  };
}
