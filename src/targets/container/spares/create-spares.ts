/** The spares of one gateway: one per start of a container and user, where a terminal was opened just now. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Authorization } from '../../../auth/authorization.ts';
import type { ContainerTarget } from '../../target.ts';
import type { ContainerFacts } from '../container-facts.ts';
import type { EngineApi } from '../engine-api.ts';
import type { SessionPlan } from '../session-plan.ts';
import { openSpare, type Spare, type StartedExec } from './open-spare.ts';
import { mayHaveSpares } from './spare-script.ts';

export interface Spares {
  /**
   * A spare that has begun to become what the plan launches in the container that was authorized; another is made
   * in its place. Undefined: there is none, or it could not, and the plan has not been begun.
   */
  take(
    authorization: Authorization<ContainerTarget>,
    facts: ContainerFacts,
    plan: SessionPlan,
  ): Promise<StartedExec | undefined>;
  /** Ends those that wait. */
  close(): Promise<void>;
}

export interface SparesOptions {
  readonly engine: EngineApi;
  readonly log: Logger;
  /** Without a new terminal for so long a spare ends; 0: there are none. */
  readonly idleMs: number;
}

interface Kept {
  /** Undefined where none is being made, and none waits. */
  opening: Promise<Spare | undefined> | undefined;
  /** The one that waits. */
  ready: Spare | undefined;
  /** When there may be another, if it could not be made. */
  failedUntil: number;
  idle: NodeJS.Timeout | undefined;
}

/** Over all containers: each is a program that waits, and a connection to the engine. */
const maxKept = 200;
/** Not in the way of the session that has just begun. */
const preparesAfterMs = 50;
const closeWithinMs = 2_000;
const tryAgainAfterMs = 10 * 60_000;
/** Where so few are allowed, none is ours. */
const leastPids = 64;

export function createSpares({ engine, log, idleMs }: SparesOptions): Spares {
  const leaving = createLeaving();
  const kept = new Map<string, Kept>();
  const prepare = createPreparing(engine, log);
  let closed = false;

  const forget = (key: string) => {
    const entry = kept.get(key);
    kept.delete(key);
    clearTimeout(entry?.idle);
    leaving.add(entry?.opening);
  };

  function noteUse(key: string, facts: ContainerFacts, plan: SessionPlan): Kept {
    const entry = kept.get(key) ?? { opening: undefined, ready: undefined, failedUntil: 0, idle: undefined };
    clearTimeout(entry.idle);
    kept.delete(key);
    kept.set(key, entry);
    entry.idle = setTimeout(forget, idleMs, key);
    entry.idle.unref();
    if (kept.size > maxKept) forget(kept.keys().next().value as string);
    const isWanted = () => !closed && kept.get(key) === entry;
    setTimeout(() => isWanted() && prepare(entry, facts, plan, () => !closed), preparesAfterMs).unref();
    return entry;
  }

  return {
    async take({ target }, facts, plan) {
      if (target.id !== facts.id) throw new Error('these are the facts of another container');
      const isPossible = plan.tty && plan.launch.marker !== undefined && mayHaveSpares(facts.env);
      if (closed || idleMs === 0 || !isPossible) return undefined;
      const key = JSON.stringify([facts.id, facts.startedAt, plan.user.engineUser ?? null, plan.signalShell]);
      const entry = noteUse(key, facts, plan);
      const spare = entry.ready;
      if (!spare) return undefined;
      entry.opening = undefined;
      entry.ready = undefined;
      return spare.become(plan.env, plan.launch.argv);
    },
    async close() {
      closed = true;
      for (const key of [...kept.keys()]) forget(key);
      // One that comes up later hears nothing, and ends.
      await Promise.race([leaving.all(), pause(closeWithinMs, undefined, { ref: false })]);
    },
  };
}

/** Opens a spare for whoever has just been served, where there is none. */
const createPreparing =
  (engine: EngineApi, log: Logger) =>
  (entry: Kept, facts: ContainerFacts, plan: SessionPlan, isWanted: () => boolean): void => {
    if (entry.opening || entry.failedUntil > performance.now()) return;
    const opening = open(engine, facts, plan, isWanted).catch((error) => {
      log.debug({ err: error, container: facts.id, user: plan.user.name }, 'no spare could be made');
      entry.failedUntil = performance.now() + tryAgainAfterMs;
      return undefined;
    });
    const clear = () => {
      if (entry.opening !== opening) return;
      entry.opening = undefined;
      entry.ready = undefined;
    };
    entry.opening = opening;
    void opening.then((spare) => {
      if (!spare?.isOpen) return clear();
      entry.ready = spare;
      spare.onClose(clear);
    });
  };

async function open(
  engine: EngineApi,
  facts: ContainerFacts,
  { user, signalShell: shell }: SessionPlan,
  isWanted: () => boolean,
): Promise<Spare | undefined> {
  const { State, HostConfig } = await engine.inspect(facts.id);
  const { PidsLimit } = HostConfig;
  const isTight = PidsLimit ? PidsLimit > 0 && PidsLimit < leastPids : false;
  if (State.StartedAt !== facts.startedAt || isTight || !shell || !isWanted()) return undefined;
  return openSpare(engine, { containerId: facts.id, engineUser: user.engineUser, shell });
}

/** Those that end, so that somebody can wait for them. */
function createLeaving() {
  const leaving = new Set<Promise<void>>();
  return {
    add(spare: Promise<Spare | undefined> | undefined): void {
      const gone: Promise<void> = Promise.resolve(spare)
        .then((each) => each?.close())
        .finally(() => leaving.delete(gone));
      leaving.add(gone);
    },
    all: () => Promise.all(leaving),
  };
}
