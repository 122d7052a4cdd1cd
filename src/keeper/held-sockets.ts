/** The sockets that a keeper holds, so that who connects while supervisors come and go waits in the kernel's queue. */
import { closeSync } from 'node:fs';
import type { Held } from './supervisor-process.ts';

export interface HeldSockets {
  list(): readonly Held[];
  /** In the place of one of the same name. */
  add(held: Held): void;
  /** Lets go of those that a supervisor once opened and that are not in use any more. */
  keepOnly(used: readonly string[]): void;
  close(): void;
}

/** `inherited`: of the service manager, by name. */
export function createHeldSockets(inherited: ReadonlyMap<string, number>): HeldSockets {
  const held = new Map<string, Held>();
  for (const [name, fd] of inherited) held.set(name, { name, handle: { fd, close: () => closeSync(fd) } });
  const letGo = (name: string) => {
    held.get(name)?.handle.close();
    held.delete(name);
  };
  return {
    list: () => [...held.values()],
    add(one) {
      letGo(one.name);
      held.set(one.name, one);
    },
    keepOnly(used) {
      for (const { name, at } of [...held.values()])
        if (at !== undefined && !used.includes(name)) letGo(name);
    },
    close() {
      for (const name of [...held.keys()]) letGo(name);
    },
  };
}
