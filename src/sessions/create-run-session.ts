/** Joins the parts: from a peer's connection and a request to the handler that runs it. */

import type { Applicant } from '../auth/authenticator.ts';
import { type Authorization, isForContainer, isForHost } from '../auth/authorization.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import type { Identity } from '../auth/identity.ts';
import { randomId } from '../platform/ids.ts';
import type { ForwardLogs } from '../recordings/forward-logs.ts';
import type { KeyRestrictions } from '../store/schema.ts';
import type { HostEngine } from '../targets/host-engine.ts';
import type { ContainerEngine, ContainerTarget } from '../targets/target.ts';
import type { TargetDirectory } from '../targets/target-directory.ts';
import { forceCommand } from './force-command.ts';
import { createLendAgent, type LendAgent } from './lend-agent.ts';
import { maskLoginName, parseLoginName } from './login-name.ts';
import type { RunSession } from './peer.ts';
import type { RecordSession } from './record-session.ts';
import {
  type RoutedSession,
  type RunnerDependencies,
  runAccountSession,
  toGatewayError,
  writeSentence,
} from './run-session.ts';
import type { SessionContext, SessionEnd, SessionHandler, SessionIo, SessionRequest } from './session.ts';

export interface SessionRoutes extends RunnerDependencies {
  /** Config's targetPrefix: `rexec-`. */
  readonly targetPrefix: string;
  readonly authorizer: Authorizer;
  readonly targets: TargetDirectory;
  readonly engine: ContainerEngine;
  readonly hostEngine: HostEngine;
  readonly recordSession: RecordSession;
  readonly forwardLogs: ForwardLogs;
  readonly lobby: SessionHandler;
  /** Runs the one session of somebody who joins with an invite. */
  readonly join: (applicant: Applicant, request: SessionRequest, io: SessionIo) => Promise<SessionEnd>;
}

export function createRunSession(routes: SessionRoutes): RunSession {
  const lendAgent = createLendAgent(routes);
  return async (connection, request, io, traffic) => {
    const { peer, loginName } = connection;
    if (peer.kind === 'applicant') {
      return routes.join(peer.applicant, request, io).catch(async (error: unknown) => {
        const failure = toGatewayError(error, routes.log, { connectionId: connection.id });
        await writeSentence(io, failure.message, request.pty !== undefined);
        return { exitStatus: failure.exitStatus };
      });
    }
    const { identity } = peer;
    const context: SessionContext = Object.freeze({
      connectionId: connection.id,
      sessionId: randomId(),
      identity,
      loginName: maskLoginName(loginName),
      source: connection.source,
      local: connection.local,
    });
    const route = () =>
      connection.jumpTarget === undefined
        ? routeByLoginName(routes, lendAgent, identity, loginName)
        : openTarget(routes, identity, connection.jumpTarget, loginName || undefined).then((opened) =>
            lent(lendAgent, forced(opened)),
          );
    return runAccountSession(routes, { context, request, io, traffic, route });
  };
}

async function routeByLoginName(
  routes: SessionRoutes,
  lendAgent: LendAgent,
  identity: Identity,
  loginName: string,
): Promise<RoutedSession> {
  const destination = parseLoginName(loginName, routes.targetPrefix);
  if (destination.kind !== 'target') return { target: 'lobby', handler: routes.lobby };
  return lent(lendAgent, forced(await openTarget(routes, identity, destination.target, destination.user)));
}

const lent = (lendAgent: LendAgent, session: RoutedSession): RoutedSession =>
  session.authorization && isForContainer(session.authorization)
    ? { ...session, handler: lendAgent(session.authorization, session.handler) }
    : session;

/** Authorizes and hands over the handler that enters exactly what was authorized. */
export async function openTarget(
  routes: Pick<SessionRoutes, 'authorizer' | 'targets' | 'engine' | 'hostEngine' | 'recordSession'>,
  identity: Identity,
  name: string,
  user: string | undefined,
): Promise<TargetSession> {
  const principal = await routes.authorizer.principal(identity);
  const authorization = await routes.targets.authorize(principal, name, user);
  return {
    target: authorization.target.name,
    authorization,
    handler: routes.recordSession(
      authorization,
      withKeyEnvironment(sessionIn(routes, authorization), principal.key.restrictions),
    ),
    forcedCommand: principal.key.restrictions.command,
  };
}

function sessionIn(
  { engine, hostEngine }: Pick<SessionRoutes, 'engine' | 'hostEngine'>,
  authorization: Authorization,
): SessionHandler {
  if (isForHost(authorization)) return hostEngine.openSession(authorization);
  return engine.openSession(authorization as Authorization<ContainerTarget>);
}

interface TargetSession extends RoutedSession {
  /** The key's `command=`, for whoever comes straight from the door; the lobby has run it already. */
  readonly forcedCommand: string | undefined;
}

/**
 * sshd(8) environment=: as in sshd, what the key says wins over what the client sent. The target lets in
 * the names that the operator accepts, whoever sent them.
 */
function withKeyEnvironment(handler: SessionHandler, { environment = [] }: KeyRestrictions): SessionHandler {
  if (environment.length === 0) return handler;
  const own = environment.map((entry): [string, string] => {
    const end = entry.indexOf('=');
    return [entry.slice(0, end), entry.slice(end + 1)];
  });
  return (request, io, context) =>
    handler({ ...request, env: new Map([...request.env, ...own]) }, io, context);
}

/** sshd(8) command=: runs instead of whatever was asked. */
function forced({ forcedCommand, handler, ...session }: TargetSession): RoutedSession {
  if (forcedCommand === undefined) return { ...session, handler };
  return {
    ...session,
    handler: (request, io, context) => handler(forceCommand(request, forcedCommand), io, context),
  };
}
