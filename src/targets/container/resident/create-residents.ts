/** The residents of one gateway: one per start of a container and user, made when needed, ended when nobody needs it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Authorization } from '../../../auth/authorization.ts';
import { GatewayError, isGatewayError } from '../../../errors.ts';
import type { ContainerTarget } from '../../target.ts';
import { findContainerFile } from '../archive-file.ts';
import type { ContainerFacts } from '../container-facts.ts';
import type { EngineApi } from '../engine-api.ts';
import { findGid, type SessionUser } from '../passwd.ts';
import { launcherShells } from '../session-plan.ts';
import { createLeft, endWhenIdle } from '../sidecar/end-when-idle.ts';
import type { InsideConnection } from '../sidecar/inside-connection.ts';
import type { WithImage } from '../sidecar/with-image.ts';
import { openResident } from './open-resident.ts';
import { rememberedFacts } from './remembered-facts.ts';
import { findWhyNoResident } from './why-no-resident.ts';

export interface Resident {
  readonly inside: InsideConnection;
  /** Whether programs begin through it: false once it has said that it cannot make pipes for them. */
  readonly startsPrograms: boolean;
  /** The limit of open files that programs have there, as `ulimit -S -n` says it; empty: not known. */
  readonly openFiles: string;
  /** Of this start of the container: as long as the resident is there, it has not stopped. */
  readonly facts: ContainerFacts;
}

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
  /** The one that was opened for the same target and user, if it is still there. */
  findReady(authorization: Authorization<ContainerTarget>): Resident | undefined;
  /** Nothing new begins through it; it ends when what it has begun is over. `againInMs`: when there may be another. */
  retire(resident: Pick<Resident, 'inside'>, againInMs: number): void;
  /** No program begins through it any more; it is there for files and sockets. */
  startNone(resident: Resident): void;
  /** Ends what still runs through them. */
  close(): Promise<void>;
}

export interface ResidentsOptions {
  readonly engine: EngineApi;
  readonly withImage: WithImage;
  readonly log: Logger;
  /** Without any stream for so long, a resident ends; 0: there are none. */
  readonly idleMs: number;
}

/** How long one may be silent where another way leads on, and for how long none is asked then. */
export const answersWithinMs = 1_000;
export const againAfterSilenceMs = 60_000;
/** What could not be is not tried again in that start of the container, or for so long. */
const tryAgainAfterMs = 10 * 60_000;
const maxKept = 2_000;
const closeWithinMs = 10_000;

interface Kept {
  readonly startedAt: string;
  readonly opening: Promise<Resident>;
  ready: Resident | undefined;
  /** When it has failed, there may be another from then on. */
  failedUntil: number | undefined;
}

export function createResidents(options: ResidentsOptions): Residents {
  const { idleMs } = options;
  const { kept, keep, retire, isClosed, close } = createKeeper(options);

  return {
    async open({ target, user: requested }, facts, user) {
      if (isClosed()) throw unavailable('the gateway is shutting down');
      if (idleMs === 0) throw unavailable('the operator has turned them off');
      if (target.id !== facts.id) throw new Error('these are the facts of another container');
      const key = keyOf(target, requested);
      const found = kept.get(key);
      const isLate = (found?.failedUntil ?? Number.POSITIVE_INFINITY) < performance.now();
      if (found?.ready?.inside.isWorn && found.failedUntil === undefined) retire(found.ready, 0);
      const isDead =
        found?.failedUntil === undefined && (found?.ready?.inside.isOpen === false || !kept.has(key));
      const isUsable = found?.startedAt === facts.startedAt && !isLate && !isDead;
      const { opening, ready, failedUntil } = isUsable ? found : keep(key, facts, user);
      if (ready && failedUntil !== undefined) throw unavailable('it did not answer a moment ago');
      const resident = await opening.catch((error) => {
        if (isGatewayError(error)) throw error;
        throw unavailable(
          'its helper program did not start in the container; the gateway log says more',
          error,
        );
      });
      return resident.inside;
    },
    findReady({ target, user }) {
      const found = kept.get(keyOf(target, user));
      if (!found?.ready?.inside.isOpen || found.failedUntil !== undefined) return undefined;
      if (found.ready.inside.isWorn) {
        retire(found.ready, 0);
        return undefined;
      }
      return found.ready;
    },
    retire,
    startNone(resident) {
      for (const entry of kept.values())
        if (entry.ready?.inside === resident.inside) entry.ready = { ...resident, startsPrograms: false };
    },
    close,
  };
}

