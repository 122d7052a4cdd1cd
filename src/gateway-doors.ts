/** The composition of the doors that serve people, in the process that serves them: the gateway's own, or a worker. */
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { createAuthenticator } from './auth/authenticator.ts';
import { withSecondFactor } from './auth/second-step.ts';
import { createCallLine } from './commands/call-line.ts';
import type { CommandServices, Endpoint } from './commands/command.ts';
import { createLobby } from './commands/lobby.ts';
import type { Config } from './config/config.ts';
import type { Rules } from './gateway-rules.ts';
import type { HealthDependencies } from './http/create-http-doors.ts';
import type { HttpDoor } from './http/http-door.ts';
import type { EndForFault } from './platform/fault-owner.ts';
import { version } from './platform/version.ts';
import { addUntilExpiry } from './sessions/connection-expiry.ts';
import { addWithinShare } from './sessions/connection-share.ts';
import { createForwards } from './sessions/create-forwards.ts';
import { createRunSession } from './sessions/create-run-session.ts';
import { type Drain, drain } from './sessions/drain.ts';
import { createInnerSession } from './sessions/inner-session.ts';
import { createJoin } from './sessions/join.ts';
import { createReachWeb } from './sessions/reach-web.ts';
import { expectSession } from './sessions/run-session.ts';
import type { Address } from './sessions/session.ts';
import type { SshArrival } from './ssh/arrival.ts';
import type { HostKeyRing } from './ssh/host-key-ring.ts';
import { createSshDoor } from './ssh/ssh-door.ts';

/** Who serves what the entrances let in. */
export interface Serving {
  ssh(arrival: SshArrival): void;
  /** `left`: to be called at its end where that is not seen here. */
  http(socket: Socket, left: () => void): void;
  /** New connections use the host keys, and the keepalive, of now. */
  renew(): Promise<void>;
  /** Nobody is let in any more; who has nothing running is let go. Resolves when nothing runs, or the time is over. */
  drain(how: Drain): Promise<void>;
  /** Ends every connection, which is told `reason`, forcibly after `graceMs`. */
  close(graceMs: number, reason: string): Promise<void>;
}

export interface DoorsDependencies {
  readonly config: Config;
  readonly log: Logger;
  readonly rules: Rules;
  readonly hostKeys: () => HostKeyRing;
  readonly endpoint: () => Endpoint;
  readonly endForFault: EndForFault;
  readonly health: HealthDependencies;
}

/** What commands work with, here and in the operator's door. */
export const servicesOf = (parts: Pick<DoorsDependencies, 'config' | 'log' | 'rules' | 'endpoint'>) => {
  const { config, log, rules, endpoint } = parts;
  const openTarget = createInnerSession({ ...rules, log, config });
  return { ...rules, config, endpoint, openTarget } satisfies CommandServices;
};

/** What people need to connect. */
export const endpointOf =
  (config: Config, hostKeys: () => HostKeyRing, sshAddress: () => Address) => (): Endpoint => ({
    host: config.domain,
    port: config.publicPort ?? sshAddress().port,
    hostKeys: hostKeys().announced.map((key) => key.publicKey),
    hostAuthorities: [
      ...new Set(hostKeys().announced.flatMap(({ certificate }) => certificate?.authority ?? [])),
    ],
  });

/** Throws a sentence when they cannot serve; then nothing is open. */
export async function openDoors(dependencies: DoorsDependencies): Promise<Serving> {
  const { config, log, rules, hostKeys, endpoint, endForFault } = dependencies;
  const { audit, connections, clock, invites } = rules;
  const services = servicesOf(dependencies);
  const prefixed = { ...rules, targetPrefix: config.targetPrefix };
  const routes = {
    ...rules,
    log,
    lobby: await createLobby(services, log),
    join: createJoin({ invites, audit, endpoint }),
    targetPrefix: config.targetPrefix,
    get maxSessionsPerAccount() {
      return config.maxSessionsPerAccount;
    },
  };
  const ssh = createSshDoor({
    config,
    version,
    hostKeys,
    authenticator: withSecondFactor(createAuthenticator(rules), rules.secondFactors),
    runSession: createRunSession(routes),
    expectSession: (connection) => expectSession(routes, connection),
    ...createForwards(prefixed),
    addConnection: addWithinShare({ ...rules, config, log }, addUntilExpiry(connections, clock)),
    audit,
    meter: rules.meter,
    onFault: endForFault,
    log,
  });
  const http = config.httpListen === undefined ? undefined : await openHttpDoor(dependencies, services);
  return {
    ssh: ssh.serve,
    http: (socket) => http?.serve(socket),
    renew: async () => ssh.renewHostKeys(),
    // What runs by HTTP is in the registry; who only sends slowly is not waited for.
    drain: (how) =>
      drain({ connections, doors: [ssh, ...(http ? [{ ...http, isEmpty: true }] : [])], log }, how),
    async close(graceMs, reason) {
      // Before any door closes: whoever is connected by whichever is told.
      for (const connection of connections.listConnections()) connections.closeConnection(connection, reason);
      await Promise.all([ssh.close(graceMs, reason), http?.close(graceMs)]);
    },
  };
}

/** Loaded only where it is wanted: fastify costs a tenth of a second of the start. */
async function openHttpDoor(
  { rules, log, config, health }: DoorsDependencies,
  services: CommandServices,
): Promise<HttpDoor> {
  const { createCommandsDoor } = await import('./http/create-http-doors.ts');
  const { addDialects } = await import('./dialects/add-dialects.ts');
  return createCommandsDoor({
    ...rules,
    ...health,
    tokens: rules.strangerTokens,
    reachWeb: createReachWeb({ ...rules, targetPrefix: config.targetPrefix }),
    addRoutes: (app, given) => addDialects(app, { ...given, pageSnapshots: rules.pageSnapshots }),
    callLine: await createCallLine(services, log),
    addConnection: addUntilExpiry(rules.connections, rules.clock),
  });
}
