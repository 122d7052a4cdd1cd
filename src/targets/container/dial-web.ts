/** A connection to the web server of a container, over the engine's network. */
import { connect, type Socket } from 'node:net';
import type { Authorization } from '../../auth/authorization.ts';
import { GatewayError } from '../../errors.ts';
import type { ContainerTarget, WebConnection, WebDialOptions } from '../target.ts';
import type { ContainerDetails, EngineApi } from './engine-api.ts';
import { engineStatus, translateEngineError } from './engine-errors.ts';
import { findAddress, webPorts } from './web-port.ts';

/** For all ports together. */
const dialWithinMs = 5_000;

export async function dialWeb(
  engine: EngineApi,
  { target, allows }: Authorization<ContainerTarget>,
  { mayOpen, signal }: WebDialOptions,
): Promise<WebConnection> {
  const { id, name } = target;
  if (!allows.forwarding) throw new GatewayError('web-refused', { name });
  const details = await inspectRunning(engine, id, name);
  const host = findAddress(details);
  if (host === undefined) throw new GatewayError('web-no-address', { name });
  const ports = webPorts(details, name);
  const permitted = ports.filter(mayOpen);
  if (permitted.length === 0) throw new GatewayError('web-refused', { name });
  const deadline = AbortSignal.timeout(dialWithinMs);
  for (const port of permitted) {
    const socket = await dial(host, port, AbortSignal.any([signal, deadline])).catch((error) => {
      if (signal.aborted) throw signal.reason;
      if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return undefined;
      throw new GatewayError('web-unreachable', { name }, { cause: error });
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

/** Rejects with the socket's error, or the signal's reason. */
function dial(host: string, port: number, signal: AbortSignal): Promise<Socket> {
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
