/** Containers as the engine lists them, as targets. */
import type { ContainerTarget } from '../target.ts';
import type { ContainerSummary } from './engine-api.ts';

/** On containers of the gateway's own, which nobody enters. */
const internalLabel = 'postern.internal';

/** From container to container; engines let nobody join a network that is joined. */
const maxNetworkSteps = 16;

/** Leaves out the gateway's own container (`selfId`: its id or the beginning of it) and internal ones. */
export function toTargets(
  summaries: readonly ContainerSummary[],
  selfId: string | undefined,
): readonly ContainerTarget[] {
  const modes = new Map(summaries.map(({ Id, HostConfig }) => [Id, HostConfig?.NetworkMode ?? '']));
  return summaries
    .filter(
      ({ Id, Labels }) => !(selfId && Id.startsWith(selfId)) && !Object.hasOwn(Labels ?? {}, internalLabel),
    )
    .map((summary) => toTarget(summary, networkModeOf(summary, modes)));
}

/** `toTargets` of a list that is asked for again and again: once for each. */
export function rememberedTargets(selfId: string | undefined) {
  const known = new WeakMap<readonly ContainerSummary[], readonly ContainerTarget[]>();
  return (summaries: readonly ContainerSummary[]): readonly ContainerTarget[] => {
    const targets = known.get(summaries) ?? toTargets(summaries, selfId);
    known.set(summaries, targets);
    return targets;
  };
}

/** Whoever shares the network of a container on the host's network is on the host's network. */
function networkModeOf(summary: ContainerSummary, modes: ReadonlyMap<string, string>): string {
  const own = summary.HostConfig?.NetworkMode ?? '';
  let mode = own;
  // Each step leads to another container, or in a circle; where it is not followed to its end, it counts as the host's.
  for (let steps = 0; mode.startsWith('container:'); steps++) {
    if (steps === maxNetworkSteps) return 'host';
    // Podman lists no container that holds a pod's network.
    mode = modes.get(mode.slice('container:'.length)) ?? 'host';
  }
  return mode === 'host' ? mode : own;
}

/** A container's host name is the first 12 digits of its id, unless somebody chose one. */
export function findSelfId(hostname: string): string | undefined {
  return /^[0-9a-f]{12,64}$/.test(hostname) ? hostname : undefined;
}

function toTarget(summary: ContainerSummary, networkMode: string): ContainerTarget {
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
    networkMode,
    createdAt: new Date(summary.Created * 1000).toISOString(),
  };
}
