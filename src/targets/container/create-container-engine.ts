/** The ContainerEngine port over the Docker Engine's API. */
import { hostname } from 'node:os';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { createEnvFilter } from '../../config/accept-env.ts';
import { GatewayError } from '../../errors.ts';
import type { Meter } from '../../metrics/meter.ts';
import type { SessionEnd, SessionHandler, SessionIo } from '../../sessions/session.ts';
import type { OpenChanges } from '../changes.ts';
import type { ContainerEngine, ContainerRef } from '../target.ts';
import { openEvents } from './container-events.ts';
import { createContainerFactsSource } from './container-facts.ts';
import { findSelfId, rememberedTargets } from './container-list.ts';
import { dialWeb, fromInside } from './dial-web.ts';
import { createEndingWatch } from './ending-watch.ts';
import { parseEngineAddress } from './engine-address.ts';
import { createEngineApi, type EngineApi } from './engine-api.ts';
import { engineStatus, translateEngineError } from './engine-errors.ts';
import type { ExecParts } from './exec-session.ts';
import { createFollowedList } from './followed-list.ts';
import { createHangups } from './hangup.ts';
import { measuredApi } from './measured-api.ts';
import { createNetworkModes } from './network-modes.ts';
import { startOrUnpause } from './paused.ts';
import { createChooseResident } from './resident/choose-resident.ts';
import { createResidents } from './resident/create-residents.ts';
import { createSockets } from './resident/open-sockets.ts';
import { runScript } from './run-script.ts';
import { createSessionHandler } from './session-in.ts';
import type { PlanRules } from './session-plan.ts';
import { shareChanges } from './shared-changes.ts';
import { createSidecars } from './sidecar/create-sidecars.ts';
import { removeLeftovers } from './sidecar/remove-leftovers.ts';
import { createWithImage } from './sidecar/with-image.ts';
import { createSignaller } from './signaller.ts';
import { createSpares } from './spares/create-spares.ts';
import { createWatchedList } from './watched-list.ts';

export interface ContainerEngineOptions {
  /** `unix:///path` or `tcp://host:port`; undefined: DOCKER_HOST, else unix:///var/run/docker.sock. */
  readonly docker: string | undefined;
  /** In its place: connects to an engine whose answers are a stranger's, perhaps on another machine. */
  readonly dial?: () => Promise<Duplex>;
  /** Patterns as in sshd_config's AcceptEnv. */
  readonly acceptEnv: readonly string[];
  /** From HUP to TERM, for what a client that is gone leaves behind. */
  readonly hangupGraceMs: number;
  readonly log: Logger;
  /** Id of the container the gateway runs in, or the beginning of it; default: told by the host name. */
  readonly selfId?: string | undefined;
  /** Words of a command line, for images without a shell. Default: at blanks. */
  readonly splitWords?: (line: string) => readonly string[];
  /** Without any forward for so long, a container's sidecar ends. Default: five minutes. */
  readonly sidecarIdleMs?: number;
  /** The same for what starts programs in a container without a `docker exec` each, terminals too. Default: a minute. */
  readonly residentIdleMs?: number;
  /** How often a container where something runs is looked at, should its end never be told. Default: 15 s. */
  readonly looksEveryMs?: number;
  /** Whether sessions begin through it. Default: true. */
  readonly prepares?: boolean;
  /** Told of each call of the engine's API, and of each program's start. */
  readonly meter?: Pick<Meter, 'engineCalled' | 'programStarted'>;
  /** Told of each program that would outlive this process, as plain data; calls what it returns when that has ended. */
  readonly onProgram?: ((program: unknown) => () => void) | undefined;
  /** Where another process follows the engine for this one: what is opened in the place of this one's own stream. */
  readonly followChanges?: ((own: OpenChanges) => OpenChanges) | undefined;
}

const closeWithinMs = 10_000;