/** One for each container and user, as long as it is of use. */
function createKeeper(options: ResidentsOptions) {
  const { log, idleMs } = options;
  const kept = new Map<string, Kept>();
  const left = createLeft(idleMs);
  let closed = false;

  function keep(key: string, facts: ContainerFacts, user: SessionUser): Kept {
    const opening = start(options, facts, user);
    const entry: Kept = { startedAt: facts.startedAt, opening, ready: undefined, failedUntil: undefined };
    kept.delete(key);
    kept.set(key, entry);
    if (kept.size > maxKept) forgetOldest(kept);
    const forget = () => {
      if (kept.get(key) === entry && entry.failedUntil === undefined) kept.delete(key);
    };
    opening.then(
      (resident) => {
        entry.ready = resident;
        if (closed) resident.inside.close();
        resident.inside.onClose(forget);
        endWhenIdle(resident.inside, idleMs);
        if (!resident.inside.isOpen) forget();
      },
      (error) => {
        entry.failedUntil = performance.now() + tryAgainAfterMs;
        log.debug({ err: error, container: facts.id, user: user.name }, 'no resident could be started');
      },
    );
    return entry;
  }

  function retire(resident: Pick<Resident, 'inside'>, againInMs: number): void {
    for (const [key, entry] of kept) {
      if (entry.ready?.inside !== resident.inside) continue;
      if (againInMs > 0) entry.failedUntil = performance.now() + againInMs;
      else kept.delete(key);
      // Or one session after the other could leave another behind.
      left.leave(resident.inside);
    }
  }

  return {
    kept,
    keep,
    retire,
    isClosed: () => closed,
    async close() {
      closed = true;
      const opening = [...kept.values()].map((entry) => entry.opening);
      await Promise.allSettled([
        ...opening.map(async (each) => end((await each).inside)),
        ...[...left.all].map(end),
      ]);
    },
  };
}

async function start(
  { engine, withImage, log }: ResidentsOptions,
  facts: ContainerFacts,
  user: SessionUser,
): Promise<Resident> {
  const [details, shell, gid] = await Promise.all([
    engine.inspect(facts.id),
    facts.findProgram(launcherShells),
    gidOf(engine, facts, user),
  ]);
  const reason =
    details.State.StartedAt === facts.startedAt
      ? await findWhyNoResident(engine, details)
      : 'the container has started anew';
  if (reason !== undefined) throw new GatewayError('sidecar-unavailable', { reason });
  const opened = await withImage((image) => openResident(engine, image, { details, user, gid, shell }, log));
  return { ...opened, startsPrograms: true, facts: rememberedFacts(facts) };
}

const keyOf = ({ id }: ContainerTarget, requested: string | undefined) =>
  JSON.stringify([id, requested ?? null]);

const unavailable = (reason: string, cause?: unknown) =>
  new GatewayError('sidecar-unavailable', { reason }, { cause });

async function end(inside: InsideConnection): Promise<void> {
  if (inside.isOpen) {
    const hungUp = inside.ask('/hang-up').catch(() => {});
    await Promise.race([hungUp, pause(closeWithinMs, undefined, { ref: false })]);
  }
  inside.close();
}

/** A failed one, if there is any: what runs is in use, or ends by itself. */
function forgetOldest(kept: Map<string, Kept>): void {
  const failed = [...kept].find(([, { failedUntil }]) => failedUntil !== undefined);
  if (failed) kept.delete(failed[0]);
}

/** As the engine resolves it for a program that it starts. */
async function gidOf(engine: EngineApi, { id }: ContainerFacts, { group }: SessionUser): Promise<number> {
  if (typeof group === 'number') return group;
  const file = await findContainerFile(engine, id, '/etc/group');
  return findGid(file?.toString() ?? '', group) ?? 0;
}
