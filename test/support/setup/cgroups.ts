import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';

const root = '/sys/fs/cgroup';

/**
 * Mounts the control groups where nothing did, as on a machine that booted without systemd: version 1
 * hierarchies where the kernel has controllers free for them, else version 2.
 */
export function mountCgroups(): void {
  if (existsSync(`${root}/cgroup.controllers`)) return;
  if (readdirSync(root).some((name) => existsSync(`${root}/${name}/cgroup.procs`))) return;
  const controllers = freeControllers();
  if (controllers.length === 0) {
    mount('cgroup2', 'none', root);
    return;
  }
  mount('tmpfs', 'cgroup', root, 'mode=755');
  for (const controller of controllers) {
    mkdirSync(`${root}/${controller}`, { recursive: true });
    mount('cgroup', 'cgroup', `${root}/${controller}`, controller);
  }
}

/** Enabled controllers that belong to a version 1 hierarchy or to none; see cgroups(7), /proc/cgroups. */
function freeControllers(): string[] {
  if (!existsSync('/proc/cgroups')) return [];
  return readFileSync('/proc/cgroups', 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t'))
    .filter(([, , , enabled]) => enabled === '1')
    .map(([name]) => name as string);
}

function mount(type: string, source: string, target: string, options?: string): void {
  const args = ['-t', type, ...(options === undefined ? [] : ['-o', options]), source, target];
  execFileSync('mount', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
