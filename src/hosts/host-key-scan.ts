/** Which host keys a server has: what `host add` pins, and `host trust` compares. */
import type { Duplex } from 'node:stream';

/**
 * `TYPE BASE64` of each host key of the server that `dial` leads to, one for each kind of key, best first; each is asked
 * for over a connection of its own. Only keys that the server has signed with. Throws what `dial` throws, and
 * host-unreachable where no SSH server answers in time. `host` is what sentences call it.
 */
export type ScanHostKeys = (host: string, dial: () => Promise<Duplex>) => Promise<readonly string[]>;
