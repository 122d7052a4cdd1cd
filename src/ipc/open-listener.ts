/** A unix socket on which other processes of the gateway connect. */
import { chmod, lstat, rename, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { agreeOnGreeting, type Greeting, helloMethod, type Versions, versions } from './hello.ts';
import { createLeaving, type Leaving, leaveAll, quietMethod } from './leave.ts';
import type { PeerLimits } from './limits.ts';
import { createPeer, type Peer } from './peer.ts';
import type { Handlers, OnFault } from './serving.ts';

export interface IpcListenerOptions {
  /** Of the socket, in a folder that is nobody else's. `platform/socket-path.ts` makes long ones short. */
  readonly path: string;
  /** Somebody said hello: what they may ask from now on. Throws a GatewayError to refuse them. */
  readonly accept: (greeting: Greeting, peer: Peer) => Handlers;
  readonly onFault: OnFault;
  readonly versions?: Versions;
  readonly limits?: Partial<PeerLimits>;
  /** Connections, with those that have said nothing yet; 256. */
  readonly maxPeers?: number;
}

export interface IpcListener {
  /** Takes no more connections, and ends each in order: `leave.ts`. Those that take longer than `withinMs` are cut. */
  leave(withinMs: number): Promise<void>;
  /** At once, as a crash would. */
  close(): Promise<void>;
}

const helloWithinMs = 5_000;
const refusedReason = 'it was refused';

/**
 * Listens with mode 0600. A socket that lies at the path is replaced in one step, whoever made it: only the owner of the
 * folder can, and the lock on the data folder says who that is. Throws what the file system throws.
 */
export async function openIpcListener(options: IpcListenerOptions): Promise<IpcListener> {
  const greeted = new Map<Peer, Leaving>();
  const strangers = new Set<Peer>();
  const server = createServer((socket) => welcome(socket, options, { greeted, strangers }));
  server.maxConnections = options.maxPeers ?? 256;
  await listenAt(server, options.path);

  const closed = Promise.withResolvers<void>();
  server.once('close', () => closed.resolve());
  const refuseStrangers = () => {
    server.close();
    for (const peer of strangers) peer.close('it came too late');
  };
  return {
    async leave(withinMs) {
      refuseStrangers();
      await leaveAll(greeted, withinMs);
      await closed.promise;
    },
    async close() {
      refuseStrangers();
      for (const peer of greeted.keys()) peer.close('this process closed it');
      await closed.promise;
    },
  };
}

interface Peers {
  readonly greeted: Map<Peer, Leaving>;
  readonly strangers: Set<Peer>;
}

function welcome(socket: Socket, options: IpcListenerOptions, { greeted, strangers }: Peers): void {
  const hello = (params: unknown) => {
    try {
      const greeting = agreeOnGreeting(params, options.versions ?? versions);
      const leaving = createLeaving(peer);
      const accepted = options.accept(greeting, peer);
      handlers = { get: (method) => (method === quietMethod ? leaving.onQuiet : accepted.get(method)) };
      strangers.delete(peer);
      greeted.set(peer, leaving);
      clearTimeout(timer);
      return { protocol: greeting.protocol };
    } catch (error) {
      setImmediate(() => peer.end(refusedReason));
      throw error;
    }
  };
  let handlers: Handlers = new Map([[helloMethod, hello]]);
  const peer: Peer = createPeer(socket, {
    ...options,
    handlers: () => handlers,
    isGreeted: () => greeted.has(peer),
  });
  const timer = setTimeout(() => peer.close('it said no hello'), helloWithinMs);
  strangers.add(peer);
  peer.onClose(() => {
    clearTimeout(timer);
    strangers.delete(peer);
    greeted.delete(peer);
  });
}

/** Under another name first, so that nobody finds it before its mode is right, and closing it removes no successor's. */
async function listenAt(server: Server, path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found && !found.isSocket()) throw new Error(`cannot listen on ${path}: something else lies there`);
  const making = `${path}.${process.pid}`;
  await rm(making, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new Error(`cannot listen on ${path}: ${cause.message}`, { cause })),
    );
    server.listen(making, resolve);
  });
  try {
    await chmod(making, 0o600);
    await rename(making, path);
  } catch (error) {
    server.close();
    throw error;
  }
}