/** Nothing is dialled, and the client library not loaded, before the first call. Throws `invalid-config`. */
export function createContainerEngine(options: ContainerEngineOptions): ContainerEngine {
  const { dial, meter } = options;
  const engine = openApi(options);
  const { parts, hangups, sidecars, residents, spares, sockets, choose } = createInside(engine, options);
  const rules: PlanRules = {
    isAcceptedEnv: (name) => createEnvFilter(options.acceptEnv)(name),
    splitWords: options.splitWords ?? ((line) => line.split(/[ \t]+/).filter(Boolean)),
  };
  const sessions = createRunningSessions();
  const { changes, containers, targets, act } = createListed(engine, options);
  return {
    async list(listOptions) {
      const summaries = await containers.get(listOptions).catch((error) => {
        throw translateEngineError(error);
      });
      return targets(summaries);
    },
    async ping() {
      await engine.ping().catch((error) => {
        throw translateEngineError(error);
      });
    },
    start: act('start'),
    stop: act('stop'),
    restart: act('restart'),
    defaultUser: ({ id, name }) => parts.facts.getDefaultUser(id, name),
    openSession: (authorization) =>
      sessions.wrap(
        createSessionHandler(authorization, { ...parts, residents, choose, spares, meter }, rules),
      ),
    runScript: (target, script) => runScript(parts, sessions.track, target, script),
    openEvents: (closed) => openEvents(engine, closed),
    openChanges: changes.open,
    dialWeb: (authorization, dialOptions) => {
      const inside = dial && fromInside((place) => sidecars.dial(authorization, place));
      return dialWeb(engine, authorization, dialOptions, inside);
    },
    dial: async (authorization, destination) =>
      'host' in destination
        ? sidecars.dial(authorization, destination)
        : sockets.dial(authorization, destination),
    listen: async (authorization, place, onConnection) =>
      'host' in place
        ? sidecars.listen(authorization, place, onConnection)
        : sockets.listen(authorization, place, onConnection),
    removeLeftovers: () => removeLeftovers(engine),
    async close() {
      changes.close();
      await sidecars.close();
      await sessions.end();
      await Promise.all([hangups.close(closeWithinMs), residents.close(), spares.close()]);
      containers.close();
      engine.close();
    },
  };
}

function openApi({ docker, dial, meter }: ContainerEngineOptions): EngineApi {
  const api = createEngineApi(
    dial ? { kind: 'dialled', dial } : parseEngineAddress(docker, process.env['DOCKER_HOST']),
  );
  return meter ? measuredApi(api, meter) : api;
}

/** What sessions and forwards go by, in containers and beside them. */
function createInside(engine: EngineApi, options: ContainerEngineOptions) {
  const { log, sidecarIdleMs: idleMs, residentIdleMs = 60_000, prepares = true } = options;
  const signaller = createSignaller(engine);
  const hangups = createHangups(signaller, options, log);
  const facts = createContainerFactsSource(engine);
  const endings = createEndingWatch(facts, options.looksEveryMs ?? 15_000);
  const parts: ExecParts = { engine, facts, signaller, hangups, endings, onProgram: options.onProgram };
  const withImage = createWithImage(engine);
  const residents = createResidents({ engine, withImage, log, idleMs: residentIdleMs });
  return {
    parts,
    hangups,
    residents,
    sidecars: createSidecars({ engine, withImage, log, ...(idleMs === undefined ? {} : { idleMs }) }),
    spares: createSpares({ engine, log, idleMs: prepares ? residentIdleMs : 0 }),
    sockets: createSockets({ residents, facts, log }),
    choose: createChooseResident(residents, prepares),
  };
}

/** The list of containers, and what changes it. */
function createListed(engine: EngineApi, { dial, selfId, followChanges }: ContainerEngineOptions) {
  const withModes = createNetworkModes(engine);
  const changes = shareChanges((closed) => engine.openChanges(closed));
  const listed = {
    list: async () => withModes(await engine.list()),
    openChanges: followChanges?.(changes.open) ?? changes.open,
  };
  const containers = dial ? createFollowedList(listed) : createWatchedList(listed);
  const act =
    (verb: 'start' | 'stop' | 'restart') =>
    async ({ id }: ContainerRef) => {
      try {
        await (verb === 'start' ? startOrUnpause(engine, id) : engine[verb](id));
      } catch (error) {
        if (engineStatus(error) === 404) throw new GatewayError('container-gone', { name: id.slice(0, 12) });
        throw translateEngineError(error);
      } finally {
        containers.forget();
      }
    };
  return {
    changes,
    containers,
    targets: rememberedTargets(dial ? undefined : (selfId ?? findSelfId(hostname()))),
    act,
  };
}

const withClosed = (io: SessionIo, closed: AbortSignal): SessionIo => ({
  stdin: io.stdin,
  stdout: io.stdout,
  stderr: io.stderr,
  onWindowChange: (listener) => io.onWindowChange(listener),
  onSignal: (listener) => io.onSignal(listener),
  closed,
});

/** So that closing the engine ends what runs, as if every client had gone. */
function createRunningSessions() {
  const running = new Map<AbortController, Promise<unknown>>();
  const track = async (io: SessionIo, start: (io: SessionIo) => Promise<SessionEnd>) => {
    const ending = new AbortController();
    const follow = () => ending.abort();
    if (io.closed.aborted) follow();
    io.closed.addEventListener('abort', follow, { once: true });
    const ended = start(withClosed(io, ending.signal));
    running.set(ending, ended);
    try {
      return await ended;
    } finally {
      running.delete(ending);
      io.closed.removeEventListener('abort', follow);
    }
  };
  return {
    track,
    wrap:
      (handler: SessionHandler): SessionHandler =>
      (request, io, context) =>
        track(io, (tracked) => handler(request, tracked, context)),
    async end() {
      const ending = [...running];
      for (const [controller] of ending) controller.abort();
      await Promise.allSettled(ending.map(([, ended]) => ended));
    },
  };
}
