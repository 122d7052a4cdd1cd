import type { ContainerDetails, EngineApi } from '../engine-api.ts';
import { hasOwnProcesses } from '../own-processes.ts';

/** Its memory and its threads count as the container's. */
const leastMemoryBytes = 256 * 1024 * 1024;
const leastPids = 64;
/** What must be left of them: it takes 40 MiB and a dozen threads to begin with. */
const roomBytes = 64 * 1024 * 1024;
const roomPids = 32;

/** Why there can be none in that container, as the end of a sentence; undefined where nothing speaks against it. */
export async function findWhyNoResident(
  engine: Pick<EngineApi, 'usage'>,
  { Id, HostConfig }: ContainerDetails,
): Promise<string | undefined> {
  const { Memory = 0, PidsLimit } = HostConfig;
  const maxPids = PidsLimit && PidsLimit > 0 ? PidsLimit : Number.POSITIVE_INFINITY;
  const maxMemory = Memory > 0 ? Memory : Number.POSITIVE_INFINITY;
  if (!hasOwnProcesses(HostConfig)) return 'the container shares the processes of another';
  if (maxMemory < leastMemoryBytes) return 'the container has too little memory';
  if (maxPids < leastPids) return 'the container may have too few processes';
  if (maxMemory === maxPids) return undefined;
  const { memoryBytes = 0, pids = 0 } = await engine.usage(Id).catch(() => nothingKnown);
  // The kernel would make room, and end what takes most: what the container is there for.
  if (memoryBytes + roomBytes > maxMemory) return 'the container has too little memory left';
  if (pids + roomPids > maxPids) return 'the container may have too few processes more';
  return undefined;
}

const nothingKnown = { memoryBytes: undefined, pids: undefined };
