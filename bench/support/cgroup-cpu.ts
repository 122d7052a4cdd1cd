/** What all that runs in a container has taken of the processors, with what has ended there: cgroups(7), of either version. */
import { readFileSync } from 'node:fs';

const read = (path: string) => readFileSync(path, 'utf8');

/** Milliseconds so far, of the cgroup in which that process is. */
export function cgroupCpuMs(pid: number): number {
  const memberships = read(`/proc/${pid}/cgroup`)
    .split('\n')
    .map((line) => line.split(':'));
  const [, controllers, path] =
    memberships.find(([, names]) => names?.split(',').includes('cpuacct')) ??
    memberships.find(([, names]) => names === '') ??
    [];
  if (controllers) return Number(read(`/sys/fs/cgroup/${controllers}${path}/cpuacct.usage`)) / 1e6;
  return Number(/^usage_usec (\d+)/m.exec(read(`/sys/fs/cgroup${path}/cpu.stat`))?.[1]) / 1e3;
}
