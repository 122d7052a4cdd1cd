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

/** Slow until then, and away from then on. */
const answerWithinMs = 10_000;

export function createEngineLink(options: EngineLinkOptions): EngineLink {
  const { engine, heartbeatMs = 15_000, pausesMs = { first: 500, longest: 15_000 } } = options;
  const knowledge = createKnowledge(options);
  let pauseMs = pausesMs.first;
  let next: NodeJS.Timeout | undefined;
  let isClosed = false;

  const schedule = () => {
    clearTimeout(next);
    if (isClosed) return;
    const { isUp } = knowledge;
    next = setTimeout(probe, isUp ? heartbeatMs : pauseMs).unref();
    pauseMs = isUp ? pausesMs.first : Math.min(pauseMs * 2, pausesMs.longest);
  };
  // A list may be one that was kept.
  const probe = () => void ask({ first: () => engine.ping() }).finally(schedule);

  /** Never rejects. */
  async function ask({ first = async () => {}, fresh = false } = {}): Promise<void> {
    const learn = knowledge.begin();
    const { isBelieved } = knowledge;
    try {
      const answer = first().then(() => engine.list({ fresh }));
      learn(await unlessAborted(answer, AbortSignal.timeout(answerWithinMs)));
    } catch (error) {
      // Of one that is closed nobody wants to know.
      if (!isClosed) learn(asFault(error, options.name));
    }
    // Else the next beat would be the first to see it again.
    if (isBelieved && !knowledge.isUp) schedule();
  }

  probe();
  return {
    engine,
    async look(withinMs, patient) {
      if (!knowledge.isBelieved && !(patient && knowledge.isSlow)) return knowledge.view();
      if (!(await isInTime(ask({ fresh: patient }), withinMs)) && knowledge.isBelieved) {
        knowledge.slow();
        schedule();
      }
      return knowledge.view();
    },
    status: () => knowledge.status(),
    checkAnswers() {
      const view = knowledge.view();
      if ('fault' in view && view.isAway) throw view.fault;
    },
    async close() {
      isClosed = true;
      clearTimeout(next);
      await engine.close();
    },
  };
}

/** What was last heard of one engine. */
function createKnowledge({ name, engine, log }: EngineLinkOptions) {
  let state: EngineStatus['state'] = 'unknown';
  let since = new Date().toISOString();
  let fault: GatewayError | undefined;
  let known: readonly ContainerTarget[] | undefined;
  let asked = 0;
  let answered = 0;

  const become = (now: EngineStatus['state'], why: GatewayError | undefined) => {
    fault = why;
    if (now === state) return;
    const facts = { engine: name ?? 'default', ...(why ? { err: why } : {}) };
    if (now === 'up') log.info(facts, 'the engine answers');
    else if (state === 'up' || state === 'unknown') log.warn(facts, 'the engine does not answer');
    state = now;
    since = new Date().toISOString();
  };
  const learned = (listed: readonly ContainerTarget[]) => {
    // What makes no sense is no answer.
    const sound = name === undefined ? listed : soundOnce(name, listed);
    become('up', undefined);
    // What a gateway left there that ended badly; of the configuration's engine whoever opened it sees to that.
    if (known === undefined && name !== undefined) {
      engine.removeLeftovers().catch((error) => log.debug({ err: error }, 'leftovers were not removed'));
    }
    known = sound;
  };
  return {
    get isUp() {
      return state === 'up';
    },
    get isSlow() {
      return state === 'slow';
    },
    /** Not known to be slow or away. */
    get isBelieved() {
      return state === 'up' || state === 'unknown';
    },
    /** Returns what takes the answer; what was asked before the last answer was, tells nothing new. */
    begin() {
      const mine = ++asked;
      return (answer: readonly ContainerTarget[] | GatewayError) => {
        if (mine < answered) return;
        answered = mine;
        if (answer instanceof GatewayError) become('away', answer);
        else learned(answer);
      };
    },
    slow: () => become('slow', silent(name)),
    view(): EngineView {
      if (state === 'up' && known) return { containers: known };
      return { engine: name, fault: fault ?? silent(name), remembered: known, isAway: state === 'away' };
    },
    status: (): EngineStatus => ({ name, state, since, fault, containers: known?.length }),
  };
}

async function isInTime(work: Promise<void>, withinMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, withinMs, false);
  });
  return Promise.race([work.then(() => true), late]).finally(() => clearTimeout(timer));
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
function soundOnce(engine: string, listed: readonly ContainerTarget[]): readonly ContainerTarget[] {
  const sound = soundOf.get(listed) ?? soundTargets(engine, listed);
  soundOf.set(listed, sound);
  return sound;
}
