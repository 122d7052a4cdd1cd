/** One sidecar: a container of ours in the network of another, spoken to by HTTP/2 over its stdin and stdout. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { randomId } from '../../../platform/ids.ts';
import { internalLabel } from '../../visibility.ts';
import type { ContainerDetails, EngineApi } from '../engine-api.ts';
import { shortReason } from '../engine-errors.ts';
import { openAttachedStdio } from './attached-stdio.ts';
import type { SidecarImage } from './image.ts';

export interface Answered {
  readonly stream: Duplex;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface Sidecar {
  /** Streams that are open now. */
  readonly load: number;
  readonly isOpen: boolean;
  /**
   * Asks for `path`, and resolves to the stream when the sidecar has done it. Rejects with a SidecarRefusal, or with a
   * SidecarLost where it is gone.
   */
  ask(path: string): Promise<Answered>;
  onClose(listener: () => void): void;
  close(): void;
}

/** What the sidecar could not do, by the system's code: ECONNREFUSED, ENOTFOUND. */
export class SidecarRefusal extends Error {
  override readonly name = 'SidecarRefusal';
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

export class SidecarLost extends Error {
  override readonly name = 'SidecarLost';
}

/** Room for every stream's window, full, besides Node itself. */
const memoryBytes = 384 * 1024 * 1024;
const startWithinMs = 15_000;
const answerWithinMs = 12_000;
const pingIntervalMs = 20_000;
const windowBytes = 256 * 1024;

/** Started and answering. What a failure leaves behind is removed. */
export async function openSidecar(
  engine: EngineApi,
  image: SidecarImage,
  target: ContainerDetails,
  log: Logger,
): Promise<Sidecar> {
  const id = await engine.createContainer(recipe(image, target));
  try {
    const connection = await engine.attach(id);
    const said: string[] = [];
    const stdio = openAttachedStdio(connection, (text) => {
      if (said.length < 20) said.push(text);
      log.debug({ container: target.Id, sidecar: id, text: shortReason(text) }, 'a sidecar wrote to stderr');
    });
    stdio.on('error', () => {});
    await engine.start(id);
    const session = await greet(stdio).catch((error) => {
      throw new Error(`a sidecar did not start: ${shortReason(said.join(' '))}`, { cause: error });
    });
    return speak(session, () => void engine.remove(id).catch(() => {}));
  } catch (error) {
    await engine.remove(id).catch(() => {});
    throw error;
  }
}

/**
 * No capability, and nothing to write to: whoever is root in the container may take hold of the sidecar, and gains
 * nothing by it. It ends when its stdin does, so it cannot outlive the gateway, and the engine then removes it.
 */
function recipe({ name, entrypoint, env }: SidecarImage, { Id, HostConfig }: ContainerDetails) {
  return {
    name: `postern-sidecar-${Id.slice(0, 12)}-${randomId(6)}`,
    Image: name,
    Entrypoint: [...entrypoint],
    Env: [...env],
    User: '65534:65534',
    Labels: { [internalLabel]: 'sidecar', 'postern.sidecar.of': Id },
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: {
      NetworkMode: `container:${Id}`,
      // The kernel ends it with the container. Where that has no processes of its own, it gets its own.
      ...(HostConfig.PidMode ? {} : { PidMode: `container:${Id}` }),
      AutoRemove: true,
      ReadonlyRootfs: true,
      Memory: memoryBytes,
      MemorySwap: memoryBytes,
      PidsLimit: 64,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      LogConfig: { Type: 'none', Config: {} },
    },
  };
}

/** Resolves when the other end has spoken HTTP/2. */
function greet(stdio: Duplex): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = connect('http://sidecar', {
      createConnection: () => stdio,
      settings: { enablePush: false, initialWindowSize: windowBytes, maxFrameSize: 64 * 1024 },
      maxSessionMemory: 256,
      peerMaxConcurrentStreams: 1_024,
      maxOutstandingPings: 2,
    });
    const deadline = setTimeout(() => session.destroy(new Error('no answer in time')), startWithinMs);
    session.once('error', reject);
    session.once('close', () => reject(new Error('it ended')));
    session.once('remoteSettings', () => {
      clearTimeout(deadline);
      session.off('error', reject);
      session.on('error', () => {});
      resolve(session);
    });
  });
}

function speak(session: ClientHttp2Session, remove: () => void): Sidecar {
  const listeners: (() => void)[] = [];
  let load = 0;
  const ping = setInterval(() => {
    // Two unanswered: it hangs, or its connection does.
    if (!session.ping(() => {})) session.destroy();
  }, pingIntervalMs);
  ping.unref();
  session.once('close', () => {
    clearInterval(ping);
    remove();
    for (const listener of listeners) listener();
  });
  return {
    get load() {
      return load;
    },
    get isOpen() {
      return !session.closed && !session.destroyed;
    },
    async ask(path) {
      if (session.closed || session.destroyed) throw new SidecarLost('it has ended');
      const stream = session.request({ ':method': 'POST', ':path': path }, { endStream: false });
      load++;
      stream.once('close', () => load--);
      return { stream, headers: await answered(stream) };
    },
    onClose: (listener) => void listeners.push(listener),
    close: () => session.destroy(),
  };
}

function answered(stream: ClientHttp2Stream): Promise<Answered['headers']> {
  return new Promise((resolve, reject) => {
    stream.on('error', () => {});
    const deadline = setTimeout(() => {
      reject(new SidecarRefusal('ETIMEDOUT'));
      stream.close(constants.NGHTTP2_CANCEL);
    }, answerWithinMs);
    stream.once('close', () => {
      clearTimeout(deadline);
      reject(new SidecarLost('it ended without an answer'));
    });
    stream.once('response', (headers) => {
      clearTimeout(deadline);
      if (headers[':status'] === 200) return resolve(headers);
      reject(new SidecarRefusal(String(headers['x-code'] ?? 'failed')));
      stream.close();
    });
  });
}
