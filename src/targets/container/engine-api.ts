/**
 * The few calls of the Docker Engine API that sessions need, as plain data. The only file that loads
 * dockerode, and that lazily: it costs 0.14 s, which the start of the gateway must not pay.
 */
import type { Duplex, Readable } from 'node:stream';
import type Docker from 'dockerode';
import { unlessAborted } from '../../platform/unless-aborted.ts';
import type { OpenChanges } from '../changes.ts';
import type { ContainerUsage } from './container-usage.ts';
import { DialledAgent } from './dialled-agent.ts';
import type { EngineAddress } from './engine-address.ts';
import { type Call, containerCalls, engineCalls, execCalls, fileCalls, imageCalls } from './engine-calls.ts';
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
  usage(id: string): Promise<ContainerUsage>;
  start(id: string): Promise<void>;
  unpause(id: string): Promise<void>;
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
  readonly openChanges: OpenChanges;
  /** Go's name of it: `amd64`. */
  architecture(): Promise<string>;
  hasImage(name: string): Promise<boolean>;
  /** Makes an image whose whole file system is the tar. `name`: with its tag, which Podman wants there. `changes`: one Dockerfile instruction. */
  importImage(tar: Readable, image: { readonly name: string; readonly changes: string }): Promise<void>;
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
  if (address.kind === 'dialled') {
    const agent = new DialledAgent(address.dial);
    return new Client({ host: 'engine', port: 80, protocol: 'http', agent } as Docker.DockerOptions);
  }
  return new Client({ host: address.host, port: address.port, protocol: 'http' });
}

/** An API over the engine at `address`; nothing is loaded or dialled before the first call. */
export function createEngineApi(address: EngineAddress, answerWithinMs = usualAnswerMs): EngineApi {
  let connecting: Promise<Docker> | undefined;
  const waiting = new Set<AbortController>();
  const call: Call = async (run, withinMs = answerWithinMs) => {
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
  return {
    ...engineCalls(call),
    ...containerCalls(call),
    ...fileCalls(call, answerWithinMs),
    ...execCalls(call),
    ...imageCalls(call),
    close() {
      for (const giveUp of waiting) giveUp.abort();
    },
  };
}
