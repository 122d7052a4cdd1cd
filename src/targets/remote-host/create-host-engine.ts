/** The HostEngine port: which keys open which host, over which way, and who shares a connection. */
import type { Duplex } from 'node:stream';
import type { Authorization } from '../../auth/authorization.ts';
import { GatewayError, isGatewayError } from '../../errors.ts';
import type { SessionContext, SessionEnd, SessionHandler, SessionIo } from '../../sessions/session.ts';
import { checkAllowed } from '../check-allowed.ts';
import type { HostConnection, HostLogin, OpenAgent, OpenHostConnection } from '../host-connection.ts';
import type { HostEngine, OnBehalfOf } from '../host-engine.ts';
import type { HostTarget } from '../target.ts';
import { createConnectionPool, type Lease } from './connection-pool.ts';
import { loginsFor } from './logins.ts';

export interface HostEngineOptions {
  /** Straight from here. Throws `host-unreachable`, `host-address-refused`. */
  readonly dialHost: (to: { hostname: string; port: number; mayBeInternal: boolean }) => Promise<Duplex>;
  readonly openConnection: OpenHostConnection;
  readonly scanHostKeys: (host: string, dial: () => Promise<Duplex>) => Promise<readonly string[]>;
  /** The private key at a path below DATA/identities, which is checked. */
  readonly readIdentityFile: (path: string) => Promise<Buffer>;
  readonly readEgressKey: () => Promise<Buffer>;
}

/** From the first byte to the login's yes; somebody may have to touch a security key. */
const loginWithinMs = 90_000;
/** Between two commands of one `ssh -S` the connection to the host stays. */
const lingerMs = 10_000;

export function createHostEngine(options: HostEngineOptions): HostEngine {
  const ways = createWays(options);
  const { reach, take, takeFor } = ways;

  const openSession =
    (authorization: Authorization<HostTarget>): SessionHandler =>
    async (request, io, context) => {
      checkAllowed(authorization, request);
      const onward = agentOf(io.openAgent, authorization);
      const agent = onward ?? agentOf(io.loginAgent, authorization);
      return run(ways, authorization, (connection) => connection.runSession(request, io, onward), {
        io,
        context,
        agent,
      });
    };

  return {
    openSession,
    async dial(authorization, destination, by) {
      const { made, giveBack } = await using(takeFor(authorization, by), (connection) =>
        connection.dial(destination, by.source),
      );
      return made.once('close', giveBack);
    },
    async listen(authorization, place, onConnection, by) {
      const { made, giveBack } = await using(takeFor(authorization, by), (connection) =>
        connection.listen(place, onConnection),
      );
      made.onClose(giveBack);
      return made;
    },
    reach,
    async dialSocket(target, path) {
      const taking = take('gateway', target, target.host.username, undefined);
      const { made, giveBack } = await using(taking, (connection) => connection.dialSocket(path));
      return made.once('close', giveBack);
    },
    scanHostKeys: (target) => options.scanHostKeys(target.host.name, () => reach(target, target.host.port)),
    close: ways.close,
  };
}

async function run(
  { takeFor, connectAlone }: Pick<ReturnType<typeof createWays>, 'takeFor' | 'connectAlone'>,
  authorization: Authorization<HostTarget>,
  work: (connection: HostConnection) => Promise<SessionEnd>,
  { io, context, agent }: { io: SessionIo; context: SessionContext; agent: OpenAgent | undefined },
): Promise<SessionEnd> {
  const lease = await orGone(takeFor(authorization, context, agent), io.closed);
  if (!lease) return hungUp;
  try {
    return await work(lease.connection);
  } catch (error) {
    if (!lease.shared || !isGatewayError(error, 'host-session-refused')) throw error;
  } finally {
    lease.giveBack();
  }
  // Of one connection sshd takes ten sessions (MaxSessions).
  const own = await connectAlone(authorization, agent);
  return work(own).finally(() => own.close());
}

/** What `use` makes of a connection, for whoever gives that back at its end. Where it makes nothing, that is done here. */
async function using<T>(
  taking: Promise<Lease>,
  use: (connection: HostConnection) => Promise<T>,
): Promise<{ readonly made: T; readonly giveBack: () => void }> {
  const { connection, giveBack } = await taking;
  const made = await use(connection).catch((error: unknown) => {
    giveBack();
    throw error;
  });
  return { made, giveBack };
}

