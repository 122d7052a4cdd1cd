import type { ContainerDetails } from '../engine-api.ts';
import { hasOwnProcesses } from '../own-processes.ts';

/** Its memory and its threads count as the container's. */
const leastMemoryBytes = 256 * 1024 * 1024;
const leastPids = 64;

/** Why there can be none in that container, as the end of a sentence; undefined where nothing speaks against it. */
export function whyNoResident({ HostConfig }: ContainerDetails): string | undefined {
  const { Memory = 0, PidsLimit } = HostConfig;
  if (!hasOwnProcesses(HostConfig)) return 'the container shares the processes of another';
  if (Memory > 0 && Memory < leastMemoryBytes) return 'the container has too little memory';
  if (PidsLimit && PidsLimit > 0 && PidsLimit < leastPids) return 'the container may have too few processes';
  return undefined;
}
