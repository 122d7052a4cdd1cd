/** The sidecars of one gateway: one per container, made when first needed, ended when nobody needs it. */
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { Authorization } from '../../../auth/authorization.ts';
import { GatewayError, isGatewayError } from '../../../errors.ts';
import { excerpt } from '../../../platform/excerpt.ts';
import type { ContainerTarget, InboundConnection, PortDestination, RemoteListener } from '../../target.ts';
import type { ContainerDetails, EngineApi } from '../engine-api.ts';
import { engineStatus, translateEngineError } from '../engine-errors.ts';
import { hasOwnProcesses } from '../own-processes.ts';
import { dialFailure } from './dial-failure.ts';
import { createLeft, endWhenIdle } from './end-when-idle.ts';
import { type Answered, type InsideConnection, InsideLost } from './inside-connection.ts';
import { openSidecar } from './open-sidecar.ts';
import { takeConnections } from './take-connections.ts';
import type { WithImage } from './with-image.ts';

export interface Sidecars {
  /** Throws as the engine port's `dial` does. */
  dial(authorization: Authorization<ContainerTarget>, destination: PortDestination): Promise<Duplex>;
  /** Throws as the engine port's `listen` does. */
  listen(
    authorization: Authorization<ContainerTarget>,
    place: PortDestination,
    onConnection: (connection: InboundConnection) => void,
  ): Promise<RemoteListener>;
  close(): Promise<void>;
}

export interface SidecarsOptions {
  readonly engine: EngineApi;
  readonly withImage: WithImage;
  readonly log: Logger;
  /** Without any stream for so long, a sidecar ends. */
  readonly idleMs?: number;
}

/** With the window of each, they bound the memory of one sidecar, whoever opens them. */
const maxForwardsPerContainer = 512;
const usualIdleMs = 300_000;

interface Kept {
  readonly opening: Promise<InsideConnection>;
  /** Of the container, where the kernel does not end the sidecar with it. */
  readonly startedAt: string | undefined;
}

export function createSidecars(options: SidecarsOptions): Sidecars {
  const { log } = options;
  const sidecars = createKeeper(options);

  async function askOnce(
    target: ContainerTarget,
    path: string,
  ): Promise<Answered & { sidecar: InsideConnection }> {
    const sidecar = await sidecars.find(target);
    if (sidecar.load >= maxForwardsPerContainer) {
      throw new GatewayError('too-many-forwards', { limit: maxForwardsPerContainer });
    }
    return { ...(await sidecar.ask(path)), sidecar };
  }

  async function ask(
    { target, allows }: Authorization<ContainerTarget>,
    what: 'tcp' | 'listen',
    { host, port }: PortDestination,
  ) {
    if (!allows.forwarding) throw new GatewayError('forward-refused', { name: target.name });
    const path = `/${what}?${new URLSearchParams({ host, port: String(port) })}`;
    const destination = `${excerpt(host)}:${port}`;
    // Once more, in a new one: the sidecar may have died with nobody looking.
    return askOnce(target, path)
      .catch((error) => {
        if (!(error instanceof InsideLost)) throw error;
        return askOnce(target, path);
      })
      .catch((error) => {
        throw isGatewayError(error) ? error : dialFailure(error, destination, target.name);
      });
  }

  return {
    dial: async (authorization, destination) => (await ask(authorization, 'tcp', destination)).stream,
    async listen(authorization, place, onConnection) {
      const { stream, headers, sidecar } = await ask(authorization, 'listen', place);
      takeConnections(sidecar, stream, onConnection, log);
      return {
        place: { host: place.host, port: Number(headers['x-port']) & 0xffff },
        onClose: (listener) => (stream.closed ? listener() : void stream.once('close', listener)),
        close: () => void stream.destroy(),
      };
    },
    close: sidecars.close,
  };
}

/** One for each container that needs one, as long as it is of use. */
function createKeeper({ engine, withImage, log, idleMs = usualIdleMs }: SidecarsOptions) {
  const kept = new Map<string, Kept>();
  const left = createLeft(idleMs);
  let closed = false;

  async function start(details: ContainerDetails): Promise<InsideConnection> {
    const opened = await withImage((image) => openSidecar(engine, image, details, log));
    if (closed) opened.close();
    return opened;
  }

  async function find(target: ContainerTarget): Promise<InsideConnection> {
    const found = kept.get(target.id);
    if (found && found.startedAt === undefined) return found.opening;
    const details = await inspectRunning(engine, target);
    // Another call may have come first while this one waited.
    const now = kept.get(target.id);
    if (now && (now.startedAt === undefined || now.startedAt === details.State.StartedAt)) return now.opening;
    now?.opening.then((old) => old.close()).catch(() => {});
    const opening = start(details);
    const entry = {
      opening,
      startedAt: hasOwnProcesses(details.HostConfig) ? undefined : details.State.StartedAt,
    };
    kept.set(target.id, entry);
    const forget = () => {
      if (kept.get(target.id) === entry) kept.delete(target.id);
    };
    opening.then((sidecar) => {
      sidecar.onClose(forget);
      endWhenIdle(sidecar, idleMs);
      if (!sidecar.isOpen) forget();
    }, forget);
    return opening;
  }

  return {
    /** One that is open, and takes more. Throws sidecar-unavailable, and what the engine throws. */
    async find(target: ContainerTarget): Promise<InsideConnection> {
      if (closed) throw new GatewayError('sidecar-unavailable', { reason: 'the gateway is shutting down' });
      const sidecar = await find(target).catch(rethrown);
      if (sidecar.isOpen && !sidecar.isWorn) return sidecar;
      // It has died this very moment, and was not yet forgotten; or it serves what it has, and no more.
      kept.delete(target.id);
      left.leave(sidecar);
      return find(target).catch(rethrown);
    },
    async close() {
      closed = true;
      const opening = [...kept.values()].map((entry) => entry.opening);
      await Promise.allSettled(opening.map(async (each) => (await each).close()));
      for (const each of left.all) each.close();
    },
  };
}

async function inspectRunning(engine: EngineApi, { id, name }: ContainerTarget): Promise<ContainerDetails> {
  const details = await engine.inspect(id).catch((error) => {
    if (engineStatus(error) === 404) throw new GatewayError('container-gone', { name }, { cause: error });
    throw translateEngineError(error);
  });
  const state = details.State.Status;
  if (state !== 'running') throw new GatewayError('container-not-running', { name, state });
  return details;
}

function rethrown(error: unknown): never {
  if (isGatewayError(error)) throw error;
  if (engineStatus(error) !== undefined) throw translateEngineError(error);
  const reason = 'its helper container did not start; the gateway log says more';
  throw new GatewayError('sidecar-unavailable', { reason }, { cause: error });
}
