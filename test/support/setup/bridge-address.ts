import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const bridge = 'docker0';
const folder = `/sys/class/net/${bridge}`;

/** `addr_assign_type` of an address that was given, and is not the lowest of the ports'; Linux's ABI/testing/sysfs-class-net. */
const given = '3';

/**
 * Gives Docker's bridge an address of its own where it has none. The lowest of its ports' addresses would change as containers
 * come and go, and who asked for it a moment ago would send to nobody for ten seconds and more.
 */
export function keepBridgeAddress(): void {
  if (!existsSync(folder) || readFileSync(`${folder}/addr_assign_type`, 'utf8').trim() === given) return;
  // Locally administered (IEEE 802 §8.4), as those that Docker makes.
  execFileSync('ip', ['link', 'set', 'dev', bridge, 'address', '02:42:70:6f:73:74']);
}
