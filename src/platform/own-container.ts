import { readFileSync } from 'node:fs';

/**
 * The id of the container this process runs in, so that the gateway never offers itself as a target.
 * Docker mounts hosts, hostname and resolv.conf from a folder named by the id; that holds whatever the
 * container's hostname and cgroup version are. Undefined outside a container.
 */
export function findOwnContainerId(mountInfoFile = '/proc/self/mountinfo'): string | undefined {
  try {
    const pattern = /\/containers\/([0-9a-f]{64})\/(?:hostname|hosts|resolv\.conf) \/etc\//;
    return pattern.exec(readFileSync(mountInfoFile, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
