/**
 * What was allowed when it opened must still be allowed: a change of keys or accounts closes connections,
 * a change of grants or tags ends sessions and long commands that no longer stand.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Authorizer } from '../auth/authorizer.ts';
import { isGatewayError } from '../errors.ts';
import type { Change, Store } from '../store/store.ts';
import { checkStands } from './check-stands.ts';
import type { Connections, LiveCommand, LiveConnection, LiveSession } from './connections.ts';

export interface RevocationDependencies {
  readonly store: Store;
  readonly authorizer: Authorizer;
  readonly connections: Connections;
  /** Calls back when the configuration changes: what must be recorded may be more. */
  readonly onReload?: (listener: () => void) => void;
  readonly log: Logger;
}

const identityTables = new Set<Change['table']>(['keys', 'accounts', 'cas', 'revocations']);
const certificateTables = new Set<Change['table']>(['cas', 'revocations']);
const accessTables = new Set<Change['table']>([
  'accounts',
  'keys',
  'grants',
  'targetTags',
  'secondFactorTargets',
  'hosts',
  'recordingRules',
]);

const retryMs = 500;

/** Watches the store until the returned function is called. */
export function watchRevocations(dependencies: RevocationDependencies): () => void {
  const { store, connections, log } = dependencies;
  const logged = (error: unknown) => log.error({ err: error }, 'revocation check failed');
  const recheck = <T>(list: () => readonly T[], which: readonly T[], check: (one: T) => Promise<void>) => {
    for (const one of which)
      untilAnswered(
        () => check(one),
        () => list().includes(one),
      ).catch(logged);
  };
  const { listSessions, listConnections, listCommands } = connections;
  const recheckSessions = () =>
    recheck(listSessions, listSessions(), (session) => recheckSession(dependencies, session));
  dependencies.onReload?.(recheckSessions);
  const stopLooking = connections.onSession((session) => recheckSession(dependencies, session));
  const stopHearing = store.onChange((changes) => {
    const touches = (tables: ReadonlySet<Change['table']>) => changes.some(({ table }) => tables.has(table));
    if (touches(identityTables)) {
      const concerned = listConnections().filter((connection) => concerns(changes, connection));
      recheck(listConnections, concerned, (connection) => recheckConnection(dependencies, connection));
    }
    if (touches(accessTables)) recheckSessions();
    if (touches(accessTables) || touches(identityTables))
      recheck(listCommands, listCommands(), recheckCommand);
  });
  return () => {
    stopLooking();
    stopHearing();
  };
}

const isStoreAway = (error: unknown) => isGatewayError(error) && error.code === 'store-unavailable';

/** While the store is away nobody knows: who is in stays in, and is looked at when it is back. */
async function untilAnswered(check: () => Promise<void>, isOpen: () => boolean): Promise<void> {
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (!isStoreAway(error)) throw error;
    }
    await pause(retryMs * (1 + Math.random()), undefined, { ref: false });
    if (!isOpen()) return;
  }
}

function concerns(changes: readonly Change[], { identity }: LiveConnection): boolean {
  const ids = new Set([identity.keyId, identity.accountId, identity.outer?.keyId]);
  const byCertificate = (identity.certificate ?? identity.outer?.certificate) !== undefined;
  return changes.some(
    ({ table, id }) => id === undefined || ids.has(id) || (byCertificate && certificateTables.has(table)),
  );
}

async function recheckConnection(
  { authorizer, connections }: RevocationDependencies,
  connection: LiveConnection,
): Promise<void> {
  try {
    await authorizer.principal(connection.identity);
  } catch (error) {
    if (!isGatewayError(error) || isStoreAway(error)) throw error;
    connections.closeConnection(
      connection,
      `the ${identityWord(connection)} you are connected with is no longer valid here.`,
    );
  }
}

async function recheckCommand(command: LiveCommand): Promise<void> {
  try {
    await command.recheck();
  } catch (error) {
    if (!isGatewayError(error) || isStoreAway(error)) throw error;
    command.end();
  }
}

const identityWord = ({ identity }: LiveConnection) => (identity.certificate ? 'certificate' : 'key');

async function recheckSession({ authorizer }: RevocationDependencies, session: LiveSession): Promise<void> {
  const { authorization, target } = session;
  try {
    if (session.recheck) await session.recheck();
    else if (authorization) await checkStands(authorizer, authorization);
  } catch (error) {
    if (!isGatewayError(error) || isStoreAway(error)) throw error;
    const isUnrecorded = authorization && isGatewayError(error, 'recording-missing');
    session.end(
      isUnrecorded
        ? `sessions in ${target} must be recorded from now on; begin another one.`
        : `you may no longer use ${target}.`,
    );
  }
}
