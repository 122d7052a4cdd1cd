/** How each call is made by dockerode; whoever makes them gives `call`, which bounds them in time. */
import type { Duplex, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { ownEvents } from '../../platform/fault-owner.ts';
import { parseUsage } from './container-usage.ts';
import type { EngineApi, ExecOptions, PathStat } from './engine-api.ts';
import { engineStatus } from './engine-errors.ts';

/** A stop waits for the container's own grace, which its image may have made long. */
const lifecycleWithinMs = 120_000;
/** 130 MB, perhaps over a network. */
const importWithinMs = 300_000;

/**
 * On a tty the engine watches typed bytes for its "detach" keys, Ctrl-P Ctrl-Q by default, and holds
 * Ctrl-P back until the next key. It cannot be turned off: so a sequence nobody types.
 */
const detachKeys = Array.from({ length: 24 }, (_, at) => (at % 2 ? 'ctrl-_' : 'ctrl-^')).join(',');

/** What is asked of the engine has an answer within `withinMs`, by default as long as the API was told. */
export type Call = <T>(
  run: (client: Docker, abortSignal: AbortSignal) => Promise<T>,
  withinMs?: number,
) => Promise<T>;

type EngineCalls = 'ping' | 'architecture' | 'openEvents' | 'openChanges';

export const engineCalls = (call: Call): Pick<EngineApi, EngineCalls> => ({
  ping: () => call((client, abortSignal) => ping(client, abortSignal)),
  architecture: async () => (await call((client) => client.version())).Arch,
  openEvents: openStream(call, watched),
  openChanges: openStream(call, changing),
});

type ContainerCalls =
  | 'list'
  | 'inspect'
  | 'usage'
  | 'start'
  | 'unpause'
  | 'stop'
  | 'restart'
  | 'createContainer'
  | 'attach'
  | 'remove';

/** The client's own call sends its options once more as a body, and Podman gives that to the program's stdin. */
function attach(client: Docker, id: string, abortSignal: AbortSignal): Promise<Duplex> {
  const request = {
    path: `/containers/${encodeURIComponent(id)}/attach?`,
    method: 'POST',
    options: { stream: true, stdin: true, stdout: true, stderr: true },
    // No body: but for these no bytes, the request would wait for the first.
    file: Buffer.alloc(0),
    ...{ abortSignal, isStream: true, hijack: true, openStdin: true },
    statusCodes: {
      200: true,
      404: 'no such container',
      409: 'it cannot be attached to',
      500: 'server error',
    },
  };
  return new Promise((resolve, reject) => {
    client.modem.dial(request, (error, stream) => (error ? reject(error) : resolve(stream as Duplex)));
  });
}

export function containerCalls(call: Call): Pick<EngineApi, ContainerCalls> {
  const lifecycle = (verb: 'start' | 'unpause' | 'stop' | 'restart') => async (id: string) => {
    // The types of the calls' options differ; that they take a signal does not.
    const act = async (client: Docker, abortSignal: AbortSignal) =>
      (client.getContainer(id)[verb] as (options: object) => Promise<unknown>)({ abortSignal });
    await call(act, lifecycleWithinMs).catch(ignoreStatus(304));
  };
  return {
    list: () => call((client, abortSignal) => client.listContainers({ all: true, abortSignal })),
    inspect: (id) => call((client, abortSignal) => client.getContainer(id).inspect({ abortSignal })),
    // Else it would look twice, a second apart.
    usage: (id) =>
      call(async (client) =>
        parseUsage(await client.getContainer(id).stats({ stream: false, 'one-shot': true })),
      ),
    start: lifecycle('start'),
    unpause: lifecycle('unpause'),
    stop: lifecycle('stop'),
    restart: lifecycle('restart'),
    createContainer: (options) =>
      call(
        async (client, abortSignal) => (await client.createContainer({ ...options, abortSignal })).id,
        lifecycleWithinMs,
      ),
    attach: async (id) => owned(await call((client, abortSignal) => attach(client, id, abortSignal))),
    remove: async (id) =>
      void (await call((client, abortSignal) =>
        client.getContainer(id).remove({ force: true, v: true, abortSignal }),
      ).catch(ignoreStatus(404, 409))),
  };
}

export const fileCalls = (call: Call, readWithinMs: number): Pick<EngineApi, 'findPath' | 'findArchive'> => ({
  findPath: (id, path) =>
    call((client, abortSignal) => findPath(client, id, path, abortSignal)).catch(undefinedFor404),
  findArchive: (id, path) =>
    call(async (client, answerSignal) => {
      // What is read after the answer has an end, too.
      const abortSignal = AbortSignal.any([answerSignal, AbortSignal.timeout(readWithinMs)]);
      return (await client.getContainer(id).getArchive({ path, abortSignal })) as Readable;
    }).catch(undefinedFor404),
});

type ExecCalls = 'createExec' | 'startExec' | 'findExitStatus' | 'resizeExec';

export const execCalls = (call: Call): Pick<EngineApi, ExecCalls> => ({
  createExec: (id, options) => call((client, abortSignal) => createExec(client, id, options, abortSignal)),
  startExec: (id, tty) =>
    call((client, abortSignal) =>
      // `stdin: true` would leave the request open, and with it the socket of every refused start.
      client.getExec(id).start({ hijack: true, stdin: false, Tty: tty, abortSignal }),
    ).then(owned),
  findExitStatus: async (id) => {
    const found = await call((client, abortSignal) => client.getExec(id).inspect({ abortSignal }));
    return found.Running ? undefined : (found.ExitCode ?? undefined);
  },
  resizeExec: async (id, { columns, rows }) =>
    void (await call((client) => client.getExec(id).resize({ w: columns, h: rows }))),
});

type ImageCalls = 'hasImage' | 'importImage' | 'listImages' | 'removeImage';

export const imageCalls = (call: Call): Pick<EngineApi, ImageCalls> => ({
  hasImage: async (name) =>
    (await call((client) => client.getImage(name).inspect()).catch(undefinedFor404)) !== undefined,
  importImage: (tar, { name: repo, changes }) =>
    call(
      async (client, abortSignal) =>
        void (await text(await client.importImage(tar, { repo, changes, abortSignal }))),
      importWithinMs,
    ),
  listImages: (label) => call((client) => client.listImages({ filters: { label: [label] } })),
  removeImage: async (id) =>
    void (await call((client) => client.getImage(id).remove()).catch(ignoreStatus(404, 409))),
});

/** The types do not say that it takes options. */
const ping = (client: { ping: (options: object) => Promise<void> }, abortSignal: AbortSignal) =>
  client.ping({ abortSignal });

/**
 * The engine's streams may outlive whoever opened them, and serve others: a fault over what comes by one ends that stream, as
 * the engine might, and those who use it are told.
 */
const owned = <S extends Readable>(stream: S): S => ownEvents(stream, { end: () => stream.destroy() });

const containerEvents = (...event: readonly string[]) => JSON.stringify({ type: ['container'], event });
const watched = containerEvents('create', 'start', 'rename');
const changing = containerEvents(
  ...['create', 'start', 'restart', 'die', 'stop', 'destroy', 'rename', 'pause', 'unpause', 'update'],
);

/** The answer's deadline must not end the stream that follows it. */
const openStream = (call: Call, filters: string) => (closed: AbortSignal) =>
  call(async (client, answerSignal) => {
    const ending = new AbortController();
    const end = () => ending.abort();
    answerSignal.addEventListener('abort', end);
    closed.addEventListener('abort', end, { once: true });
    try {
      // The types know of no signal here.
      const get = client.getEvents as (options: object) => Promise<Readable>;
      return owned(await get.call(client, { filters, abortSignal: ending.signal }));
    } finally {
      answerSignal.removeEventListener('abort', end);
    }
  });

async function createExec(client: Docker, id: string, options: ExecOptions, abortSignal: AbortSignal) {
  const exec = await client.getContainer(id).exec({
    Cmd: [...options.argv],
    ...(options.env ? { Env: [...options.env] } : {}),
    ...(options.user === undefined ? {} : { User: options.user }),
    WorkingDir: options.workingDir,
    Tty: options.tty,
    AttachStdin: options.stdin,
    AttachStdout: true,
    AttachStderr: true,
    DetachKeys: detachKeys,
    abortSignal,
  });
  return exec.id;
}

async function findPath(
  client: Docker,
  id: string,
  path: string,
  abortSignal: AbortSignal,
): Promise<PathStat | undefined> {
  const answer = await client.getContainer(id).infoArchive({ path, abortSignal });
  // Its socket is held until somebody reads the (empty) body.
  answer.resume();
  const header = String(answer.headers['x-docker-container-path-stat'] ?? '');
  return header ? JSON.parse(Buffer.from(header, 'base64').toString()) : undefined;
}

const ignoreStatus =
  (...statuses: readonly number[]) =>
  (error: unknown) => {
    if (!statuses.includes(engineStatus(error) ?? 0)) throw error;
  };

function undefinedFor404(error: unknown): undefined {
  if (engineStatus(error) !== 404) throw error;
}
