/**
 * The few calls of the Docker Engine API that sessions need, as plain data. The only importer of
 * dockerode, and that lazily: loading it costs 0.14 s, which the start of the gateway must not pay.
 */
import type { Duplex, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { ownEvents } from '../../platform/fault-owner.ts';
import { unlessAborted } from '../../platform/unless-aborted.ts';
import type { EngineAddress } from './engine-address.ts';
import { engineStatus, translateEngineError } from './engine-errors.ts';

export type ContainerSummary = Docker.ContainerInfo;
export type ContainerDetails = Docker.ContainerInspectInfo;

export interface ExecOptions {
  readonly argv: readonly string[];
  readonly env?: readonly string[];
  /** As the engine reads it; undefined: the container's own. */
  readonly user: string | undefined;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly workingDir: string;
}

/** What the archive API says about one path; `mode` is Go's os.FileMode. */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  /** Resolved inside the container; empty where the path is no symbolic link. */
  readonly linkTarget: string;
}

/** Every call throws GatewayError, or the library's own error where it carries an HTTP status. */
export interface EngineApi {
  ping(): Promise<void>;
  list(): Promise<readonly ContainerSummary[]>;
  inspect(id: string): Promise<ContainerDetails>;
  start(id: string): Promise<void>;
  stop(id: string): Promise<void>;
  restart(id: string): Promise<void>;
  /** Returns the id of an exec that has not started. */
  createExec(containerId: string, options: ExecOptions): Promise<string>;
  /** The raw connection: ending it is the program's EOF. It must be consumed or destroyed. */
  startExec(execId: string, tty: boolean): Promise<Duplex>;
  /**
   * Undefined until it has ended. The engine calls an exec "not running" also in the moment between
   * the answer to its start and the start itself; only an exit code says that it is over.
   */
  findExitStatus(execId: string): Promise<number | undefined>;
  resizeExec(execId: string, size: { readonly columns: number; readonly rows: number }): Promise<void>;
  /** Undefined where there is nothing. */
  findPath(containerId: string, path: string): Promise<PathStat | undefined>;
  /** A tar stream, to be consumed or destroyed; undefined where there is nothing. */
  findArchive(containerId: string, path: string): Promise<Readable | undefined>;
  /** One JSON object a line, from now on: containers made, started, renamed. To be consumed or destroyed. */
  openEvents(closed: AbortSignal): Promise<Readable>;
  /** Something for whatever would change the list of containers, from now on. To be consumed or destroyed. */
  openChanges(closed: AbortSignal): Promise<Readable>;
  /** Go's name of it: `amd64`. */
  architecture(): Promise<string>;
  hasImage(name: string): Promise<boolean>;
  /** Makes an image whose whole file system is the tar. `changes`: one Dockerfile instruction. */
  importImage(
    tar: Readable,
    image: { readonly repo: string; readonly tag: string; readonly changes: string },
  ): Promise<void>;
  listImages(label: string): Promise<readonly Docker.ImageInfo[]>;
  /** Leaves it where something still uses it. */
  removeImage(id: string): Promise<void>;
  /** Returns its id; it has not started. */
  createContainer(options: Docker.ContainerCreateOptions): Promise<string>;
  /** The raw connection to stdin and stdout. It must be consumed or destroyed. */
  attach(id: string): Promise<Duplex>;
  /** Kills it first where it runs; none is there afterwards. */
  remove(id: string): Promise<void>;
  /** Gives up the calls that wait for an answer: a silent engine's sockets would keep the process alive. */
  close(): void;
}

const usualAnswerMs = 30_000;
/** A stop waits for the container's own grace, which its image may have made long. */
const lifecycleWithinMs = 120_000;
/** 130 MB, perhaps over a network. */
const importWithinMs = 300_000;

/**
 * On a tty the engine watches typed bytes for its "detach" keys, Ctrl-P Ctrl-Q by default, and holds
 * Ctrl-P back until the next key. It cannot be turned off: so a sequence nobody types.
 */
const detachKeys = Array.from({ length: 24 }, (_, at) => (at % 2 ? 'ctrl-_' : 'ctrl-^')).join(',');

