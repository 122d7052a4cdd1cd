/** A connection to the web server of a container: over the engine's network, or from inside the container. */
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Authorization } from '../../auth/authorization.ts';
import { GatewayError, isGatewayError } from '../../errors.ts';
import { unlessAborted } from '../../platform/unless-aborted.ts';
import type {
  ContainerTarget,
  CountedDuplex,
  PortDestination,
  WebConnection,
  WebDialOptions,
} from '../target.ts';
import { CountedStream } from './counted-stream.ts';
import type { ContainerDetails, EngineApi } from './engine-api.ts';
import { engineStatus, translateEngineError } from './engine-errors.ts';
import { addressesOf, webPorts } from './web-port.ts';

interface Place {
  /** All of one container, and at least one. */
  readonly hosts: readonly string[];
  readonly port: number;
}

/** To one port after the other, until one does not refuse. Rejects with the signal's reason when that comes first. */
type Way = (place: Place, signal: AbortSignal) => Promise<CountedDuplex>;

/** For all ports together. */
const dialWithinMs = 5_000;

const straight = (): Way => {
  const deadline = AbortSignal.timeout(dialWithinMs);
  return ({ hosts, port }, signal) => connectToFirst(hosts, port, AbortSignal.any([signal, deadline]));
};

/**
 * Where the engine's networks are not those of here, and its addresses perhaps those of somebody else's containers: `dial` connects
 * from inside the container, and takes its own time.
 */
export const fromInside =
  (dial: (place: PortDestination) => Promise<Duplex>): (() => Way) =>
  () =>
  async ({ hosts: [host = ''], port }, signal) => {
    const dialling = dial({ host, port });
    return new CountedStream(
      await unlessAborted(dialling, signal).catch((error) => {
        dialling.then((late) => late.destroy()).catch(() => {});
        throw error;
      }),
    );
  };

/** The system's word here, and a sidecar's there. */
const isRefusal = (error: unknown) => (error as { code?: unknown } | undefined)?.code === 'ECONNREFUSED';

export async function dialWeb(
  engine: EngineApi,
  { target, allows }: Authorization<ContainerTarget>,
  { mayOpen, signal }: WebDialOptions,
  openWay: () => Way = straight,
): Promise<WebConnection> {
  const { id, name } = target;
  if (!allows.forwarding) throw new GatewayError('web-refused', { name });
  const details = await inspectRunning(engine, id, name);
  const hosts = addressesOf(details);
  if (hosts.length === 0) throw new GatewayError('web-no-address', { name });
  const ports = webPorts(details, name);
  const permitted = ports.filter(mayOpen);
  if (permitted.length === 0) throw new GatewayError('web-refused', { name });
  const dial = openWay();
  for (const port of permitted) {
    const socket = await dial({ hosts, port }, signal).catch((error) => {
      if (signal.aborted) throw signal.reason;
      if (isRefusal(error) || isRefusal(error.cause)) return undefined;
      throw isGatewayError(error) ? error : new GatewayError('web-unreachable', { name }, { cause: error });
    });
    if (socket) return { socket, port };
  }
  throw new GatewayError('web-port-closed', { name, ports: permitted.join(', ') });
}

async function inspectRunning(engine: EngineApi, id: string, name: string): Promise<ContainerDetails> {
  const details = await engine.inspect(id).catch((error) => {
    if (engineStatus(error) === 404) throw new GatewayError('container-gone', { name }, { cause: error });
    throw translateEngineError(error);
  });
  const state = details.State.Status;
  if (state !== 'running') throw new GatewayError('container-not-running', { name, state });
  return details;
}

/** After one address has refused, which only who is reached does. */
const othersWithinMs = 250;

/** On some of the container's networks it may not be reached from here, and be silent: whichever takes the connection first. */
async function connectToFirst(hosts: readonly string[], port: number, signal: AbortSignal): Promise<Socket> {
  const others = new AbortController();
  const ending = AbortSignal.any([signal, others.signal]);
  const attempts = hosts.map((host) => connectTo(host, port, ending));
  const refused = (error: unknown) => {
    if (isRefusal(error)) setTimeout(() => others.abort(error), othersWithinMs).unref();
  };
  for (const attempt of attempts) attempt.catch(refused);
  try {
    const first = await Promise.any(attempts);
    for (const attempt of attempts)
      attempt.then(
        (socket) => socket !== first && socket.destroy(),
        () => {},
      );
    others.abort();
    return first;
  } catch (error) {
    const { errors } = error as AggregateError;
    throw errors.find(isRefusal) ?? errors[0];
  }
}

/** Rejects with the socket's error, or the signal's reason. */
function connectTo(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, keepAlive: true, allowHalfOpen: true });
    const giveUp = () => socket.destroy(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      signal.removeEventListener('abort', giveUp);
      socket.off('error', reject);
      resolve(socket);
    });
    if (signal.aborted) giveUp();
  });
}
