/** One engine among several: what it last listed, and whether it answers; whoever asks waits for none that is known not to. */
import type { Logger } from 'pino';
import { GatewayError, isGatewayError } from '../../errors.ts';
import { unlessAborted } from '../../platform/unless-aborted.ts';
import type { EngineStatus, SilentEngine } from '../joined-engine.ts';
import type { ContainerEngine, ContainerTarget } from '../target.ts';
import { named } from './named-faults.ts';
import { soundTargets } from './sound-targets.ts';

export interface EngineLink {
  readonly engine: ContainerEngine;
  /** Waits so long for an engine that is believed to answer, and where `patient` for a slow one, too. */
  look(withinMs: number, patient: boolean): Promise<EngineView>;
  status(): EngineStatus;
  /** Throws engine-unavailable at once where it is known to be away. */
  checkAnswers(): void;
  close(): Promise<void>;
}

export type EngineView = { readonly containers: readonly ContainerTarget[] } | SilentEngine;

export interface EngineLinkOptions {
  /** Unset: the one that the configuration names, whose containers keep their names. */
  readonly name: string | undefined;
  readonly engine: ContainerEngine;
  readonly log: Logger;
  /** How often one that answers is asked. */
  readonly heartbeatMs?: number;
  /** From the first pause between attempts to the longest. */
  readonly pausesMs?: { readonly first: number; readonly longest: number };
}

const inTime = Symbol('in time');
/** Slow until then, and away from then on. */
const answerWithinMs = 10_000;

export function createEngineLink(options: EngineLinkOptions): EngineLink {
  const { name, engine, log, heartbeatMs = 15_000, pausesMs = { first: 500, longest: 15_000 } } = options;
  let state: EngineStatus['state'] = 'unknown';
  let since = new Date().toISOString();
  let fault: GatewayError | undefined;
  let known: readonly ContainerTarget[] | undefined;
  let pauseMs = pausesMs.first;
  let asked = 0;
  let answered = 0;
  let next: NodeJS.Timeout | undefined;
  let isClosed = false;

  const become = (now: EngineStatus['state'], why: GatewayError | undefined) => {
    fault = why;
    if (now === state) return;
    const facts = { engine: name ?? 'default', ...(why ? { err: why } : {}) };
    if (now === 'up') log.info(facts, 'the engine answers');
    else log.warn(facts, 'the engine does not answer');
    if (now === 'up' && known === undefined && name !== undefined) tidy();
    state = now;
    since = new Date().toISOString();
  };
  const tidy = () =>
    engine.removeLeftovers().catch((error) => log.debug({ err: error }, 'leftovers were not removed'));
  const schedule = () => {
    clearTimeout(next);
    if (isClosed) return;
    const isUp = state === 'up';
    next = setTimeout(probe, isUp ? heartbeatMs : pauseMs).unref();
    pauseMs = isUp ? pausesMs.first : Math.min(pauseMs * 2, pausesMs.longest);
  };
  // A list may be one that was kept.
  const probe = () => void ask({ first: () => engine.ping() }).finally(schedule);

  /** Never rejects. What was asked before the last answer was, tells nothing new. */
  async function ask({ first = async () => {}, fresh = false } = {}): Promise<void> {
    const mine = ++asked;
    try {
      const answer = first().then(() => engine.list({ fresh }));
      const listed = await unlessAborted(answer, AbortSignal.timeout(answerWithinMs));
      const containers = name === undefined ? listed : remembered(name, listed);
      if (mine < answered || isClosed) return;
      answered = mine;
      become('up', undefined);
      known = containers;
    } catch (error) {
      if (mine < answered || isClosed) return;
      answered = mine;
      const wasUp = state === 'up' || state === 'unknown';
      become('away', asFault(error, name));
      // Else the next beat would be the first to see it again.
      if (wasUp) schedule();
    }
  }

  const views = (): EngineView => {
    if (state === 'up' && known) return { containers: known };
    const why = fault ?? silent(name);
    return { engine: name, fault: why, remembered: known, isAway: state === 'away' };
  };

  probe();
  return {
    engine,
    async look(withinMs, patient) {
      if (state === 'away' || (state === 'slow' && !patient)) return views();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, withinMs);
      });
      const first = await Promise.race([ask({ fresh: patient }).then(() => inTime), late]);
      clearTimeout(timer);
      if (first !== inTime && (state === 'up' || state === 'unknown')) {
        become('slow', silent(name));
        schedule();
      }
      return views();
    },
    status: () => ({ name, state, since, fault, containers: known?.length }),
    checkAnswers() {
      if (state === 'away') throw fault ?? silent(name);
    },
    async close() {
      isClosed = true;
      clearTimeout(next);
      await engine.close();
    },
  };
}

const silent = (engine: string | undefined) =>
  new GatewayError('engine-unavailable', { reason: 'no answer in time', ...(engine ? { engine } : {}) });

function asFault(error: unknown, engine: string | undefined): GatewayError {
  if (isGatewayError(error)) return named(error, engine);
  if ((error as Error | undefined)?.name === 'TimeoutError') return silent(engine);
  const facts = { reason: 'its answer makes no sense', ...(engine ? { engine } : {}) };
  return new GatewayError('engine-unavailable', facts, { cause: error });
}

const soundOf = new WeakMap<readonly ContainerTarget[], readonly ContainerTarget[]>();

/** Of a list that is asked for again and again: once for each. */
function remembered(engine: string, listed: readonly ContainerTarget[]): readonly ContainerTarget[] {
  const sound = soundOf.get(listed) ?? soundTargets(engine, listed);
  soundOf.set(listed, sound);
  return sound;
}
