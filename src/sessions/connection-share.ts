/** No account holds all SSH connections of the gateway, whichever of its processes have them. */
import type { Logger } from 'pino';
import type { Audit } from '../audit/audit.ts';
import type { Config } from '../config/config.ts';
import { GatewayError } from '../errors.ts';
import type { GiveBack, Slots } from '../platform/slots.ts';
import type { Connections, LiveConnection } from './connections.ts';

export interface ShareDependencies {
  readonly config: Pick<Config, 'maxConnections' | 'maxConnectionsPerAccount'>;
  readonly connections: Pick<Connections, 'closeConnection'>;
  readonly slots: Slots;
  readonly audit: Pick<Audit, 'refused'>;
  readonly log: Logger;
}

type AddConnection = (connection: LiveConnection) => () => void;

/** A slot is a part of the limit, and not one connection, or each login would cost a question and its answer. */
const parts = 64;
/** A part that is not needed any more is kept for so long: the next login is mostly near. */
const keptMs = 10_000;

/** Registers a connection by `add`, and closes it where its account has as many already as it may have. */
export function addWithinShare(dependencies: ShareDependencies, add: AddConnection): AddConnection {
  const shares = new Map<string, Share>();
  return (connection) => {
    const unregister = add(connection);
    const { accountId, outer } = connection.identity;
    // What lies in another connection takes no place of its own.
    if (outer) return unregister;
    const share =
      shares.get(accountId) ?? createShare(dependencies, accountId, () => shares.delete(accountId));
    shares.set(accountId, share);
    const leave = share.enter(connection);
    return () => {
      leave();
      unregister();
    };
  };
}

/** What this process has of an account's connections. */
interface Share {
  enter(connection: LiveConnection): () => void;
}

/** `onEmpty`: it holds nothing any more. */
function createShare(
  { config, connections, slots, audit, log }: ShareDependencies,
  accountId: string,
  onEmpty: () => void,
): Share {
  const limit = () => config.maxConnectionsPerAccount ?? Math.ceil(config.maxConnections / 2);
  const size = Math.max(1, Math.floor(limit() / parts));
  const open = new Set<LiveConnection>();
  const held: GiveBack[] = [];
  let asked = 0;
  let isShrinking = false;

  const room = () => (held.length + asked) * size;
  const shrink = () => {
    isShrinking = false;
    while (held.length > Math.ceil(open.size / size)) held.pop()?.();
    if (open.size + held.length + asked === 0) onEmpty();
  };
  const shrinkSoon = () => {
    if (size === 1) return shrink();
    if (!isShrinking) setTimeout(shrink, keptMs).unref();
    isShrinking = true;
  };
  const closeRest = () => {
    for (const connection of [...open].slice(room())) {
      open.delete(connection);
      const { code, message } = new GatewayError('too-many-connections', { limit: limit() });
      audit.refused(connection.identity, { what: 'connection', reason: code });
      connections.closeConnection(connection, message);
    }
  };
  /** No login waits for the answer; where there is none, who is in stays in. */
  async function ask(connectionId: string): Promise<void> {
    asked++;
    try {
      const given = await slots.take(`connection ${accountId}`, Math.max(1, Math.floor(limit() / size)));
      asked--;
      if (given) held.push(given);
      else closeRest();
    } catch (error) {
      asked--;
      log.warn({ err: error, connectionId }, 'a connection is not counted for its account');
    }
    shrinkSoon();
  }
  return {
    enter(connection) {
      open.add(connection);
      if (open.size > room()) void ask(connection.id);
      return () => {
        // Not one that was closed for want of room: this share may be empty since, and another in its place.
        if (open.delete(connection)) shrinkSoon();
      };
    },
  };
}