async function connect(address: EngineAddress): Promise<Docker> {
  const { default: Client } = await import('dockerode');
  if (address.kind === 'environment') return new Client();
  // `host` and `socketPath` must both be named: what is left out is taken from DOCKER_HOST.
  if (address.kind === 'unix') {
    return new Client({
      socketPath: address.path,
      host: undefined,
      protocol: 'http',
    } as Docker.DockerOptions);
  }
  return new Client({ host: address.host, port: address.port, protocol: 'http' });
}

/** An API over the engine at `address`; nothing is loaded or dialled before the first call. */
export function createEngineApi(address: EngineAddress, answerWithinMs = usualAnswerMs): EngineApi {
  let connecting: Promise<Docker> | undefined;
  const waiting = new Set<AbortController>();
  const call = async <T>(
    run: (client: Docker, abortSignal: AbortSignal) => Promise<T>,
    withinMs = answerWithinMs,
  ) => {
    const giveUp = new AbortController();
    waiting.add(giveUp);
    // Cleared with the answer: it holds all that its call was made for.
    const deadline = setTimeout(() => giveUp.abort(), withinMs).unref();
    try {
      connecting ??= connect(address);
      // Of an answer that is cut off, as when the engine is killed, the library says nothing, and it heeds no signal then.
      return await unlessAborted(run(await connecting, giveUp.signal), giveUp.signal);
    } catch (error) {
      throw engineStatus(error) === undefined ? translateEngineError(error) : error;
    } finally {
      clearTimeout(deadline);
      waiting.delete(giveUp);
    }
  };
  const lifecycle = (verb: 'start' | 'stop' | 'restart') => async (id: string) => {
    // The types of the three calls' options differ; that they take a signal does not.
    const act = async (client: Docker, abortSignal: AbortSignal) =>
      (client.getContainer(id)[verb] as (options: object) => Promise<unknown>)({ abortSignal });
    await call(act, lifecycleWithinMs).catch(ignoreStatus(304));
  };
  return {
    ping: () => call((client, abortSignal) => ping(client, abortSignal)),
    list: () => call((client, abortSignal) => client.listContainers({ all: true, abortSignal })),
    inspect: (id) => call((client, abortSignal) => client.getContainer(id).inspect({ abortSignal })),
    start: lifecycle('start'),
    stop: lifecycle('stop'),
    restart: lifecycle('restart'),
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
    findPath: (id, path) =>
      call((client, abortSignal) => findPath(client, id, path, abortSignal)).catch(undefinedFor404),
    findArchive: (id, path) =>
      call(async (client, answerSignal) => {
        // What is read after the answer has an end, too.
        const abortSignal = AbortSignal.any([answerSignal, AbortSignal.timeout(answerWithinMs)]);
        return (await client.getContainer(id).getArchive({ path, abortSignal })) as Readable;
      }).catch(undefinedFor404),
    openEvents: openStream(call, watched),
    openChanges: openStream(call, changing),
    architecture: async () => (await call((client) => client.version())).Arch,
    hasImage: async (name) =>
      (await call((client) => client.getImage(name).inspect()).catch(undefinedFor404)) !== undefined,
    importImage: (tar, image) =>
      call(
        async (client, abortSignal) =>
          void (await text(await client.importImage(tar, { ...image, abortSignal }))),
        importWithinMs,
      ),
    listImages: (label) => call((client) => client.listImages({ filters: { label: [label] } })),
    removeImage: async (id) =>
      void (await call((client) => client.getImage(id).remove()).catch(ignoreStatus(404, 409))),
    createContainer: (options) =>
      call(
        async (client, abortSignal) => (await client.createContainer({ ...options, abortSignal })).id,
        lifecycleWithinMs,
      ),
    attach: async (id) => {
      const streams = { stream: true, stdin: true, stdout: true, stderr: true };
      const stream = await call((client, abortSignal) =>
        client.getContainer(id).attach({ ...streams, hijack: true, abortSignal }),
      );
      return owned(stream as unknown as Duplex);
    },
    remove: async (id) =>
      void (await call((client, abortSignal) =>
        client.getContainer(id).remove({ force: true, v: true, abortSignal }),
      ).catch(ignoreStatus(404, 409))),
    close() {
      for (const giveUp of waiting) giveUp.abort();
    },
  };
}

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

type Call = <T>(run: (client: Docker, abortSignal: AbortSignal) => Promise<T>) => Promise<T>;

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
