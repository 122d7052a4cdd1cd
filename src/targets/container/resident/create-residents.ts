/** The residents of one gateway: one per start of a container and user, made when needed, ended when nobody needs it. */
import type { Logger } from 'pino';
import type { Authorization } from '../../../auth/authorization.ts';
import { GatewayError, isGatewayError } from '../../../errors.ts';
import type { ContainerTarget } from '../../target.ts';
import { internalLabel } from '../../visibility.ts';
import { findContainerFile } from '../archive-file.ts';
import type { ContainerFacts } from '../container-facts.ts';
import type { EngineApi } from '../engine-api.ts';
import { findGid, type SessionUser } from '../passwd.ts';
import { launcherShells } from '../session-plan.ts';
import { endWhenIdle } from '../sidecar/end-when-idle.ts';
import type { InsideConnection } from '../sidecar/inside-connection.ts';
import type { WithImage } from '../sidecar/with-image.ts';
import { openResident } from './open-resident.ts';
import { whyNoResident } from './why-no-resident.ts';

export interface Residents {
  /**
   * The resident of that user in the container that was authorized, made where there is none. Throws
   * `sidecar-unavailable` where there can be none in this start of the container, and says why.
   */
  open(
    authorization: Authorization<ContainerTarget>,
    facts: ContainerFacts,
    user: SessionUser,
  ): Promise<InsideConnection>;
  /** Holders that never started, or have ended; those that run belong to a gateway. */
  removeLeftovers(): Promise<void>;
  close(): Promise<void>;
}

export interface ResidentsOptions {
  readonly engine: EngineApi;
  readonly withImage: WithImage;
  readonly log: Logger;
  /** Without any stream for so long, a resident ends; 0: there are none. */
  readonly idleMs: number;
}

/** What could not be is not tried again in that start of the container, or for so long. */
const tryAgainAfterMs = 10 * 60_000;
const maxKept = 2_000;

interface Kept {
  readonly startedAt: string;
  readonly opening: Promise<InsideConnection>;
  /** Of the attempt that failed. */
  failedAt: number | undefined;
}

export function createResidents({ engine, withImage, log, idleMs }: ResidentsOptions): Residents {
  const kept = new Map<string, Kept>();
  let closed = false;

  async function start(facts: ContainerFacts, user: SessionUser): Promise<InsideConnection> {
    const [details, shell] = await Promise.all([engine.inspect(facts.id), facts.findProgram(launcherShells)]);
    const reason =
      details.State.StartedAt === facts.startedAt ? whyNoResident(details) : 'the container has started anew';
    if (reason !== undefined) throw new GatewayError('sidecar-unavailable', { reason });
    const gid = await gidOf(engine, facts, user);
    const opened = await withImage((image) =>
      openResident(engine, image, { details, user, gid, shell }, log),
    );
    if (closed) opened.close();
    return opened;
  }

  function keep(key: string, facts: ContainerFacts, user: SessionUser): Kept {
    const opening = start(facts, user);
    const entry: Kept = { startedAt: facts.startedAt, opening, failedAt: undefined };
    kept.delete(key);
    kept.set(key, entry);
    if (kept.size > maxKept) forgetOldest(kept);
    const forget = () => {
      if (kept.get(key) === entry) kept.delete(key);
    };
    opening.then(
      (resident) => {
        resident.onClose(forget);
        endWhenIdle(resident, idleMs);
        if (!resident.isOpen) forget();
      },
      (error) => {
        entry.failedAt = Date.now();
        log.debug({ err: error, container: facts.id, user: user.name }, 'no resident could be started');
      },
    );
    return entry;
  }

  return {
    async open({ target }, facts, user) {
      if (closed) throw new GatewayError('sidecar-unavailable', { reason: 'the gateway is shutting down' });
      if (idleMs === 0)
        throw new GatewayError('sidecar-unavailable', { reason: 'its configuration has none' });
      if (target.id !== facts.id) throw new Error('these are the facts of another container');
      const key = JSON.stringify([facts.id, user.engineUser ?? null]);
      const found = kept.get(key);
      const isUsable =
        found?.startedAt === facts.startedAt &&
        (found.failedAt === undefined || Date.now() - found.failedAt < tryAgainAfterMs);
      const { opening } = isUsable ? found : keep(key, facts, user);
      return opening.catch((error) => {
        if (isGatewayError(error)) throw error;
        const reason = 'its helper program did not start in the container; the gateway log says more';
        throw new GatewayError('sidecar-unavailable', { reason }, { cause: error });
      });
    },
    async removeLeftovers() {
      const left = (await engine.list()).filter(
        ({ Labels, State, Created }) =>
          Labels?.[internalLabel] === 'holder' &&
          State !== 'running' &&
          // Younger ones another gateway may be starting just now.
          Created * 1000 < Date.now() - 60_000,
      );
      await Promise.all(left.map(({ Id }) => engine.remove(Id)));
    },
    async close() {
      closed = true;
      const opening = [...kept.values()].map((entry) => entry.opening);
      await Promise.allSettled(opening.map(async (each) => (await each).close()));
    },
  };
}

/** A failed one, if there is any: what runs is in use, or ends by itself. */
function forgetOldest(kept: Map<string, Kept>): void {
  const failed = [...kept].find(([, { failedAt }]) => failedAt !== undefined);
  if (failed) kept.delete(failed[0]);
}

/** As the engine resolves it for a program that it starts. */
async function gidOf(engine: EngineApi, { id }: ContainerFacts, { group }: SessionUser): Promise<number> {
  if (typeof group === 'number') return group;
  const file = await findContainerFile(engine, id, '/etc/group');
  return findGid(file?.toString() ?? '', group) ?? 0;
}
