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

/** Registers a connection by `add`, and closes it where its account has as many already as it may have. */
export function addWithinShare(dependencies: ShareDependencies, add: AddConnection): AddConnection {
  const { config, connections, slots, audit, log } = dependencies;
  return (connection) => {
    const unregister = add(connection);
    const { identity } = connection;
    // What lies in another connection takes no place of its own.
    if (identity.outer) return unregister;
    const limit = config.maxConnectionsPerAccount ?? Math.ceil(config.maxConnections / 2);
    let isGone = false;
    let giveBack: GiveBack | undefined;
    const taken = (given: GiveBack | undefined) => {
      if (isGone) return given?.();
      giveBack = given;
      if (given) return;
      const { code, message } = new GatewayError('too-many-connections', { limit });
      audit.refused(identity, { what: 'connection', reason: code });
      connections.closeConnection(connection, message);
    };
    // No login waits for the answer; where there is none, who is in stays in.
    slots.take(`connection ${identity.accountId}`, limit).then(taken, (error: unknown) => {
      log.warn({ err: error, connectionId: connection.id }, 'a connection is not counted for its account');
    });
    return () => {
      isGone = true;
      giveBack?.();
      unregister();
    };
  };
}
