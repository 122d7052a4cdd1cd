/** The rights of a process are those that its user had when it began. Imports nothing but Node. */
import { statSync } from 'node:fs';
import { coded } from './sockets.ts';

const atStart = usersAsOf();

/** Throws ESTALE where users or groups have changed since: whoever was put into a group, or out of it, is not here. */
export function checkUsers(): void {
  if (usersAsOf() !== atStart) throw coded('ESTALE');
}

/** Changes whenever /etc/passwd or /etc/group do. */
function usersAsOf(): string {
  const told = ['/etc/passwd', '/etc/group'].map((path) => {
    const { ino, size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? {};
    return [ino, size, mtimeMs];
  });
  return JSON.stringify(told);
}
