/** Unix sockets in containers, connected to and listened on by a resident: with the rights of its user, and no others. */
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { Authorization } from '../../../auth/authorization.ts';
import { GatewayError, isGatewayError } from '../../../errors.ts';
import { excerpt } from '../../../platform/excerpt.ts';
import type {
  AgentPlace,
  ContainerTarget,
  InboundConnection,
  RemoteListener,
  SocketDestination,
} from '../../target.ts';
import type { ContainerFactsSource } from '../container-facts.ts';
import { dialFailure } from '../sidecar/dial-failure.ts';
import { takeConnections } from '../sidecar/take-connections.ts';
import { type AskedResident, askResident } from './ask-resident.ts';
import type { Residents } from './create-residents.ts';

/** There is no other way to them than the resident, which is left for a minute when it is silent for longer. */
const patienceMs = 10_000;

export interface Sockets {
  /** Throws as the engine port's `dial` does. */
  dial(authorization: Authorization<ContainerTarget>, destination: SocketDestination): Promise<Duplex>;
  /** Throws as the engine port's `listen` does. */
  listen(
    authorization: Authorization<ContainerTarget>,
    place: SocketDestination | AgentPlace,
    onConnection: (connection: InboundConnection) => void,
  ): Promise<RemoteListener>;
}

export interface SocketsOptions {
  readonly residents: Residents;
  readonly facts: ContainerFactsSource;
  readonly log: Logger;
}

interface Question {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** For the sentence of a failure. */
  readonly destination: string;
}

export function createSockets({ residents, facts, log }: SocketsOptions): Sockets {
  async function ask(
    authorization: Authorization<ContainerTarget>,
    { path, query, destination }: Question,
  ): Promise<AskedResident> {
    const { target, user } = authorization;
    const known = await facts.getFacts(target.id, target.name);
    const as = { facts: known, user: await known.getUser(user) };
    const question = { path: `${path}?${new URLSearchParams(query)}`, patienceMs };
    return askResident(residents, authorization, as, question).catch((error) => {
      throw isGatewayError(error) ? error : dialFailure(error, destination, target.name);
    });
  }

  return {
    async dial(authorization, { path }) {
      const { target, allows } = authorization;
      if (!allows.forwarding) throw new GatewayError('forward-refused', { name: target.name });
      return (await ask(authorization, { path: '/unix', query: { path }, destination: excerpt(path) }))
        .stream;
    },
    async listen(authorization, place, onConnection) {
      const { stream, headers, resident } = await ask(authorization, questionOf(authorization, place));
      const bound = 'path' in place ? place : readAgentPath(headers['x-path']);
      if (!bound) {
        stream.destroy();
        throw new GatewayError('sidecar-unavailable', { reason: 'its helper program tells nonsense' });
      }
      takeConnections(resident, stream, onConnection, log);
      return {
        place: bound,
        onClose: (listener) => (stream.closed ? listener() : void stream.once('close', listener)),
        close: () => void stream.destroy(),
      };
    },
  };
}

function questionOf(
  { target: { name }, allows }: Authorization<ContainerTarget>,
  place: SocketDestination | AgentPlace,
): Question {
  if ('path' in place) {
    if (!allows.forwarding) throw new GatewayError('forward-refused', { name });
    return { path: '/listen-unix', query: { path: place.path }, destination: excerpt(place.path) };
  }
  if (!allows.agentForwarding) throw new GatewayError('agent-refused', { name });
  return { path: '/agent', query: { name: place.agentFolder }, destination: 'a socket for the agent' };
}

/** It becomes a variable of the session's programs. */
function readAgentPath(told: unknown): SocketDestination | undefined {
  const path = typeof told === 'string' ? told : '';
  return /^\/[\x21-\x7e]{1,106}$/.test(path) ? { path } : undefined;
}
