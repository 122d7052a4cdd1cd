/** All engines as one. Which engine a container is on is what the container says, never what its id or name would. */
import type { Logger } from 'pino';
import { GatewayError } from '../../errors.ts';
import type { EngineRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import type { EachEngine, JoinedEngine, SilentEngine, Survey } from '../joined-engine.ts';
import type { ContainerEngine, ContainerRef } from '../target.ts';
import { createEngineLink, type EngineLink } from './engine-link.ts';
import { createEngineSet, type EngineSet } from './engine-set.ts';
import { namedFaults } from './named-faults.ts';

export interface JoinedEngineOptions {
  /** The one that the configuration names. */
  readonly own: ContainerEngine;
  readonly store: Pick<Store, 'list' | 'onChange'>;
  /** An engine that is registered; nothing is dialled before it is asked for something. */
  readonly openEngine: (row: EngineRow) => ContainerEngine;
  readonly log: Logger;
}

const lookWithinMs = 1_000;
const patientWithinMs = 5_000;

export function createJoinedEngine({ own, store, openEngine, log }: JoinedEngineOptions): JoinedEngine {
  const set = createEngineSet({
    store,
    log,
    open: (row) => createEngineLink({ name: row.name, engine: openEngine(row), log }),
  });
  let ownLink: EngineLink | undefined;
  // Asked by itself as long as it is the only one: with nobody else to wait for, it may take its time.
  const linkOfOwn = () => {
    ownLink ??= createEngineLink({ name: undefined, engine: own, log });
    return ownLink;
  };

  async function survey({ patient = false } = {}): Promise<Survey> {
    const entries = await set.entries();
    if (entries.length === 0) return surveyOf(own);
    const links = [linkOfOwn(), ...entries.map(({ link }) => link)];
    const withinMs = patient ? patientWithinMs : lookWithinMs;
    const views = await Promise.all(links.map((link) => link.look(withinMs, patient)));
    return {
      containers: views.flatMap((view) => ('fault' in view ? [] : view.containers)),
      silent: views.filter((view): view is SilentEngine => 'fault' in view),
      isHasty: !patient,
    };
  }

  return {
    survey,
    /** Of those that answer; where none does, throws what the configuration's engine would. */
    async list() {
      const { containers, silent } = await survey();
      const mine = silent.find(({ engine }) => engine === undefined);
      if (mine && containers.length === 0) throw mine.fault;
      return containers;
    },
    async findChanges(name) {
      if (name === undefined) return own.openChanges;
      return (await set.entries()).find(({ row }) => row.name === name)?.link.engine.openChanges;
    },
    async statuses() {
      const entries = await set.entries();
      const links = [linkOfOwn(), ...entries.map(({ link }) => link)];
      // Of one that nobody has asked yet there is nothing to tell.
      const unasked = links.filter((link) => link.status().state === 'unknown');
      await Promise.all(unasked.map((link) => link.look(lookWithinMs, false)));
      return links.map((link) => link.status());
    },
    forEachEngine(start) {
      const stopOwn = start(ownOf(own));
      const stopOthers = set.follow(({ row, link }) => start(eachOf(row.name, link)));
      return () => {
        stopOwn();
        stopOthers();
      };
    },
    ...callsOf(own, set),
    async close() {
      await Promise.all([set.close(), ownLink ? ownLink.close() : own.close()]);
    },
  };
}

type Calls = Omit<JoinedEngine, 'survey' | 'list' | 'findChanges' | 'statuses' | 'forEachEngine' | 'close'>;

/** What is done to one container goes to the engine that has it. */
function callsOf(own: ContainerEngine, set: EngineSet): Calls {
  /** Throws container-gone. */
  const find = async ({ engine, id }: ContainerRef) => {
    const found = (await set.entries()).find(({ row }) => row.name === engine);
    if (found) return found;
    throw new GatewayError('container-gone', { name: `${engine}/${id.slice(0, 12)}` });
  };
  /** One that is known to be away is not waited for. */
  const on = async <T>(target: ContainerRef, work: (engine: ContainerEngine) => Promise<T>): Promise<T> => {
    const { engine } = target;
    if (engine === undefined) return work(own);
    const { link } = await find(target);
    link.checkAnswers();
    return namedFaults(engine, () => work(link.engine));
  };
  return {
    ping: () => own.ping(),
    openEvents: (closed) => own.openEvents(closed),
    openChanges: own.openChanges,
    removeLeftovers: () => own.removeLeftovers(),
    start: (container) => on(container, (engine) => engine.start(container)),
    stop: (container) => on(container, (engine) => engine.stop(container)),
    restart: (container) => on(container, (engine) => engine.restart(container)),
    defaultUser: (container) => on(container, (engine) => engine.defaultUser(container)),
    openSession(authorization) {
      const { target } = authorization;
      if (target.engine === undefined) return own.openSession(authorization);
      return async (request, io, context) => {
        const { row } = await find(target);
        if (row.draining) throw new GatewayError('engine-draining', { engine: row.name });
        return on(target, (engine) => engine.openSession(authorization)(request, io, context));
      };
    },
    runScript: (target, script) => on(target, (engine) => engine.runScript(target, script)),
    dialWeb: (leave, options) => on(leave.target, (engine) => engine.dialWeb(leave, options)),
    dial: (leave, destination) => on(leave.target, (engine) => engine.dial(leave, destination)),
    listen: (leave, place, onConnection) =>
      on(leave.target, (engine) => engine.listen(leave, place, onConnection)),
  };
}

/** One engine alone, asked as patiently as it needs. */
export async function surveyOf(engine: Pick<ContainerEngine, 'list'>): Promise<Survey> {
  try {
    return { containers: await engine.list(), silent: [], isHasty: false };
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'engine-unavailable') throw error;
    return {
      containers: [],
      silent: [{ engine: undefined, fault: error, remembered: undefined, isAway: true }],
      isHasty: false,
    };
  }
}

const ownOf = (own: ContainerEngine): EachEngine => ({
  list: () => own.list({ fresh: true }),
  openEvents: (closed) => own.openEvents(closed),
  ping: () => own.ping(),
  owns: (key) => key.startsWith('container:') && !key.includes('/'),
});

const eachOf = (name: string, link: EngineLink): EachEngine => ({
  async list() {
    const view = await link.look(patientWithinMs, true);
    if ('fault' in view) throw view.fault;
    return view.containers;
  },
  openEvents: (closed) => link.engine.openEvents(closed),
  ping: () => link.engine.ping(),
  owns: (key) => key.startsWith(`container:${name}/`),
});
