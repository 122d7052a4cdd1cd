import type { Config } from '../config/config.ts';
import { randomId } from '../platform/ids.ts';
import { openTarget, type SessionRoutes } from './create-run-session.ts';
import { type RunnerDependencies, runAccountSession } from './run-session.ts';
import type { SessionHandler } from './session.ts';

type Dependencies = Omit<RunnerDependencies, 'maxSessionsPerAccount'> &
  Pick<SessionRoutes, 'authorizer' | 'targets' | 'engine' | 'hostEngine' | 'recordSession'> & {
    readonly config: Pick<Config, 'maxSessionsPerAccount'>;
  };

/**
 * A session of its own in the lists and for revocation: a grant withdrawn ends it, wherever it was begun. What was lent to
 * the lobby logs in to a host, but goes no further: who wants that names the target at the login.
 */
export const createInnerSession =
  (dependencies: Dependencies) =>
  (target: string, user: string | undefined): SessionHandler =>
  (request, { openAgent, ...io }, outer) =>
    runAccountSession(
      { ...dependencies, maxSessionsPerAccount: dependencies.config.maxSessionsPerAccount },
      {
        context: { ...outer, sessionId: randomId() },
        isInner: true,
        request,
        io: { ...io, ...(openAgent ? { loginAgent: openAgent } : {}) },
        // Else counted with the session of the lobby that it runs in.
        traffic: io.traffic ?? (() => ({ bytesIn: 0, bytesOut: 0 })),
        route: () => openTarget(dependencies, outer.identity, target, user),
      },
    );