/** The ways to hosts, by others where they lie behind them, and the connections that are shared. */
function createWays(options: HostEngineOptions) {
  const pool = createConnectionPool(lingerMs);

  async function reach(target: HostTarget, port: number): Promise<Duplex> {
    const { hostname } = target.host;
    const nearest = target.via.at(-1);
    if (!nearest) return options.dialHost({ hostname, port, mayBeInternal: target.byAdmin });
    const way = { ...nearest, via: target.via.slice(0, -1) };
    const taking = take('via', way, way.host.username, undefined);
    const { made, giveBack } = await using(taking, (connection) =>
      connection.dial({ host: hostname, port }, nowhere).catch((error: unknown) => {
        throw isGatewayError(error, 'forward-failed') ? unreachable(target, way, error) : error;
      }),
    );
    return made.once('close', giveBack);
  }

  async function connect(target: HostTarget, username: string, logins: readonly HostLogin[]) {
    const { host, name } = target;
    if (logins.length === 0) throw noIdentity(target);
    const stream = await reach(target, host.port);
    const who = { name, username, hostKeys: host.hostKeys ?? [], logins };
    const signal = AbortSignal.timeout(loginWithinMs);
    return options.openConnection(stream, who, signal).catch((error: unknown) => {
      if (!signal.aborted || isGatewayError(error)) throw error;
      throw new GatewayError('host-unreachable', { host: name, reason: 'no answer in time' });
    });
  }

  function take(
    by: string,
    target: HostTarget,
    username: string,
    agent: OpenAgent | undefined,
  ): Promise<Lease> {
    const { host, gatewayKeys, via } = target;
    // What was registered anew meanwhile is another connection.
    const key = JSON.stringify([by, username, host, gatewayKeys, via]);
    return pool.take(key, () => connect(target, username, loginsFor(target, agent, options)));
  }

  const takeFor = (
    { target, user }: Authorization<HostTarget>,
    { connectionId }: OnBehalfOf,
    agent?: OpenAgent,
  ): Promise<Lease> => take(connectionId, target, user ?? target.host.username, agent);

  /** Shared with nobody. */
  const connectAlone = ({ target, user }: Authorization<HostTarget>, agent: OpenAgent | undefined) =>
    connect(target, user ?? target.host.username, loginsFor(target, agent, options));

  return { reach, take, takeFor, connectAlone, close: () => pool.close() };
}

const hungUp: SessionEnd = { exitSignal: 'HUP', message: 'the client went away' };
/** RFC 4254 §7.2 wants to know where a connection comes from; ours comes from nobody's. */
const nowhere = { address: '127.0.0.1', port: 0 };

const unreachable = ({ name }: HostTarget, way: HostTarget, cause: Error) =>
  new GatewayError(
    'host-unreachable',
    { host: name, reason: `by way of ${way.name}: ${cause.message}` },
    { cause },
  );

function noIdentity({ name, host }: HostTarget): GatewayError {
  const { username, hostname, port } = host;
  const destination = `${port === 22 ? '' : `-p ${port} `}${username}@${hostname}`;
  return new GatewayError('host-no-identity', { host: name, destination });
}

/** The key that the person came with may forbid it, to log in with and for programs there. */
function agentOf(
  openAgent: SessionIo['openAgent'],
  { allows, target }: Authorization<HostTarget>,
): OpenAgent | undefined {
  if (!openAgent || !allows.agentForwarding) return undefined;
  return async () => {
    const peer = await openAgent();
    if (peer) return peer;
    throw new GatewayError('agent-unavailable', { reason: `it does not answer for ${target.name}.` });
  };
}

/** Undefined when the person is gone first; the connection is then left to whoever comes next. */
function orGone(taking: Promise<Lease>, closed: AbortSignal): Promise<Lease | undefined> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      resolve(undefined);
      taking.then(
        ({ giveBack }) => giveBack(),
        () => {},
      );
    };
    if (closed.aborted) return leave();
    closed.addEventListener('abort', leave, { once: true });
    taking.then(resolve, reject).finally(() => closed.removeEventListener('abort', leave));
  });
}
